/** Tokens, signed URLs, hooks and address rules against a running server, for publishers and players of every protocol. */
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { createServer, type Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, test } from "node:test";
import { startChild } from "@sluice/testkit/child";
import { makeClip, WorkFolder } from "./support/clip.ts";
import { watchHttp, watchWebSocket } from "./support/flv-viewer.ts";
import { openRaw, type RawPeer } from "./support/raw-peer.ts";
import { connectPeer, openPeer, type RtmpPeer } from "./support/rtmp-peer.ts";
import { MAIN, type Server, startServer } from "./support/server.ts";
import { codedFrames, readFlvFile, type Unit } from "./support/units.ts";
import { until } from "@sluice/testkit/until";

const JWT_SECRET = "a secret of jwt for tests only";
const SIGN_SECRET = "a secret of signs for tests only";

/** What the hook was asked and told. */
interface Asked {
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>>;
}

let folder: WorkFolder;
let server: Server;
let hook: HttpServer;
let clip: string;
let units: Unit[];
const asked: Asked[] = [];

before(async () => {
  folder = new WorkFolder();
  clip = makeClip(folder, "clip.flv", { seconds: 3 });
  units = readFlvFile(clip);
  hook = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on("data", (piece: Buffer) => pieces.push(piece));
    request.on("end", () => {
      const body = JSON.parse(Buffer.concat(pieces).toString()) as Record<string, unknown>;
      asked.push({ path: request.url ?? "", body });
      const key = String(body["key"]);
      if (key.endsWith("moved")) response.writeHead(302, { Location: "rtmp://127.0.0.1:1/elsewhere/cam" }).end();
      else if (key.endsWith("denied"))
        response.writeHead(403, { "Content-Type": "application/json" }).end('{"reason":"not on a Sunday"}');
      else response.writeHead(200).end();
    });
  });
  await new Promise<void>((resolve) => hook.listen(0, "127.0.0.1", resolve));
  const asks = `http://127.0.0.1:${(hook.address() as AddressInfo).port}`;
  server = await startServer({
    set: [
      ...["applications.jwt.auth.publish=jwt", "applications.jwt.auth.play=jwt", `auth.jwt.secret=${JWT_SECRET}`],
      ...[
        "applications.signed.auth.publish=signed",
        "applications.signed.auth.play=signed",
        `auth.signed.secret=${SIGN_SECRET}`,
      ],
      ...["applications.hook.auth.publish=hook", "applications.hook.auth.play=hook"],
      ...[`auth.hooks.publish=${asks}/publish`, `auth.hooks.play=${asks}/play`, `auth.hooks.done=${asks}/done`],
    ],
  });
});

after(async () => {
  await server[Symbol.asyncDispose]();
  await new Promise((resolve) => hook.close(resolve));
  folder[Symbol.dispose]();
});

const peer = (app: string): Promise<RtmpPeer> => connectPeer({ port: server.port(), app });

/** HS256, made by hand, so that the test does not trust the library under test. */
function token(claims: object, secret = JWT_SECRET): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const head = `${part({ alg: "HS256", typ: "JWT" })}.${part({ exp: Math.floor(Date.now() / 1000) + 60, ...claims })}`;
  return `${head}.${createHmac("sha256", secret).update(head).digest("base64url")}`;
}

async function signed(action: string, key: string): Promise<string> {
  const sets = ["--set", `auth.signed.secret=${SIGN_SECRET}`];
  await using child = startChild([process.execPath, MAIN, "sign", action, key, "--config", "none", ...sets]);
  assert.equal((await child.exited).code, 0, child.output());
  return child.output("stdout").trim();
}

async function assertRefused(app: string, name: string, why: RegExp): Promise<void> {
  await using publisher = await peer(app);
  publisher.engine.publish(name);
  publisher.flush();
  assert.match((await publisher.status("NetStream.Publish.Denied")).description, why);
  await using player = await peer(app);
  player.play(name);
  await player.status("NetStream.Play.Failed");
  assert.deepEqual([publisher.isClosed, player.isClosed], [false, false], "a refusal ends no connection");
}

