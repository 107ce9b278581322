/** Who gets in, how a browser brings its token, and what pages of other origins may do. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { createServer as createTlsServer, get } from "node:https";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { adminListener } from "@sluice/server/admin/admin-app";
import { adminAccess, type AdminCaller } from "@sluice/server/admin/admin-access";
import { fakeAdmin, TOKEN, tokenOnly } from "./admin-fakes.ts";
import { TEST_CERT, TEST_KEY } from "../../runtime/test/tls-fixture.ts";

const HTML = { accept: "text/html,application/xhtml+xml" };
const ENCODED = encodeURIComponent(TOKEN);

const GUARDED = [
  "/api/v1/streams",
  "/api/v1/streams/a/b",
  "/api/v1/events",
  "/api/v1/openapi.json",
  "/api/v1/nothing",
  "/%61pi/v1/streams",
  "/metrics",
  "/m%65trics",
  "/console/",
  "/%63onsole/",
  "/console/assets/x.js",
];

test("[ADM10] API, metrics and console need the token, however the path is spelt", async () => {
  const { app } = fakeAdmin({ access: tokenOnly });
  for (const url of GUARDED) {
    const answer = await app.inject(url);
    assert.equal(answer.statusCode, 401, url);
    assert.equal(answer.json().error.code, "ADMIN_UNAUTHORIZED", url);
    assert.match(String(answer.headers["www-authenticate"]), /^Bearer/, url);
  }
  for (const method of ["POST", "DELETE"] as const) {
    assert.equal((await app.inject({ method, url: "/api/v1/streams" })).statusCode, 401, "also before 405");
  }
});

test("[ADM10] health and the way to the console are open", async () => {
  const { app } = fakeAdmin({ access: tokenOnly });
  assert.equal((await app.inject("/healthz")).statusCode, 200);
  assert.equal((await app.inject("/readyz")).statusCode, 200);
  assert.equal((await app.inject("/")).headers.location, "/console/");
  assert.equal((await app.inject("/console?token=a&x=1")).headers.location, "/console/?token=a&x=1");
});

test("[ADM10] a rule that says 403 is answered with its own words", async () => {
  const { app } = fakeAdmin({ access: async () => ({ status: 403, message: "Only from here" }) });
  const answer = await app.inject("/api/v1/nodes");
  assert.deepEqual(
    [answer.statusCode, answer.json()],
    [403, { error: { code: "ADMIN_FORBIDDEN", message: "Only from here" } }],
  );
});

test("[ADM11] the token comes from Authorization, else from the cookie", async () => {
  const seen: AdminCaller[] = [];
  const { app } = fakeAdmin({ access: (caller) => (seen.push(caller), "allowed") });
  const headers = [
    { authorization: "Bearer abc", cookie: "sluice_admin=xyz" },
    { authorization: "bearer  abc" },
    { cookie: `theme=dark; sluice_admin=${ENCODED}; b=c` },
    { authorization: "Basic abc" },
    { cookie: "sluice_admin=%zz" },
    { cookie: "xsluice_admin=abc" },
  ];
  for (const each of headers) await app.inject({ url: "/api/v1/nodes", headers: each });
  assert.deepEqual(
    seen.map(({ token }) => token),
    ["abc", "abc", TOKEN, undefined, undefined, undefined],
  );
  const { remoteAddress, target, httpVersion } = seen[0] as AdminCaller;
  assert.deepEqual([remoteAddress, target, httpVersion], ["127.0.0.1", "/api/v1/nodes", "1.1"]);
  await app.inject("/api/v1/nodes?token=abc");
  assert.equal(seen.at(-1)?.token, undefined, "an API address never carries a token");
});

test("[ADM12] a right token in the console's address becomes a cookie, and leaves the address", async () => {
  const { app } = fakeAdmin({ access: tokenOnly });
  const answer = await app.inject({ url: `/console/?a=1&token=${ENCODED}`, headers: HTML });
  assert.deepEqual([answer.statusCode, answer.headers.location], [303, "/console/?a=1"]);
  const cookie = String(answer.headers["set-cookie"]);
  assert.equal(cookie, `sluice_admin=${ENCODED}; Path=/; HttpOnly; SameSite=Strict`);
  const next = await app.inject({ url: "/api/v1/nodes", headers: { cookie: cookie.split(";")[0] ?? "" } });
  assert.equal(next.statusCode, 200);
});

test("[ADM12] [ADM13] a wrong token becomes no cookie, but the page that asks for one", async () => {
  const { app } = fakeAdmin({ access: tokenOnly });
  for (const url of ["/console/", "/console/?token=wrong", "/console/?token="]) {
    const answer = await app.inject({ url, headers: { ...HTML, cookie: "sluice_admin=stale" } });
    assert.equal(answer.statusCode, 401);
    assert.match(String(answer.headers["content-type"]), /^text\/html/);
    assert.match(String(answer.headers["set-cookie"]), /^sluice_admin=;.*Max-Age=0/);
    assert.match(answer.body, /<form method="get" action="\/console\/">/);
    assert.match(answer.body, /Say &quot;please&quot; &amp; &lt;b&gt;show/, "the message is text");
    assert.match(String(answer.headers["content-security-policy"]), /default-src 'none'/);
    assert.doesNotMatch(answer.body, /wrong/);
  }
});

for (const [host, shown] of [
  ["media.example.com:8080", "media.example.com"],
  ["203.0.113.7:8080", "203.0.113.7"],
  ["[2001:db8::7]:8080", "HOST"],
  ["evil;rm${IFS}-rf", "HOST"],
  ['"><script>alert(1)</script>', "HOST"],
  ["-oProxyCommand=x", "HOST"],
] as const) {
  test(`[ADM215] without a token a remote visit by ${host} hears how to set one, and the tunnel's line`, async () => {
    const { app } = fakeAdmin({ access: adminAccess(() => undefined) });
    const answer = await app.inject({ url: "/console/", headers: { ...HTML, host }, remoteAddress: "203.0.113.9" });
    assert.equal(answer.statusCode, 403);
    assert.match(answer.body, /no admin\.token is configured/);
    assert.match(answer.body, /openssl rand [^]*--set admin\.tokenFile=admin\.token/);
    const line = /<pre>(ssh .*)<\/pre>/.exec(answer.body)?.[1];
    assert.match(line ?? "", /^ssh -L (\d+):127\.0\.0\.1:\1 /);
    assert.equal(line?.split(" ").at(-1), shown);
    assert.match(answer.body, /<a href="http:\/\/127\.0\.0\.1:\d+\/console\/">/);
    assert.match(answer.body, /<a href="\/console\/">/, "for whom a link of another site led here");
    assert.doesNotMatch(answer.body, /<form|<script/);
  });
}

test("[ADM215] the line names the port that was asked, and other programs hear the error alone", async (t) => {
  const { app } = fakeAdmin({ access: adminAccess(() => undefined) });
  const server = createServer(await adminListener(app)).listen(0, "127.0.0.1");
  t.after(() => server.close());
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const get = (headers: Record<string, string>): Promise<Response> =>
    fetch(`http://127.0.0.1:${port}/console/`, { headers: { "x-forwarded-for": "203.0.113.9", ...headers } });
  assert.match(await (await get(HTML)).text(), new RegExp(`ssh -L ${port}:127\\.0\\.0\\.1:${port} `));
  assert.match(await (await get({ accept: "*/*" })).text(), /^\{"error":/);
});

