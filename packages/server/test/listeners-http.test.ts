/** FLV over HTTP and WebSocket against a whole server: what is answered, what is refused, and what stays behind: nothing. */
import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import { WebSocket } from "ws";
import { until } from "@sluice/testkit/until";
import { openHook } from "./guard-fixture.ts";
import { AVC_DELTA, openPublisher, openServer, type RtmpPeer, sendGop, talk } from "./sessions-fixture.ts";

const request = (method: string, path: string, ...headers: readonly string[]): string =>
  `${[`${method} ${path} HTTP/1.1`, "Host: box", ...headers].join("\r\n")}\r\n\r\n`;

const statusOf = (heard: string): number => Number(heard.split(" ")[1]);

const headerOf = (heard: string, name: string): string | undefined =>
  new RegExp(`^${name}: (.*)\r$`, "im").exec(heard.split("\r\n\r\n")[0] ?? "")?.[1];

/** Tags of an FLV body in latin1: kind and time of each. */
function tagsOf(flv: string): [number, number][] {
  const bytes = Buffer.from(flv, "latin1");
  const tags: [number, number][] = [];
  for (let at = 13; at + 15 <= bytes.length; at += 15 + bytes.readUIntBE(at + 1, 3))
    tags.push([bytes[at] ?? 0, bytes.readUIntBE(at + 4, 3)]);
  return tags;
}