describe("JWT", () => {
  test("a right token publishes and plays over RTMP, HTTP-FLV and WS-FLV, ffmpeg included", async () => {
    const publish = token({ action: "publish", key: "jwt/cam" });
    const play = token({ action: "play", key: "jwt/*" });
    await using player = await peer("jwt");
    player.play(`cam?token=${play}`);
    await player.status("NetStream.Play.Start");
    const url = server.rtmp(`jwt/cam?token=${publish}`);
    await using encoder = startChild([
      "ffmpeg",
      "-nostdin",
      "-loglevel",
      "error",
      "-copyts",
      "-re",
      "-i",
      clip,
      "-c",
      "copy",
      "-f",
      "flv",
      url,
    ]);
    await server.stream("jwt/cam", ({ state, gop }) => state === "live" && gop.frames > 0);
    const web = server.http(`/jwt/cam.flv?token=${play}`);
    await using http = await watchHttp(web);
    await using socket = await watchWebSocket(web.replace("http:", "ws:"));
    assert.equal(http.status, 200);
    await Promise.all([http.ended, socket.ended, player.status("NetStream.Play.UnpublishNotify"), encoder.exited]);
    assert.deepEqual(codedFrames(player.units), codedFrames(units));
  });

  const WRONG = [
    { says: "none", query: () => "" },
    { says: "garbage", query: () => "?token=abc.def.ghi" },
    {
      says: "another secret's",
      query: () => `?token=${token({ action: ["publish", "play"], key: "jwt/**" }, "another secret altogether")}`,
    },
    {
      says: "an expired one",
      query: () => `?token=${token({ action: ["publish", "play"], key: "jwt/**", exp: 1_000_000 })}`,
    },
    {
      says: "one for another stream",
      query: () => `?token=${token({ action: ["publish", "play"], key: "jwt/other" })}`,
    },
    { says: "one for another action", query: () => `?token=${token({ action: "watch", key: "jwt/**" })}` },
  ] as const;
  for (const { says, query } of WRONG) {
    test(`the wrong token is refused: ${says}`, async () => {
      await assertRefused("jwt", `cam${query()}`, /./);
      const web = await watchHttp(server.http(`/jwt/cam.flv${query()}`));
      assert.equal(web.status, says === "none" ? 401 : 403);
      await assert.rejects(watchWebSocket(server.http(`/jwt/cam.flv${query()}`).replace("http:", "ws:")), /40[13]/);
      assert.deepEqual(await server.streams(), []);
    });
  }
});

describe("signed URLs", () => {
  test("what `sluice sign` prints publishes and plays; for the other action, changed or bare it is refused", async () => {
    const publish = (await signed("publish", "signed/cam")).slice("signed/".length);
    const play = await signed("play", "signed/cam");
    await using publisher = await peer("signed");
    await publisher.publish(publish);
    await publisher.sendAll(units.slice(0, 40));
    const [path, query] = play.split("?");
    await using viewer = await watchHttp(server.http(`/${path}.flv?${query}`));
    assert.equal(viewer.status, 200);
    await viewer.heardUnits(20);
    await assertRefused("signed", "cam", /token/i);
    await using thief = await peer("signed");
    thief.play(publish);
    await thief.status("NetStream.Play.Failed");
    assert.equal((await watchHttp(server.http(`/signed/other.flv?${query}`))).status, 403);
    assert.equal((await watchHttp(server.http(`/${path}.flv?${query?.replace("expires=", "expires=9")}`))).status, 403);
    assert.equal(publisher.isClosed, false);
  });
});