const PAGES = [
  [{ origin: "http://sluice.test:8080" }, 204],
  [{ origin: "https://sluice.test:8080" }, 204],
  [{}, 204],
  [{ "sec-fetch-site": "same-origin" }, 204],
  [{ "sec-fetch-site": "none" }, 204],
  [{ origin: "https://ops.example.com" }, 204],
  [{ origin: "https://ops.example.com.evil.test" }, 403],
  [{ origin: "http://sluice.test:8081" }, 403],
  [{ origin: "http://sluice.test" }, 403],
  [{ origin: "null" }, 403],
  [{ "sec-fetch-site": "cross-site" }, 403],
  [{ "sec-fetch-site": "same-site" }, 403],
] as const;

for (const [headers, status] of PAGES) {
  test(`[ADM14] a change from a page with ${JSON.stringify(headers)} answers ${status}`, async () => {
    const { app, source } = fakeAdmin({ corsOrigins: ["https://ops.example.com"] });
    const answer = await app.inject({
      method: "DELETE",
      url: "/api/v1/sessions/s1",
      headers: { host: "sluice.test:8080", ...headers },
    });
    assert.equal(answer.statusCode, status);
    assert.equal(source.kicked.length, status === 204 ? 1 : 0);
    if (status === 403) assert.equal(answer.json().error.code, "ADMIN_CROSS_ORIGIN");
  });
}