/** Sends a frame every 5 ms until disposed. */
function keepSending(peer: RtmpPeer): Disposable {
  let time = 10_000;
  const timer = setInterval(() => peer.send("video", time++, AVC_DELTA), 5);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

const VIDEO_X_FLV = "video/x-flv";

test("[LST1] a viewer over HTTP gets a head without length, the FLV header, set-up and frames; then nothing is a request", async () => {
  await using server = await openServer();
  await using publisher = await openPublisher(server.rtmpPort, "cam");
  sendGop(publisher, 40);
  const twice = request("GET", "/live/cam.flv?a=b") + request("GET", "/healthz");
  using _sending = keepSending(publisher);
  const socket = connect({ port: server.httpPort, host: "127.0.0.1" });
  let heard = "";
  socket.on("data", (bytes) => {
    heard += bytes.toString("latin1");
  });
  socket.write(twice);
  await until("frames", () => heard.length > 500);
  socket.write(request("GET", "/healthz"));
  const before = heard.length;
  await until("more frames", () => heard.length > before + 1_000);
  socket.destroy();
  assert.equal(statusOf(heard), 200);
  assert.equal(headerOf(heard, "Content-Type"), VIDEO_X_FLV);
  assert.equal(headerOf(heard, "Content-Length"), undefined);
  const body = heard.slice(heard.indexOf("\r\n\r\n") + 4);
  assert.equal(body.slice(0, 13), "FLV\x01\x05\x00\x00\x00\x09\x00\x00\x00\x00");
  assert.deepEqual(tagsOf(body).slice(0, 5), [
    [9, 40],
    [8, 40],
    [9, 40],
    [9, 80],
    [9, 120],
  ]);
  assert.equal(heard.split("HTTP/1.1").length - 1, 1, "one answer only");
  assert.ok(tagsOf(body).every(([type]) => type === 8 || type === 9));
});

test("[LST2] HEAD, OPTIONS, other methods, illegal names and absent streams have their answers", async () => {
  await using server = await openServer(["play.httpWait=0", "http.cors.origins=https://page.example"]);
  await using publisher = await openPublisher(server.rtmpPort, "cam");
  sendGop(publisher);
  const ask = (method: string, path: string): Promise<string> =>
    talk(server.httpPort, request(method, path, "Origin: https://page.example", "Connection: close"));
  const head = await ask("HEAD", "/live/cam.flv");
  assert.deepEqual([statusOf(head), headerOf(head, "Content-Type")], [200, VIDEO_X_FLV]);
  assert.equal(headerOf(head, "Access-Control-Allow-Origin"), "https://page.example");
  assert.equal(head.split("\r\n\r\n")[1], "");
  assert.equal(statusOf(await ask("HEAD", "/live/other.flv")), 404);
  const options = await ask("OPTIONS", "/live/cam.flv");
  assert.equal(statusOf(options), 204);
  assert.match(headerOf(options, "Access-Control-Allow-Headers") ?? "", /Authorization/);
  const post = await ask("POST", "/live/cam.flv");
  assert.deepEqual([statusOf(post), headerOf(post, "Allow")], [405, "GET, HEAD, OPTIONS"]);
  assert.equal(statusOf(await ask("GET", "/live/../cam.flv")), 404);
  assert.equal(statusOf(await ask("GET", "/live/other.flv")), 404);
  assert.equal(await server.metric('play_refused_total{protocol="http-flv",reason="not-found"}'), 2);
  assert.equal(((await server.get("/api/v1/streams")) as { streams: object[] }).streams.length, 1);
});

test("[LST3] without a token 401 names the way, and a hook's redirect is 307", async () => {
  await using hook = await openHook((response) =>
    response.writeHead(302, { Location: "http://other.example/x.flv" }).end(),
  );
  await using server = await openServer([
    "auth.play=jwt",
    "auth.jwt.secret=0123456789abcdef0123456789abcdef",
    "applications.moved.auth.play=hook",
    `auth.hooks.play=${hook.url}`,
  ]);
  const refused = await talk(server.httpPort, request("GET", "/live/cam.flv"));
  assert.deepEqual([statusOf(refused), headerOf(refused, "WWW-Authenticate")], [401, 'Bearer realm="sluice"']);
  assert.equal(statusOf(await talk(server.httpPort, request("GET", "/live/cam.flv?token=bad"))), 403);
  const moved = await talk(server.httpPort, request("GET", "/moved/x.flv"));
  assert.deepEqual([statusOf(moved), headerOf(moved, "Location")], [307, "http://other.example/x.flv"]);
  assert.equal(await server.metric('play_refused_total{protocol="http-flv",reason="guard"}'), 2);
});

test("[LST4] a viewer that ends its side while frames flow has closed, not failed; its place is free again", async () => {
  await using server = await openServer();
  await using publisher = await openPublisher(server.rtmpPort, "cam");
  sendGop(publisher);
  using _sending = keepSending(publisher);
  for (let i = 1; i <= 3; i++) {
    const socket = connect({ port: server.httpPort, host: "127.0.0.1", allowHalfOpen: true });
    const whenClosed = new Promise((resolve) => socket.once("close", resolve));
    socket.resume();
    socket.write(request("GET", "/live/cam.flv"));
    await until("a viewer", async () => (await server.metric("viewers")) === 1);
    socket.end();
    await until("no viewer", async () => (await server.metric("viewers")) === 0);
    await whenClosed;
    const closed = 'sessions_closed_total{protocol="http-flv",reason="peer-closed"}';
    await until("an orderly end", async () => (await server.metric(closed)) === i);
  }
});

test("[LST5] an upgrade that is no WebSocket, asks for nothing known or comes from a foreign page leaves nothing behind", async () => {
  await using server = await openServer(["http.cors.origins=https://page.example", "play.httpWait=10s"]);
  const upgrade = ["Connection: Upgrade", "Upgrade: websocket"];
  const whole = [...upgrade, "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg=="];
  const status = async (path: string, ...headers: readonly string[]): Promise<number> =>
    statusOf(await talk(server.httpPort, request("GET", path, ...headers)));
  assert.equal(await status("/live/cam.flv", ...upgrade), 400);
  assert.equal(await status("/live/cam", ...whole), 400);
  assert.equal(await status("/live/%00.flv", ...whole), 404);
  assert.equal(await status("/live/cam.flv", ...whole, "Origin: https://evil.example"), 403);
  assert.deepEqual(await server.get("/api/v1/streams"), { streams: [], total: 0, silent: [] });
  assert.equal(await server.metric("sessions"), 0);
});

test("[LST6] a viewer over WebSocket gets binary messages of whole tags and a close code that says why", async () => {
  await using server = await openServer(["grace.windowMs=0"]);
  const publisher = await openPublisher(server.rtmpPort, "cam");
  sendGop(publisher);
  const open = async (): Promise<{ readonly messages: Buffer[]; readonly closed: Promise<[number, string]> }> => {
    const webSocket = new WebSocket(`ws://127.0.0.1:${server.httpPort}/live/cam.flv`);
    const messages: Buffer[] = [];
    webSocket.on("message", (bytes, isBinary) => {
      assert.ok(isBinary);
      messages.push(bytes as Buffer);
    });
    const closed = new Promise<[number, string]>((resolve) => {
      webSocket.on("close", (code, reason) => resolve([code, reason.toString()]));
    });
    await until("FLV header and five tags", () => messages.length >= 6);
    return { messages, closed };
  };
  const viewer = await open();
  assert.equal(viewer.messages[0]?.subarray(0, 3).toString(), "FLV");
  const { sessions } = (await server.get("/api/v1/sessions")) as { sessions: { id: string; protocol: string }[] };
  const id = sessions.find(({ protocol }) => protocol === "ws-flv")?.id ?? "";
  await fetch(`http://127.0.0.1:${server.httpPort}/api/v1/sessions/${id}`, { method: "DELETE" });
  assert.deepEqual(await viewer.closed, [1008, "kicked"]);
  const other = await open();
  await publisher[Symbol.asyncDispose]();
  assert.deepEqual(await other.closed, [1000, "stream-ended"]);
  await until("no stream", async () => (await server.metric("streams")) === 0);
});

test("[LST7] an upgrade to something else is ignored, and a path of the admin side stays there whatever it ends in", async () => {
  await using server = await openServer();
  const h2c = ["Connection: Upgrade, HTTP2-Settings, close", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"];
  assert.equal(
    statusOf(await talk(server.httpPort, request("GET", "/healthz", ...h2c), (heard) => heard.includes("ok"))),
    200,
  );
  await using publisher = await openPublisher(server.rtmpPort, "cam.flv");
  assert.equal(publisher.isClosed, false);
  assert.equal(((await server.get("/api/v1/streams/live/cam.flv")) as { key: string }).key, "live/cam.flv");
});

test("[LST8] whoever finds the stream full is told so and counted", async () => {
  await using server = await openServer(["limits.viewersPerStream=1", "limits.waitingStreams=1", "play.httpWait=10s"]);
  await using publisher = await openPublisher(server.rtmpPort, "cam");
  sendGop(publisher);
  let isDone = false;
  const first = talk(server.httpPort, request("GET", "/live/cam.flv"), () => isDone);
  await until("the first viewer", async () => (await server.metric("viewers")) === 1);
  const second = await talk(server.httpPort, request("GET", "/live/cam.flv"));
  assert.ok(!second.includes("FLV\x01"));
  assert.equal(await server.metric('play_refused_total{protocol="http-flv",reason="limit"}'), 1);
  const waiting = talk(server.httpPort, request("GET", "/live/another.flv"), () => isDone);
  await until("the one that waits", async () => (await server.metric("streams")) === 2);
  assert.equal(statusOf(await talk(server.httpPort, request("GET", "/live/third.flv"))), 503);
  isDone = true;
  await Promise.all([first, waiting]);
});

test("[LST16] a request for a stream that is pipelined behind an unanswered one opens nothing", async () => {
  const held: (() => void)[] = [];
  await using hook = await openHook((response) => held.push(() => response.writeHead(403).end()));
  await using server = await openServer([
    "auth.play=open",
    "applications.slow.auth.play=hook",
    `auth.hooks.play=${hook.url}`,
  ]);
  await using publisher = await openPublisher(server.rtmpPort, "cam");
  sendGop(publisher);
  const both = request("GET", "/slow/x.flv") + request("GET", "/live/cam.flv");
  const heard = talk(server.httpPort, both);
  await until("the question", () => held.length === 1);
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(await server.metric("viewers"), 0);
  held[0]?.();
  assert.equal(statusOf(await heard), 403);
  assert.equal(await server.metric("sessions"), 1);
});
