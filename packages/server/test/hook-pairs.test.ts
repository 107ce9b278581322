/** Hooks that count: whatever becomes of a publish or play that was allowed, its end is told, and told once. */
import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import type { MessageStreamId } from "@sluice/rtmp/ids";
import { WebSocket } from "ws";
import { until } from "@sluice/testkit/until";
import { openHook } from "./guard-fixture.ts";
import { openPublisher, openServer, RtmpPeer, type RunningServer, sendGop, talk } from "./sessions-fixture.ts";

/** A server whose hooks allow everything, and the tally of what they allowed and heard the end of. */
async function openCounted(
  more: readonly string[] = [],
  { isHeld, status = 200 }: { readonly isHeld: boolean; readonly status?: number } = { isHeld: false },
) {
  const waiting: (() => void)[] = [];
  const questions = await openHook((response) => {
    const answer = (): void => void response.writeHead(status).end();
    if (isHeld) waiting.push(answer);
    else answer();
  });
  const ends = await openHook((response) => response.writeHead(200).end());
  const asks = ["publish", "play"].flatMap((action) => [
    `auth.${action}=hook`,
    `auth.hooks.${action}=${questions.url}`,
  ]);
  const server = await openServer([...asks, `auth.hooks.done=${ends.url}`, ...more]);
  const tellingOf = ({ body }: { readonly body: Record<string, unknown> }): string =>
    ["action", "protocol", "key", "sessionId"].map((name) => body[name]).join(" ");
  return {
    server,
    waiting,
    questions,
    ends,
    reasons: (): unknown[] => ends.heard.map(({ body }) => body["reason"]),
    /** Ends everything, and compares. */
    async assertPairs(allowed: number): Promise<void> {
      await server.stop();
      assert.deepEqual(ends.heard.map(tellingOf).sort(), questions.heard.map(tellingOf).sort());
      assert.equal(ends.heard.length, allowed);
    },
    async [Symbol.asyncDispose](): Promise<void> {
      await server.stop();
      await questions[Symbol.asyncDispose]();
      await ends[Symbol.asyncDispose]();
    },
  };
}

const ask = (server: RunningServer, method: string, path: string, ...headers: string[]): Promise<string> =>
  talk(
    server.httpPort,
    `${[`${method} ${path} HTTP/1.1`, "Host: box", "Connection: close", ...headers].join("\r\n")}\r\n\r\n`,
  );

test("[SES150] a publish and a play that run and end", async () => {
  await using counted = await openCounted();
  const { server } = counted;
  const publisher = await openPublisher(server.rtmpPort, "cam");
  sendGop(publisher);
  await using player = new RtmpPeer(server.rtmpPort).play("cam");
  await player.status("NetStream.Play.Start");
  await using viewer = await openViewer(server, "/live/cam.flv");
  await publisher[Symbol.asyncDispose]();
  await viewer[Symbol.asyncDispose]();
  await counted.assertPairs(3);
});

async function openViewer(server: RunningServer, path: string): Promise<AsyncDisposable> {
  const socket = connect({ port: server.httpPort, host: "127.0.0.1" });
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  socket.on("error", () => {});
  let heard = "";
  socket.on("data", (bytes) => {
    heard += bytes.toString("latin1");
  });
  socket.write(`GET ${path} HTTP/1.1\r\nHost: box\r\n\r\n`);
  await until("an answer", () => heard.startsWith("HTTP/1.1 200"));
  return {
    [Symbol.asyncDispose]() {
      socket.destroy();
      return closed;
    },
  };
}

test("[SES150] a stream that is taken, and publishers beyond their limit", async () => {
  await using counted = await openCounted(["limits.publishers=2"]);
  const { server } = counted;
  await using _first = await openPublisher(server.rtmpPort, "cam");
  await using second = new RtmpPeer(server.rtmpPort).publish("cam");
  await second.status("NetStream.Publish.BadName");
  await using _other = await openPublisher(server.rtmpPort, "other");
  await using third = new RtmpPeer(server.rtmpPort).publish("third");
  await third.status("NetStream.Publish.Denied");
  await until("the ends of those that were refused", () => counted.reasons().length === 2);
  assert.deepEqual(new Set(counted.reasons()), new Set(["limit", "taken"]));
  await counted.assertPairs(4);
});

