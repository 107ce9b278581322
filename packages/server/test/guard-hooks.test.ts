/** The guard with hooks that really listen: what they hear, what their answers mean, and what happens without one. */
import assert from "node:assert/strict";
import { createServer } from "node:net";
import { test } from "node:test";
import type { Admission } from "@sluice/server/auth/access";
import { openWarning } from "@sluice/server/auth/open-warning";
import { signGrant } from "@sluice/server/auth/signed-url";
import { until } from "@sluice/testkit/until";
import { guardOf, NEVER, NOW, openHook, requestOf, SECRET } from "./guard-fixture.ts";

const codeOf = (verdict: Admission): string => (verdict.allow ? "allowed" : verdict.code);
const hooked = (url: string, ...more: string[]): string[] => ["auth.play=hook", `auth.hooks.play=${url}`, ...more];

test("[GRD4] an open node answers at once, and always with the same promise", () => {
  const { guard, counts } = guardOf([]);
  assert.equal(guard.decide(requestOf(), NEVER), guard.decide(requestOf({ action: "publish" }), NEVER));
  assert.equal(counts.size, 0);
  assert.deepEqual(guard.openActions(), { publish: [""], play: [""] });
});

test("[GRD3] address rules of connecting, publishing and playing", async () => {
  const { guard, counts } = guardOf([
    "auth.address.deny=6.0.0.0/8",
    "auth.address.publishAllow=10.0.0.0/8",
    "auth.address.playDeny=10.0.0.9",
  ]);
  const decide = async (action: "connect" | "publish" | "play", address: string) =>
    codeOf(await guard.decide(requestOf({ action, address }), NEVER));
  assert.equal(guard.admitAddress("6.1.1.1"), false);
  assert.equal(guard.admitAddress("7.1.1.1"), true);
  assert.equal(await decide("connect", "6.1.1.1"), "address-denied");
  assert.equal(await decide("play", "6.1.1.1"), "address-denied");
  assert.equal(await decide("publish", "7.1.1.1"), "address-denied");
  assert.equal(await decide("publish", "10.0.0.1"), "allowed");
  assert.equal(await decide("play", "7.1.1.1"), "allowed");
  assert.equal(await decide("play", "10.0.0.9"), "address-denied");
  assert.equal(counts.get("guard_verdicts_total play address-denied"), 2);
  assert.deepEqual(guard.openActions(), { publish: [], play: [] });
});

test("[GRD20] a hook hears the facts of the request, and who asks", async () => {
  await using hook = await openHook((response) => response.writeHead(204).end());
  const { guard, counts } = guardOf(hooked(hook.url, "auth.hooks.token=hush"));
  const request = requestOf({ query: "user=ann&x=1", agent: "OBS", pageUrl: "http://p/" });
  assert.equal(codeOf(await guard.decide(request, NEVER)), "allowed");
  const { body, headers, method } = hook.heard[0] ?? assert.fail("not asked");
  assert.deepEqual(body, {
    event: "play",
    node: "box",
    action: "play",
    protocol: "rtmp",
    app: "live",
    key: "live/cam",
    address: "10.0.0.1",
    sessionId: "s1",
    agent: "OBS",
    pageUrl: "http://p/",
    query: { user: "ann", x: "1" },
  });
  assert.deepEqual(
    [method, headers["content-type"], headers.authorization],
    ["POST", "application/json", "Bearer hush"],
  );
  assert.equal(counts.get("hook_requests_total play allow"), 1);
});

const REFUSALS = [
  ['{"reason":"Not today"}', "Not today"],
  ['{"reason":"two\\r\\nlines\\u0000"}', "two lines"],
  [`{"reason":"${"x".repeat(1_000)}"}`, "x".repeat(200)],
  ['{"reason":7}', "Refused by the server's rules"],
  ["null", "Refused by the server's rules"],
  ["<html>", "Refused by the server's rules"],
  ["", "Refused by the server's rules"],
  [`{"reason":"cut","pad":"${"x".repeat(10_000)}"}`, "Refused by the server's rules"],
] as const;