test("[ADM15] only listed origins are let at the answers, and their preflight needs no token", async () => {
  const { app } = fakeAdmin({ access: tokenOnly, corsOrigins: ["https://ops.example.com"] });
  const ask = async (origin: string) =>
    app.inject({ method: "OPTIONS", url: "/api/v1/sessions/s1", headers: { origin } });
  const listed = await ask("https://ops.example.com");
  assert.equal(listed.statusCode, 204);
  assert.equal(listed.headers["access-control-allow-origin"], "https://ops.example.com");
  assert.match(String(listed.headers["access-control-allow-headers"]), /authorization/);
  assert.equal(listed.headers["access-control-allow-credentials"], undefined);
  assert.equal(listed.headers.vary, "Origin");
  const stranger = await ask("https://evil.test");
  assert.equal(stranger.headers["access-control-allow-origin"], undefined);
});

test("[ADM10] [ADM150] with a configured token: its bearer, and nobody else, also from this machine", async () => {
  const { app } = fakeAdmin({ access: adminAccess(() => "secret") });
  const away = { remoteAddress: "192.0.2.1" };
  const cases = [
    [{}, { host: "localhost:8080" }, 401],
    [{}, { host: "127.0.0.1:8080", origin: "http://127.0.0.1:8080" }, 401],
    [{}, { host: "localhost:8080", authorization: "Bearer secret" }, 200],
    [{}, { host: "localhost:8080", "x-forwarded-for": "192.0.2.1" }, 401],
    [away, { host: "localhost:8080" }, 401],
    [away, { host: "a.test", authorization: "Bearer secret" }, 200],
    [away, { host: "a.test", cookie: "sluice_admin=secret" }, 200],
    [away, { host: "a.test", cookie: "sluice_admin=wrong" }, 401],
  ] as const;
  for (const [from, headers, status] of cases) {
    for (const url of ["/api/v1/nodes", "/metrics", "/console/assets/none.js"]) {
      const answer = await app.inject({ url, headers, ...from });
      const expected = status === 200 && url.startsWith("/console") ? 404 : status;
      assert.equal(answer.statusCode, expected, JSON.stringify([url, from, headers]));
    }
  }
});

test("[ADM10] without one, this machine alone", async () => {
  const away = { remoteAddress: "192.0.2.1" };
  const closed = fakeAdmin({ access: adminAccess(() => undefined) });
  assert.equal((await closed.app.inject({ url: "/metrics", ...away })).statusCode, 403);
  const page = await closed.app.inject({ url: "/console/", headers: HTML, ...away });
  assert.match(page.body, /no admin\.token is configured/);
  assert.doesNotMatch(page.body, /<form/, "no token would open");
});