test("[SES150] a publisher that another one replaces, and one that does both on one connection", async () => {
  await using counted = await openCounted(["publish.policy=replace"]);
  const { server } = counted;
  await using first = await openPublisher(server.rtmpPort, "cam");
  await using second = await openPublisher(server.rtmpPort, "cam");
  await first.status("NetStream.Publish.BadName");
  second.play("cam");
  await second.status("NetStream.Play.Start");
  second.tell("closeStream");
  await counted.assertPairs(3);
});

test("[SES150] HEAD, and streams that are not there", async () => {
  await using counted = await openCounted(["play.httpWait=0", "play.wait=0"]);
  const { server } = counted;
  await using publisher = await openPublisher(server.rtmpPort, "cam");
  sendGop(publisher);
  assert.match(await ask(server, "HEAD", "/live/cam.flv"), /^HTTP\/1.1 200 /);
  assert.match(await ask(server, "HEAD", "/live/none.flv"), /^HTTP\/1.1 404 /);
  assert.match(await ask(server, "GET", "/live/none.flv"), /^HTTP\/1.1 404 /);
  await using player = new RtmpPeer(server.rtmpPort).play("none");
  await player.status("NetStream.Play.StreamNotFound");
  await until("their ends", () => counted.reasons().length === 4);
  assert.deepEqual(counted.reasons(), ["head", "not-found", "not-found", "not-found"]);
  await counted.assertPairs(5);
});

test("[SES150] HEAD for a stream that viewers could wait for", async () => {
  await using counted = await openCounted(["play.httpWait=forever"]);
  assert.match(await ask(counted.server, "HEAD", "/live/none.flv"), /^HTTP\/1.1 404 /);
  await counted.assertPairs(1);
});

test("[SES150] streams and viewers beyond their limits, over every protocol", async () => {
  const limits = ["limits.waitingStreams=1", "limits.viewersPerStream=1", "play.httpWait=forever"];
  await using counted = await openCounted(limits);
  const { server } = counted;
  await using publisher = await openPublisher(server.rtmpPort, "cam");
  sendGop(publisher);
  await using _viewer = await openViewer(server, "/live/cam.flv");
  await using _waiting = await openViewer(server, "/live/spare.flv");
  const playing = ["cam", "other"].map((name) => new RtmpPeer(server.rtmpPort).play(name));
  for (const player of playing) await player.status("NetStream.Play.Failed");
  for (const name of ["cam", "other"]) {
    await ask(server, "GET", `/live/${name}.flv`);
    const socket = new WebSocket(`ws://127.0.0.1:${server.httpPort}/live/${name}.flv`);
    await new Promise((resolve) => {
      socket.on("error", resolve);
      socket.on("close", resolve);
    });
  }
  for (const player of playing) await player[Symbol.asyncDispose]();
  await counted.assertPairs(9);
});

test("[SES150] an upgrade that turns out to be no WebSocket", async () => {
  await using counted = await openCounted(["play.httpWait=forever"]);
  const answer = await ask(counted.server, "GET", "/live/cam.flv", "Upgrade: websocket", "Connection: Upgrade");
  assert.match(answer, /^HTTP\/1.1 4/);
  await counted.assertPairs(1);
});

const LEAVERS: readonly (readonly [says: string, leave: (server: RunningServer) => Promise<() => void>])[] = [
  ["a publisher", async (server) => rtmpLeaver(new RtmpPeer(server.rtmpPort).publish("cam"))],
  ["a player", async (server) => rtmpLeaver(new RtmpPeer(server.rtmpPort).play("cam"))],
  ["a viewer over HTTP", async (server) => httpLeaver(server, "")],
  ["a viewer over WebSocket", async (server) => httpLeaver(server, "Upgrade: websocket\r\nConnection: Upgrade\r\n")],
];

const rtmpLeaver =
  ({ socket }: RtmpPeer): (() => void) =>
  () =>
    socket.destroy();

function httpLeaver({ httpPort }: RunningServer, more: string): () => void {
  const socket = connect({ port: httpPort, host: "127.0.0.1" });
  const proof = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";
  socket.write(`GET /live/cam.flv HTTP/1.1\r\nHost: box\r\n${more}${proof}\r\n`);
  return () => socket.destroy();
}