for (const [body, reason] of REFUSALS) {
  test(`[GRD21] 403 with ${JSON.stringify(body.slice(0, 40))} refuses with a reason`, async () => {
    await using hook = await openHook((response) => response.writeHead(403).end(body));
    assert.deepEqual(await guardOf(hooked(hook.url)).guard.decide(requestOf(), NEVER), {
      allow: false,
      code: "hook-denied",
      reason,
    });
  });
}

const REDIRECTS = [
  [302, "rtmp://other.example/live/cam", "redirected"],
  [307, "https://other.example/live/cam.flv", "redirected"],
  [302, "/relative", "hook-unavailable"],
  [302, "javascript:alert(1)", "hook-unavailable"],
  [304, undefined, "hook-unavailable"],
] as const;

for (const [status, location, expected] of REDIRECTS) {
  test(`[GRD22] ${status} with Location ${location} is ${expected}`, async () => {
    await using hook = await openHook((response) =>
      response.writeHead(status, location === undefined ? {} : { location }).end(),
    );
    const verdict = await guardOf(hooked(hook.url)).guard.decide(requestOf(), NEVER);
    assert.equal(codeOf(verdict), expected);
    if (!verdict.allow && verdict.code === "redirected") assert.equal(verdict.redirect, location);
  });
}

test("[GRD22] the server does not follow a redirect itself", async () => {
  await using target = await openHook((response) => response.writeHead(200).end());
  await using hook = await openHook((response) => response.writeHead(307, { location: target.url }).end());
  assert.equal(codeOf(await guardOf(hooked(hook.url)).guard.decide(requestOf(), NEVER)), "redirected");
  assert.equal(target.heard.length, 0);
});