describe("hooks", () => {
  test("allow, deny with a reason, redirect where a protocol can, and hear of every end", async () => {
    await using publisher = await peer("hook?from=studio");
    await publisher.publish("cam");
    await publisher.sendAll(units.slice(0, 40));
    await using viewer = await watchHttp(server.http("/hook/cam.flv?seat=7"));
    await viewer.heardUnits(20);
    const question = asked.find(({ path }) => path === "/publish")?.body;
    assert.deepEqual([question?.["key"], question?.["app"], question?.["action"]], ["hook/cam", "hook", "publish"]);
    assert.match(JSON.stringify(asked.find(({ path }) => path === "/play")?.body), /seat/);
    await assertRefused("hook", "denied", /not on a Sunday/);
    const moved = await watchHttp(server.http("/hook/moved.flv"));
    assert.equal(moved.status, 307);
    assert.equal(moved.headers["location"], "rtmp://127.0.0.1:1/elsewhere/cam");
    publisher.leave();
    await viewer.ended;
    const told = await until("both reports", () => {
      const done = asked.filter(({ path, body }) => path === "/done" && body["key"] === "hook/cam");
      return done.length >= 2 ? done : undefined;
    });
    assert.deepEqual(new Set(told.map(({ body }) => body["action"])), new Set(["play", "publish"]));
    assert.ok(told.every(({ body }) => Number(body["durationMs"]) >= 0));
  });

  test("a hook that does not answer refuses, and lets in where it is to fail open", async () => {
    const dead = ["auth.publish=hook", "auth.hooks.publish=http://127.0.0.1:9/x", "auth.hooks.timeout=300ms"];
    for (const failOpen of [false, true]) {
      await using other = await startServer({ set: [...dead, `auth.hooks.failOpen=${failOpen}`] });
      await using publisher = await connectPeer({ port: other.port(), app: "live" });
      publisher.engine.publish("cam");
      publisher.flush();
      await publisher.status(failOpen ? "NetStream.Publish.Start" : "NetStream.Publish.Denied");
    }
  });

  test("a connect hook refuses the connection, and redirects it with 302 where so configured", async () => {
    const answers = createServer((_request, response) =>
      response.writeHead(302, { Location: "rtmp://127.0.0.1:1935/live" }).end(),
    );
    await new Promise<void>((resolve) => answers.listen(0, "127.0.0.1", resolve));
    const ask = `auth.hooks.connect=http://127.0.0.1:${(answers.address() as AddressInfo).port}/`;
    for (const follows of [true, false]) {
      await using other = await startServer({ set: [ask, `redirect.rtmp302=${follows}`] });
      await using client = await openPeer({ port: other.port(), app: "live" });
      const rejected = await client.heard("a rejection", (event) =>
        event.type === "connect-rejected" ? event : undefined,
      );
      assert.equal(rejected.code, "NetConnection.Connect.Rejected");
      assert.equal(rejected.redirect, follows ? "rtmp://127.0.0.1:1935/live" : undefined);
      await client.closed;
    }
    await new Promise((resolve) => answers.close(resolve));
  });
});

describe("addresses and numbers", () => {
  test("a network that may not play may still publish", async () => {
    await using other = await startServer({ set: ["auth.address.playDeny=127.0.0.0/8"] });
    await using publisher = await connectPeer({ port: other.port(), app: "live" });
    await publisher.publish("cam");
    await using player = await connectPeer({ port: other.port(), app: "live" });
    player.play("cam");
    await player.status("NetStream.Play.Failed");
    assert.equal((await watchHttp(other.http("/live/cam.flv"))).status, 403);
    assert.equal(await other.metric("sluice_play_refused_total", 'protocol="rtmp"'), 1);
    assert.equal(await other.metric("sluice_play_refused_total", 'protocol="http-flv"'), 1);
  });

  test("connections of one address beyond their limit are closed unheard, and counted", async () => {
    await using other = await startServer({ set: ["limits.exempt=10.0.0.0/8", "limits.connectionsPerAddress=6"] });
    const peers: RawPeer[] = [];
    const closed = await until("a refused connection", async () => {
      peers.push(await openRaw(other.port()));
      return peers.find(({ isClosed }) => isClosed);
    });
    assert.equal(closed.received.length, 0);
    assert.ok(peers.length > 6);
    for (const one of peers) await one[Symbol.asyncDispose]();
    await until("the count", async () =>
      (await other.metric("sluice_connections_refused_total").catch(() => 0)) > 0 ? true : undefined,
    );
  });

  test("publishers, streams and viewers beyond their limits are refused with a reason", async () => {
    await using other = await startServer({
      set: ["limits.publishers=1", "limits.viewersPerStream=1", "limits.waitingStreams=1"],
    });
    const open = (): Promise<RtmpPeer> => connectPeer({ port: other.port(), app: "live" });
    await using publisher = await open();
    await publisher.publish("one");
    await using second = await open();
    second.engine.publish("two");
    second.flush();
    await second.status("NetStream.Publish.Denied");
    await using viewer = await open();
    viewer.play("one");
    await viewer.status("NetStream.Play.Start");
    await using crowd = await open();
    crowd.play("one");
    await crowd.status("NetStream.Play.Failed");
    await using waiting = await open();
    waiting.play("three");
    await waiting.status("NetStream.Play.Start");
    await using stranger = await open();
    stranger.play("four");
    await stranger.status("NetStream.Play.Failed");
    assert.deepEqual([publisher.isClosed, viewer.isClosed, waiting.isClosed], [false, false, false]);
  });
});
