/** Listeners: ports that cannot be had, encrypted ones, RTMP inside WebSocket, pages of other origins, captures. */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { connect as connectTls } from "node:tls";
import { WebSocket } from "ws";
import { CorsRules } from "@sluice/server/http/cors";
import { listen, ListenError } from "@sluice/runtime/sockets/listen";
import { until } from "@sluice/testkit/until";
import { openPublisher, openServer, RtmpPeer, sendGop } from "./sessions-fixture.ts";
import { TEST_CERT, TEST_KEY } from "../../runtime/test/tls-fixture.ts";

/** A folder that goes with its test. */
function openFolder(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), "sluice-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

test("[LST9] a port that another program has is told by listener, address and reason", async () => {
  const [taken, late] = [createServer(), createServer()];
  const at = { listener: "rtmp", host: "127.0.0.1", failed: () => {} };
  const bound = await listen(taken, { ...at, port: 0 });
  const port = Number(bound.split(":")[1]);
  await assert.rejects(
    listen(late, { ...at, port }),
    (error: unknown) =>
      error instanceof ListenError &&
      error.code === "UNAVAILABLE_LISTEN" &&
      error.message === `Cannot listen for rtmp on 127.0.0.1:${port}: another program has the port`,
  );
  const failures: Error[] = [];
  const other = createServer();
  await listen(other, { ...at, port: 0, failed: (error) => failures.push(error) });
  other.emit("error", new Error("accept EMFILE"));
  assert.equal(failures.length, 1, "a failed accept ends nothing");
  await assert.rejects(openServer([`rtmp.port=${port}`]), { code: "UNAVAILABLE_LISTEN" });
  for (const server of [taken, other]) server.close();
});

test("[LST10] an IPv6 listener says its address in brackets", async (t) => {
  const server = createServer();
  const bound = await listen(server, { listener: "rtmp", host: "::1", port: 0, failed: () => {} }).catch(
    () => undefined,
  );
  if (bound === undefined) return t.skip("no IPv6 here");
  assert.match(bound, /^\[::1\]:\d+$/);
  server.close();
});

test("[LST11] RTMP inside WebSocket plays like RTMP; text ends it", async () => {
  await using server = await openServer();
  await using publisher = await openPublisher(server.rtmpPort, "cam");
  sendGop(publisher);
  const url = `ws://127.0.0.1:${server.httpPort}/live`;
  const webSocket = new WebSocket(url, "rtmp");
  await new Promise((resolve) => webSocket.once("open", resolve));
  assert.equal(webSocket.protocol, "rtmp");
  let heard = 0;
  webSocket.on("message", (bytes: Buffer) => {
    heard += bytes.length;
  });
  webSocket.send(Buffer.concat([Buffer.of(3), Buffer.alloc(1536)]));
  await until("the handshake", () => heard >= 3073);
  const { sessions } = (await server.get("/api/v1/sessions")) as { sessions: { protocol: string }[] };
  assert.ok(sessions.some(({ protocol }) => protocol === "rtmp-ws"));
  const closed = new Promise<number>((resolve) => webSocket.once("close", (code) => resolve(code)));
  webSocket.send("words");
  assert.equal(await closed, 1003);
});

test("[LST12] RTMPS and HTTPS carry the same streams; a handshake that fails is counted", async () => {
  using folder = openFolder();
  const [cert, key] = [join(folder.path, "cert.pem"), join(folder.path, "key.pem")];
  writeFileSync(cert, TEST_CERT);
  writeFileSync(key, TEST_KEY, { mode: 0o600 });
  await using server = await openServer(["rtmps.port=0", "https.port=0", `tls.cert=${cert}`, `tls.key=${key}`]);
  await using publisher = await openPublisher(server.rtmpPort, "cam");
  sendGop(publisher);
  const socket = connectTls({ port: server.portOf("https"), host: "127.0.0.1", rejectUnauthorized: false });
  let heard = "";
  socket.on("data", (bytes) => {
    heard += bytes.toString("latin1");
  });
  socket.write("GET /live/cam.flv HTTP/1.1\r\nHost: box\r\n\r\n");
  await until(`the stream over TLS: ${heard.length}`, () => heard.split("FLV\x01\x05")[1]?.length === 8 + 131);
  const { sessions } = (await server.get("/api/v1/sessions")) as { sessions: { protocol: string; bytesOut: number }[] };
  const row = sessions.find(({ protocol }) => protocol === "http-flv");
  assert.ok((row?.bytesOut ?? 0) >= heard.length - 10, `${row?.bytesOut} bytes out, ${heard.length} heard`);
  socket.destroy();
  await using plain = new RtmpPeer(server.portOf("rtmps"));
  await plain.closed;
  await until("the failure counted", async () => (await server.metric('tls_failures_total{listener="rtmps"}')) === 1);
  await until("the viewer gone", async () => (await server.metric("viewers")) === 0);
});

test("[LST13] pages of configured origins may read streams, others may not, programs may", () => {
  const some = new CorsRules(["https://a.example"]);
  assert.deepEqual(some.headersFor("https://a.example"), {
    "Access-Control-Allow-Origin": "https://a.example",
    Vary: "Origin",
  });
  assert.deepEqual(some.headersFor("https://b.example"), { Vary: "Origin" });
  assert.deepEqual(some.headersFor(undefined), { Vary: "Origin" });
  assert.deepEqual(
    [some.allowsPage("https://a.example"), some.allowsPage("null"), some.allowsPage(undefined)],
    [true, false, true],
  );
  const all = new CorsRules(["*"]);
  assert.deepEqual(all.headersFor("https://b.example"), { "Access-Control-Allow-Origin": "*" });
  assert.equal(all.allowsPage("https://b.example"), true);
});

test("[LST14] captures are written where asked for; a folder that cannot be made touches no connection", async () => {
  using folder = openFolder();
  await using good = await openServer([`capture.dir=${join(folder.path, "captures")}`]);
  const peer = await openPublisher(good.rtmpPort, "cam");
  await peer[Symbol.asyncDispose]();
  await until("the capture", () => readdirSync(join(folder.path, "captures")).length === 1);
  const file = join(folder.path, "file");
  writeFileSync(file, "");
  await using bad = await openServer([`capture.dir=${join(file, "captures")}`]);
  await using other = await openPublisher(bad.rtmpPort, "cam");
  assert.equal(other.isClosed, false);
});

test("[LST15] a connection that is refused or gone gives its place back", async () => {
  await using server = await openServer(["limits.connections=3"]);
  for (let i = 0; i < 6; i++) {
    await using peer = new RtmpPeer(server.rtmpPort);
    await until("an answer", () => peer.events.length > 0);
    peer.socket.destroy();
    await peer.closed;
    await until("the end", async () => (await server.metric("sessions")) === 0);
  }
  await using one = new RtmpPeer(server.rtmpPort).play("a");
  await one.status("NetStream.Play.Start");
});