for (const [says, open] of LEAVERS) {
  test(`[SES150] ${says} that leaves while its hook thinks`, async () => {
    await using counted = await openCounted(["play.httpWait=forever"], { isHeld: true });
    const { server, waiting } = counted;
    const leave = await open(server);
    await until("the question", () => waiting.length === 1);
    leave();
    await until("its session to end", async () => (await server.metric("sessions")) === 0);
    waiting[0]?.();
    await until("the end", () => counted.reasons().length === 1);
    await counted.assertPairs(1);
  });
}

/** A socket that waits to become a WebSocket is not read, so that its end is not seen. */
for (const [says, open] of LEAVERS.slice(0, 3)) {
  test(`[SES320] ${says} that has left when its hook says no`, async () => {
    await using counted = await openCounted([], { isHeld: true, status: 403 });
    const { server, waiting } = counted;
    const leave = await open(server);
    await until("the question", () => waiting.length === 1);
    leave();
    await until("its session to end", async () => (await server.metric("sessions")) === 0);
    waiting[0]?.();
    const page = async (): Promise<string> => (await fetch(`http://127.0.0.1:${server.httpPort}/metrics`)).text();
    await until("the verdict", async () => /guard_verdicts_total\{.*hook-denied/.test(await page()));
    assert.deepEqual((await page()).match(/^sluice_(play|publish)_refused_total.*$/gm), null);
  });
}

test("[SES150] requests on one message stream that others overtake", async () => {
  await using counted = await openCounted([], { isHeld: true });
  const { server, waiting } = counted;
  await using player = new RtmpPeer(server.rtmpPort).play("first");
  await until("the first question", () => waiting.length === 1);
  for (const name of ["a", "b"]) player.engine.tellStream(1 as MessageStreamId, "play", [name]);
  player.flush();
  await until("the others to arrive", async () => (await bytesIn(server)) === player.socket.bytesWritten);
  waiting[0]?.();
  await until("the last question", () => waiting.length === 2);
  waiting[1]?.();
  await player.status("NetStream.Play.Start");
  await counted.assertPairs(2);
});

async function bytesIn(server: RunningServer): Promise<number> {
  const { sessions } = (await server.get("/api/v1/sessions")) as {
    readonly sessions: readonly { readonly bytesIn: number }[];
  };
  return sessions[0]?.bytesIn ?? 0;
}

test("[SES150] a server that stops while hooks think", async () => {
  await using counted = await openCounted(["shutdown.timeout=1s", "auth.hooks.timeout=20s"], { isHeld: true });
  const { server, waiting } = counted;
  await using _publisher = new RtmpPeer(server.rtmpPort).publish("cam");
  await until("the question", () => waiting.length === 1);
  const stopped = server.stop();
  waiting[0]?.();
  await stopped;
  await counted.assertPairs(1);
});

async function appsOf(server: RunningServer): Promise<readonly string[]> {
  const { sessions } = (await server.get("/api/v1/sessions")) as {
    readonly sessions: readonly { readonly app: string }[];
  };
  return sessions.map(({ app }) => app);
}

test("[SES151] a hook hears names as the server lists them, at connect, too", async () => {
  await using hook = await openHook((response) => response.writeHead(200).end());
  const asks = ["connect", "publish"].map((action) => `auth.hooks.${action}=${hook.url}`);
  await using server = await openServer([...asks, "auth.publish=hook"]);
  await using _publisher = await openPublisher(server.rtmpPort, "c%61m?x=1", { app: "//caf%C3%A9/room?token=a/b" });
  assert.deepEqual(
    hook.heard.map(({ body }) => [body["event"], body["app"], body["key"], body["query"]]),
    [
      ["connect", "caf\u00e9", "", { token: "a/b" }],
      ["publish", "caf\u00e9", "caf\u00e9/room/cam", { token: "a/b", x: "1" }],
    ],
  );
  await using _idle = new RtmpPeer(server.rtmpPort, { app: "//caf%C3%A9/room" });
  await until("both sessions", async () => (await appsOf(server)).length === 2);
  await until("the applications' names", async () => (await appsOf(server)).every((app) => app === "caf\u00e9"));
});