test("[GRD23] a failing hook refuses, or lets in where that is wanted", async () => {
  await using broken = await openHook((response) => response.writeHead(500).end());
  await using cut = await openHook((response) => response.destroy());
  const closed = await new Promise<number>((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
  for (const url of [broken.url, cut.url, `http://127.0.0.1:${closed}/`]) {
    const strict = guardOf(hooked(url));
    assert.equal(codeOf(await strict.guard.decide(requestOf(), NEVER)), "hook-unavailable");
    assert.equal(strict.counts.get("hook_requests_total play failed"), 1);
    assert.equal(
      codeOf(await guardOf(hooked(url, "auth.hooks.failOpen=true")).guard.decide(requestOf(), NEVER)),
      "allowed",
    );
  }
});

test("[GRD23] a hook that does not answer in time has failed", async () => {
  await using hook = await openHook(() => {});
  const { guard, clock } = guardOf(hooked(hook.url, "auth.hooks.timeout=2s"));
  const decision = guard.decide(requestOf(), NEVER);
  await until("the hook to hear of it", () => hook.heard.length === 1);
  clock.advance(2_000);
  assert.equal(codeOf(await decision), "hook-unavailable");
  assert.equal(clock.pendingCount, 0);
});

test("[GRD23] an answer whose body never ends is held to the same time", async () => {
  await using hook = await openHook((response) => void response.writeHead(403).write("{"));
  const { guard, clock } = guardOf(hooked(hook.url, "auth.hooks.timeout=2s"));
  const decision = guard.decide(requestOf(), NEVER);
  await until("the hook to hear of it", () => hook.heard.length === 1);
  await new Promise((resolve) => setTimeout(resolve, 20)); // the head of the answer is on its way: let it arrive
  clock.advance(2_000);
  assert.equal(codeOf(await decision), "hook-unavailable");
});

test("[GRD24] requests under way and waiting are bounded, and each gets its turn", async () => {
  const open: (() => void)[] = [];
  await using hook = await openHook((response) => void open.push(() => response.writeHead(200).end()));
  const { guard } = guardOf(hooked(hook.url, "limits.hookRequests=2", "limits.hookQueue=1"));
  const decisions = [1, 2, 3, 4].map((n) => guard.decide(requestOf({ sessionId: `s${n}` }), NEVER));
  assert.equal(codeOf((await decisions[3]) as Admission), "overloaded");
  await until("questions under way", () => open.length === 2);
  open[0]?.();
  await until("questions under way", () => open.length === 3);
  open[1]?.();
  open[2]?.();
  assert.deepEqual((await Promise.all(decisions.slice(0, 3))).map(codeOf), ["allowed", "allowed", "allowed"]);
  assert.equal(
    codeOf(
      await Promise.race([
        guard.decide(requestOf(), NEVER),
        until("questions under way", () => open.length === 4)
          .then(() => open[3]?.())
          .then(() => new Promise<Admission>(() => {})),
      ]),
    ),
    "allowed",
  );
});

test("[GRD25] a session that ends takes its question along, under way or waiting", async () => {
  await using hook = await openHook(() => {});
  const { guard, clock } = guardOf(hooked(hook.url, "limits.hookRequests=1", "limits.hookQueue=5"));
  const [first, second] = [new AbortController(), new AbortController()];
  const decisions = [guard.decide(requestOf(), first.signal), guard.decide(requestOf(), second.signal)];
  await until("the hook to hear of it", () => hook.heard.length === 1);
  second.abort();
  assert.equal(codeOf((await decisions[1]) as Admission), "session-ended");
  assert.equal(clock.pendingCount, 1, "the one under way keeps its time");
  first.abort();
  assert.equal(codeOf((await decisions[0]) as Admission), "session-ended");
  assert.equal(codeOf(await guard.decide(requestOf(), first.signal)), "session-ended");
  assert.equal(hook.heard.length, 1);
});

test("[GRD25] a guard that ends lets nobody wait, and gives a hook that was asked its time", async () => {
  await using hook = await openHook(() => {});
  const { guard, clock } = guardOf(hooked(hook.url, "auth.hooks.timeout=2s"));
  const decision = guard.decide(requestOf(), NEVER);
  await until("the hook to hear of it", () => hook.heard.length === 1);
  const ended = guard[Symbol.asyncDispose]();
  assert.equal(codeOf(await decision), "session-ended");
  clock.advance(2_000);
  await ended;
});

test("[GRD17] with token and hook both must agree, and the hook is not asked about a bad token", async () => {
  await using hook = await openHook((response, count) => response.writeHead(count === 1 ? 200 : 403).end());
  const { guard } = guardOf(["auth.play=signed,hook", `auth.signed.secret=${SECRET}`, `auth.hooks.play=${hook.url}`]);
  const sign = signGrant(SECRET, { action: "play", key: "live/cam", expires: NOW + 9 });
  const query = `expires=${NOW + 9}&sign=${sign}`;
  assert.equal(codeOf(await guard.decide(requestOf(), NEVER)), "token-missing");
  assert.equal(hook.heard.length, 0);
  assert.equal(codeOf(await guard.decide(requestOf({ query }), NEVER)), "allowed");
  assert.equal(codeOf(await guard.decide(requestOf({ query }), NEVER)), "hook-denied");
});

test("[GRD20] connect is asked wherever its hook is set, publish only where it is listed", async () => {
  await using hook = await openHook((response) => response.writeHead(403).end());
  const { guard } = guardOf([
    `auth.hooks.connect=${hook.url}`,
    `auth.hooks.publish=${hook.url}`,
    "applications.shut.auth.publish=hook",
  ]);
  const decide = async (action: "connect" | "publish", app: string) =>
    codeOf(await guard.decide(requestOf({ action, app, key: `${app}/cam` }), NEVER));
  assert.equal(await decide("connect", "live"), "hook-denied");
  assert.equal(await decide("publish", "live"), "allowed");
  assert.equal(await decide("publish", "shut"), "hook-denied");
});

const DONE = {
  event: "done",
  node: "box",
  action: "play",
  protocol: "rtmp",
  app: "live",
  key: "live/cam",
  address: "10.0.0.1",
  sessionId: "s1",
} as const;

/** What a request that was allowed is given. */
async function grantOf(guard: ReturnType<typeof guardOf>["guard"], facts?: Parameters<typeof requestOf>[0]) {
  const admission = await guard.decide(requestOf(facts), NEVER);
  return admission.allow ? admission.grant : assert.fail(admission.reason);
}

test("[GRD26] [GRD151] the end is told once, whoever says it again, and nobody waits for it", async () => {
  await using hook = await openHook((response) => response.writeHead(500).end());
  const { guard, counts, clock } = guardOf([`auth.hooks.done=${hook.url}`]);
  const grant = await grantOf(guard);
  clock.advance(5);
  assert.equal(grant.end("closed", { bytesIn: 6, bytesOut: 7 }), undefined);
  grant.end("closed again");
  await until("the count of it", () => counts.get("hook_requests_total done failed") === 1);
  await guard[Symbol.asyncDispose]();
  assert.deepEqual(
    hook.heard.map(({ body }) => body),
    [{ ...DONE, reason: "closed", durationMs: 5, bytesIn: 6, bytesOut: 7 }],
  );
});

test("[GRD26] a guard that ends sends what it still has to tell", async () => {
  const open: (() => void)[] = [];
  await using hook = await openHook((response) => void open.push(() => response.writeHead(200).end()));
  const { guard, counts } = guardOf([`auth.hooks.done=${hook.url}`, "limits.hookRequests=1"]);
  for (const grant of [await grantOf(guard), await grantOf(guard)]) grant.end("closed");
  const ended = guard[Symbol.asyncDispose]();
  for (let i = 0; i < 2; i++) {
    await until("questions under way", () => open.length > i);
    open[i]?.();
  }
  await ended;
  assert.equal(counts.get("hook_requests_total done allow"), 2);
});

test("[GRD26] reports beyond the bound are dropped and counted", async () => {
  const open: (() => void)[] = [];
  await using hook = await openHook((response) => void open.push(() => response.writeHead(200).end()));
  const { guard, counts } = guardOf([`auth.hooks.done=${hook.url}`, "limits.hookRequests=1", "limits.hookQueue=0"]);
  for (const grant of [await grantOf(guard), await grantOf(guard)]) grant.end("closed");
  await until(
    "questions under way",
    () => open.length === 1 && counts.get("hook_requests_total done overloaded") === 1,
  );
  open[0]?.();
  await until("the count of it", () => counts.get("hook_requests_total done allow") === 1);
});

for (const [status, reasons] of [
  [200, ["session-ended"]],
  [403, []],
  [302, []],
  [500, []],
] as const) {
  test(`[GRD151] a hook that answers ${status} after its asker left hears of ${reasons.length} ends`, async () => {
    await using done = await openHook((response) => response.writeHead(200).end());
    const open: (() => void)[] = [];
    await using hook = await openHook((response) => void open.push(() => response.writeHead(status).end()));
    const { guard } = guardOf(hooked(hook.url, `auth.hooks.done=${done.url}`));
    const session = new AbortController();
    const decision = guard.decide(requestOf(), session.signal);
    await until("questions under way", () => open.length === 1);
    session.abort();
    assert.equal(codeOf(await decision), "session-ended");
    open[0]?.();
    await guard[Symbol.asyncDispose]();
    assert.deepEqual(
      done.heard.map(({ body }) => body["reason"]),
      reasons,
    );
  });
}

test("[GRD151] a question that ends with the guard while its hook thinks is told of, too", async () => {
  await using done = await openHook((response) => response.writeHead(200).end());
  const open: (() => void)[] = [];
  await using hook = await openHook((response) => void open.push(() => response.writeHead(200).end()));
  const { guard } = guardOf(hooked(hook.url, `auth.hooks.done=${done.url}`));
  const decision = guard.decide(requestOf(), NEVER);
  await until("questions under way", () => open.length === 1);
  const ended = guard[Symbol.asyncDispose]();
  assert.equal(codeOf(await decision), "session-ended");
  open[0]?.();
  await ended;
  assert.equal(done.heard.length, 1);
});

test("[GRD151] what a failing hook let in has an end as well", async () => {
  await using hook = await openHook((response) => response.writeHead(500).end());
  await using done = await openHook((response) => response.writeHead(200).end());
  const { guard } = guardOf(hooked(hook.url, "auth.hooks.failOpen=true", `auth.hooks.done=${done.url}`));
  (await grantOf(guard)).end("closed");
  await guard[Symbol.asyncDispose]();
  assert.equal(done.heard.length, 1);
});

test("[GRD150] a hook is told each parameter once, and is not asked where a credential comes twice", async () => {
  await using hook = await openHook((response) => response.writeHead(200).end());
  const { guard } = guardOf(hooked(hook.url, `auth.hooks.connect=${hook.url}`));
  const query = ["user=ann&x=1", "user=bob"];
  assert.equal(codeOf(await guard.decide(requestOf({ query }), NEVER)), "allowed");
  assert.deepEqual(hook.heard[0]?.body["query"], { user: "bob", x: "1" });
  for (const action of ["connect", "play"] as const) {
    const twice = requestOf({ action, query: "token=a&token=b" });
    assert.equal(codeOf(await guard.decide(twice, NEVER)), "token-repeated");
  }
  assert.equal(hook.heard.length, 1);
});

test("[GRD156] over HTTP the connect hook is asked as well, before what the play needs", async () => {
  await using connect = await openHook((response, count) => response.writeHead(count === 1 ? 200 : 403).end());
  await using play = await openHook((response) => response.writeHead(200).end());
  const { guard } = guardOf(hooked(play.url, `auth.hooks.connect=${connect.url}`));
  const facts = { protocol: "ws-flv", origin: "https://page.example" } as const;
  assert.equal(codeOf(await guard.decide(requestOf(facts), NEVER)), "allowed");
  assert.equal(codeOf(await guard.decide(requestOf(facts), NEVER)), "hook-denied");
  const { guard: open } = guardOf([`auth.hooks.connect=${connect.url}`]);
  assert.equal(codeOf(await open.decide(requestOf({ ...facts, protocol: "http-flv" }), NEVER)), "hook-denied");
  assert.equal(codeOf(await open.decide(requestOf(), NEVER)), "allowed", "RTMP asked at its connect");
  assert.equal(play.heard.length, 1);
  const { event, action, key, app, protocol, origin } = connect.heard[0]?.body ?? {};
  assert.deepEqual(
    [event, action, key, app, protocol, origin],
    ["connect", "connect", "", "live", "ws-flv", "https://page.example"],
  );
});

test("[GRD152] the log names a hook without what its URL could open", async () => {
  const lines: unknown[] = [];
  const secret = "http://127.0.0.1:9/hooks/0123456789abcdef0123?key=hush#frag";
  const { guard } = guardOf(hooked(secret, `auth.hooks.done=${secret}`, "auth.hooks.failOpen=true"), {}, lines);
  (await grantOf(guard)).end("closed");
  await guard[Symbol.asyncDispose]();
  assert.equal(lines.length, 2);
  assert.doesNotMatch(JSON.stringify(lines), /hush|abcdef|frag/);
  assert.match(JSON.stringify(lines), /"http:\/\/127\.0\.0\.1:9\/hooks\/…\?…"/);
});

test("[GRD4] [GRD153] what stands open is said with the keys that close it", () => {
  const none: string[] = [];
  assert.equal(openWarning({ publish: none, play: none }), undefined);
  assert.match(openWarning({ publish: [""], play: [""] }) ?? "", /publish and play.*auth\.publish and auth\.play/);
  assert.match(openWarning({ publish: none, play: [""] }) ?? "", /may play\. To close it set auth\.play to/);
});

test("[GRD153] one application that is open is told of, also where the others are closed", () => {
  const closed = ["auth.publish=signed", "auth.play=signed", `auth.signed.secret=${SECRET}`];
  assert.deepEqual(guardOf(closed).guard.openActions(), { publish: [], play: [] });
  const { guard } = guardOf([...closed, "applications.demo.auth.play=open", "applications.live.grace.windowMs=1s"]);
  assert.deepEqual(guard.openActions(), { publish: [], play: ["demo"] });
  const said = openWarning(guard.openActions()) ?? "";
  assert.match(said, /may play under "demo"\. To close it set applications\.demo\.auth\.play to/);
  const { guard: open } = guardOf(["applications.live.auth.play=signed", `auth.signed.secret=${SECRET}`]);
  assert.deepEqual(open.openActions(), { publish: ["", "live"], play: [""] });
});
