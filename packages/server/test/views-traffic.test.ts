/** Totals of the node: traffic while viewers play and after they left, streams while they live and after they ended. */
import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import { WebSocket } from "ws";
import { until } from "@sluice/testkit/until";
import { AVC_DELTA, openPublisher, openServer, RtmpPeer, type RunningServer, sendGop } from "./sessions-fixture.ts";

const trafficOf = async (server: RunningServer): Promise<{ bytesIn: number; bytesOut: number }> =>
  ((await server.get("/api/v1/nodes")) as { nodes: { bytesIn: number; bytesOut: number }[] }).nodes[0] ?? {
    bytesIn: 0,
    bytesOut: 0,
  };

/** Opens a viewer of live/cam; counts what reaches it. */
const VIEWERS = {
  rtmp(server) {
    const peer = new RtmpPeer(server.rtmpPort).play("cam");
    return { heard: () => peer.socket.bytesRead, close: () => peer.socket.destroy() };
  },
  http(server) {
    const socket = connect(server.httpPort, "127.0.0.1").resume();
    socket.write("GET /live/cam.flv HTTP/1.1\r\nHost: box\r\n\r\n");
    return { heard: () => socket.bytesRead, close: () => socket.destroy() };
  },
  webSocket(server) {
    let count = 0;
    const webSocket = new WebSocket(`ws://127.0.0.1:${server.httpPort}/live/cam.flv`);
    webSocket.on("message", (bytes: Buffer) => {
      count += bytes.length;
    });
    return { heard: () => count, close: () => webSocket.close() };
  },
} satisfies Record<string, (server: RunningServer) => { heard: () => number; close: () => void }>;

for (const [name, open] of Object.entries(VIEWERS)) {
  test(`[VIE1] what a viewer over ${name} is sent counts while it plays, and once when it has left`, async () => {
    await using server = await openServer(["delivery.window=0"]);
    await using publisher = await openPublisher(server.rtmpPort, "cam");
    sendGop(publisher);
    const viewer = open(server);
    await until("the set-up", () => viewer.heard() > 60);
    const before = await trafficOf(server);
    const heardBefore = viewer.heard();
    const big = new Uint8Array(50_000);
    big.set(AVC_DELTA);
    for (let i = 0; i < 10; i++) publisher.send("video", 1000 + i, big);
    await until("the frames", () => viewer.heard() - heardBefore > 500_000);
    const playing = await trafficOf(server);
    assert.ok(playing.bytesOut - before.bytesOut >= 500_000, `${playing.bytesOut - before.bytesOut} bytes out`);
    assert.ok(playing.bytesIn - before.bytesIn >= 500_000, `${playing.bytesIn - before.bytesIn} bytes in`);
    viewer.close();
    await until("nobody", async () => (await server.metric("viewers")) === 0);
    const after = await trafficOf(server);
    assert.ok(after.bytesOut - playing.bytesOut < 5_000, `${after.bytesOut - playing.bytesOut} bytes at the end`);
  });
}

test("[VIE2] metrics hold what streams took in, dropped and gave out, those of ended streams included", async () => {
  await using server = await openServer(["grace.windowMs=0"]);
  const publisher = await openPublisher(server.rtmpPort, "cam");
  publisher.send("video", 0, AVC_DELTA); // no set-up came
  sendGop(publisher);
  await using player = new RtmpPeer(server.rtmpPort).play("cam");
  await until("frames", () => player.media.length >= 5);
  const frames = await server.metric("ingest_frames_total");
  assert.equal(frames, 6);
  assert.equal(await server.metric("ingest_frames_without_config_total"), 1);
  player.socket.destroy();
  await publisher[Symbol.asyncDispose]();
  await until("no stream", async () => (await server.metric("streams")) === 0);
  const again = await openPublisher(server.rtmpPort, "cam");
  sendGop(again);
  await until(
    "the frames of both publications",
    async () => (await server.metric("ingest_frames_total")) === frames + 5,
  );
  assert.ok((await server.metric("delivery_bytes_total")) > 0);
  assert.ok((await server.metric("delivery_writes_total")) > 0);
  await again[Symbol.asyncDispose]();
});

test("[VIE3] rows tell the publisher, the codecs and the viewers of a stream, and the role of a session", async () => {
  await using server = await openServer();
  await using publisher = await openPublisher(server.rtmpPort, "room/cam");
  sendGop(publisher);
  await using player = new RtmpPeer(server.rtmpPort, { app: "live/room" }).play("cam");
  await until("frames", () => player.media.length >= 5);
  const row = (await server.get("/api/v1/streams/live/room/cam")) as Record<string, unknown>;
  assert.deepEqual([row["app"], row["state"], row["viewers"]], ["live", "live", { here: 1, all: 1 }]);
  assert.deepEqual((row["video"] as { codec: string }).codec, "avc1");
  assert.deepEqual((row["audio"] as { codec: string }).codec, "mp4a");
  const { sessions } = (await server.get("/api/v1/sessions")) as { sessions: Record<string, string>[] };
  assert.deepEqual(
    sessions.map(({ role, key, app, address, protocol }) => [role, key, app, address, protocol]),
    [
      ["publisher", "live/room/cam", "live", "127.0.0.1", "rtmp"],
      ["player", "live/room/cam", "live", "127.0.0.1", "rtmp"],
    ],
  );
});

test("[VIE4] a test pattern is a publisher of protocol internal, without a session, and ends on request", async () => {
  await using server = await openServer(["grace.windowMs=0"]);
  const url = `http://127.0.0.1:${server.httpPort}/api/v1/test-patterns`;
  assert.equal((await fetch(url, { method: "POST" })).status, 201);
  assert.equal((await fetch(url, { method: "POST" })).status, 200);
  const row = (await server.get("/api/v1/streams/demo/test-pattern")) as { publisher: object };
  assert.deepEqual(row.publisher, { sessionId: "", protocol: "internal", address: "", agent: "test pattern" });
  assert.deepEqual(await server.get("/api/v1/sessions"), { sessions: [], total: 0 });
  assert.equal((await fetch(`${url}/demo/test-pattern`, { method: "DELETE" })).status, 204);
  await until("no stream", async () => (await server.metric("streams")) === 0);
});