test("[ADM151] a token that comes twice is none", async () => {
  const { app } = fakeAdmin({ access: adminAccess(() => "secret") });
  const twice = { authorization: ["Bearer secret", "Bearer secret"] as unknown as string };
  const cookie = "sluice_admin=secret";
  assert.equal((await app.inject({ url: "/api/v1/nodes", headers: { cookie } })).statusCode, 200);
  assert.equal((await app.inject({ url: "/api/v1/nodes", headers: { ...twice, cookie } })).statusCode, 401);
  for (const url of ["/console/?token=secret&token=secret", "/console/?token=secret&token="])
    assert.equal((await app.inject({ url, headers: { ...HTML, cookie } })).statusCode, 401);
});

const ASKED_BY = [
  [{}, 200],
  [{ "sec-fetch-site": "same-origin" }, 200],
  [{ "sec-fetch-site": "none", "sec-fetch-mode": "navigate" }, 200],
  [{ "sec-fetch-site": "same-site", "sec-fetch-mode": "navigate" }, 200],
  [{ "sec-fetch-site": "same-site", "sec-fetch-mode": "cors" }, 401],
  [{ "sec-fetch-site": "same-site", "sec-fetch-mode": "no-cors" }, 401],
  [{ "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors" }, 401],
] as const;

for (const [headers, status] of ASKED_BY) {
  test(`[ADM152] a cookie that comes with ${JSON.stringify(headers)} answers ${status}`, async () => {
    const { app } = fakeAdmin({ access: tokenOnly });
    const cookie = `sluice_admin=${ENCODED}`;
    assert.equal((await app.inject({ url: "/api/v1/nodes", headers: { cookie, ...headers } })).statusCode, status);
  });
}

test("[ADM153] strangers learn whether the node is ready, and not why", async () => {
  const { app, source } = fakeAdmin({ access: tokenOnly });
  source.ready = false;
  const stranger = await app.inject("/readyz");
  assert.deepEqual([stranger.statusCode, stranger.json()], [503, { ready: false, reasons: [] }]);
  const known = await app.inject({ url: "/readyz", headers: { cookie: `sluice_admin=${ENCODED}` } });
  assert.deepEqual(known.json(), { ready: false, reasons: ["draining"] });
});

const ENDED_TLS: readonly (readonly [headers: Readonly<Record<string, string>>, isSecure: boolean])[] = [
  [{ "x-forwarded-proto": "https" }, true],
  [{ "x-forwarded-proto": "HTTPS, http" }, true],
  [{ "x-forwarded-proto": "http, https" }, false],
  [{ forwarded: "for=203.0.113.9;proto=https;by=10.0.0.1" }, true],
  [{ forwarded: 'proto="https", for=10.0.0.1;proto=http' }, true],
  [{ forwarded: "for=203.0.113.9; host=media.example, proto=https" }, false],
  [{}, false],
];

for (const [said, isSecure] of ENDED_TLS) {
  test(`[ADM320] the cookie is for ${isSecure ? "encrypted" : "all"} connections behind a proxy that says ${JSON.stringify(said)}`, async () => {
    const { app } = fakeAdmin({ access: tokenOnly });
    const answer = await app.inject({ url: `/console/?token=${ENCODED}`, headers: { ...HTML, ...said } });
    assert.equal(String(answer.headers["set-cookie"]).endsWith("; Secure"), isSecure);
  });
}

test("[ADM320] over TLS of the node's own the cookie is for encrypted connections alone", async (t) => {
  const { app } = fakeAdmin({ access: tokenOnly });
  const server = createTlsServer({ cert: TEST_CERT, key: TEST_KEY }, await adminListener(app)).listen(0, "127.0.0.1");
  t.after(() => server.close());
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const asked = get({
    port,
    host: "127.0.0.1",
    path: `/console/?token=${ENCODED}`,
    rejectUnauthorized: false,
    agent: false,
  });
  const [answer] = (await once(asked, "response")) as [IncomingMessage];
  answer.resume();
  assert.match(String(answer.headers["set-cookie"]), /; Secure$/);
});
