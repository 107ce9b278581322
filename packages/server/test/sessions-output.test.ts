/** Peers that do not take what they are sent: what they may make the node hold, and how they end. */
import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { test } from "node:test";
import { encodeAmf0Values } from "@sluice/amf/amf0-encode";
import type { ChunkStreamId, MessageStreamId } from "@sluice/rtmp/ids";
import { encodeMessageInto, messageByteCount } from "@sluice/rtmp/chunk-writer";
import { until } from "@sluice/testkit/until";
import {
  AVC_DELTA,
  AVC_HEADER,
  AVC_KEY,
  openPublisher,
  openServer,
  RtmpPeer,
  type RunningServer,
  sendGop,
  talk,
} from "./sessions-fixture.ts";
import { InputScheduler, SLICE_BYTES, SlicedInput } from "@sluice/server/sessions/input-scheduler";
import { FakeClock } from "@sluice/testkit/fake-clock";
import { OUTPUT_LIMITS, type Peer, turns, World } from "./sessions-world.ts";

const READ_BYTES = 64 * 1024;
/** What the peer's side buffers in these tests. */
const KERNEL_BYTES = 16 * 1024;

function message(typeId: number, body: Uint8Array, messageStreamId = 0): Buffer {
  const bytes = Buffer.alloc(messageByteCount(body.length, 0, 128));
  const [chunkStreamId, id] = [3 as ChunkStreamId, messageStreamId as MessageStreamId];
  encodeMessageInto(bytes, 0, { chunkStreamId, typeId, timestamp: 0, messageStreamId: id, body, chunkSize: 128 });
  return bytes;
}

const CALL = message(20, encodeAmf0Values(["x", 7, null]));
const PING = message(4, Uint8Array.from([0, 6, 0, 0, 0, 0]));
const play = (id: number): Buffer => message(20, encodeAmf0Values(["play", 0, null, "cam"]), id);

function u32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** As much as one read brings. */
const readful = (one: Buffer): Buffer => Buffer.concat(Array.from({ length: READ_BYTES / one.length }, () => one));

async function publishGop(publisher: Peer, frameBytes: number, frames = 1): Promise<void> {
  const frame = (head: Uint8Array): Uint8Array => {
    const body = new Uint8Array(frameBytes);
    body.set(head);
    return body;
  };
  await publisher.send(AVC_HEADER);
  await publisher.send(frame(AVC_KEY));
  for (let i = 1; i < frames; i++) await publisher.send(frame(AVC_DELTA), i * 40);
}

for (const [what, one] of [
  ["calls of unknown methods", CALL],
  ["pings", PING],
  ["message streams", message(20, encodeAmf0Values(["createStream", 3, null]))],
] as const) {
  test(`[SES100] who sends ${what} and takes no answer is no longer read above its limit, and ends as stalled`, async () => {
    const world = new World();
    const peer = await world.open(KERNEL_BYTES).connect();
    const onlooker = await (await world.open().connect()).publish("cam");
    await publishGop(onlooker, 100);
    peer.stopReading();
    for (let i = 0; i < 20; i++) {
      await peer.sendRaw(readful(one));
      await world.settle();
    }
    const owed = world.outputs.of(peer.socket).owedBytes;
    assert.ok(owed > OUTPUT_LIMITS.peerBytes - KERNEL_BYTES, `${owed} bytes`);
    assert.ok(owed < OUTPUT_LIMITS.peerBytes + 8 * SLICE_BYTES, `${owed} bytes`);
    assert.ok(peer.near.isPaused());
    await world.pass(14);
    assert.deepEqual(world.ended, []);
    await world.pass(3);
    assert.deepEqual(world.ended, ["stalled"]);
    assert.equal(world.outputs.totalBytes, 0);
    assert.equal(onlooker.session.facts.role, "publisher");
  });
}

test("[SES101] who takes its answers late has every one of them, and is read on", async () => {
  const world = new World();
  const peer = await world.open(KERNEL_BYTES).connect();
  const before = peer.heardBytes;
  await peer.sendRaw(CALL);
  const answerBytes = peer.heardBytes - before;
  peer.stopReading();
  const calls = 40 * Math.floor(READ_BYTES / CALL.length);
  for (let i = 0; i < 40; i++) await peer.sendRaw(readful(CALL));
  await world.pass(10);
  assert.ok(peer.near.isPaused());
  peer.readOn();
  for (let i = 0; i < 500 && peer.heardBytes < (calls + 1) * answerBytes; i++) await world.settle();
  assert.ok(peer.heardBytes >= (calls + 1) * answerBytes);
  await world.pass(1);
  assert.deepEqual([world.ended, world.outputs.totalBytes, peer.near.isPaused()], [[], 0, false]);
});

test("[SES102] plays one after the other burst no more than the limit to who takes nothing", async () => {
  const world = new World();
  const publisher = await (await world.open().connect()).publish("cam");
  await publishGop(publisher, 30_000, 6);
  const peer = await world.open(KERNEL_BYTES).connect();
  peer.stopReading();
  for (let i = 0; i < 60; i++) await peer.sendRaw(play(1 + (i % 3)));
  const owed = world.outputs.of(peer.socket).owedBytes;
  assert.ok(owed > OUTPUT_LIMITS.peerBytes, `${owed} bytes`);
  assert.ok(owed < 5 * OUTPUT_LIMITS.peerBytes, `${owed} bytes, of 60 bursts of 180,000`);
  await world.pass(17);
  assert.deepEqual(world.ended, ["stalled"]);
});

test("[SES103] who is told more and more without taking it is ended at once", async () => {
  const world = new World();
  const player = await (await world.open(KERNEL_BYTES).connect()).play("cam");
  player.stopReading();
  for (let i = 0; i < 2_000 && world.ended.length === 0; i++) {
    const publisher = await (await world.open().connect()).publish("cam");
    publisher.engine.close();
    await publisher.flush();
    publisher.session.end("kicked");
    await world.pass(0);
    const owed = world.outputs.of(player.socket).owedBytes;
    assert.ok(owed < OUTPUT_LIMITS.peerBytes + OUTPUT_LIMITS.overdraftBytes + 1_000, `${owed} bytes`);
    world.ended.splice(
      0,
      world.ended.length,
      ...world.ended.filter((reason) => reason !== "kicked" && reason !== "peer-closed"),
    );
  }
  assert.deepEqual(world.ended, ["stalled"]);
});

test("[SES104] an encoder that never reads is neither acknowledged nor asked any further, and goes on", async () => {
  const world = new World();
  const publisher = await (await world.open(64).connect()).publish("cam");
  await publishGop(publisher, 1_000);
  await publisher.sendRaw(message(5, u32(200)));
  publisher.stopReading();
  for (let i = 0; i < 8_000; i++) {
    await publisher.send(new Uint8Array(600).fill(0x27, 0, 1), i * 40);
    if (i % 400 === 0) await world.pass(2);
  }
  const owed = world.outputs.of(publisher.socket).owedBytes;
  assert.ok(owed < OUTPUT_LIMITS.peerBytes, `${owed} bytes`);
  assert.deepEqual([world.ended, publisher.session.facts.role], [[], "publisher"]);
});

for (const [habit, acknowledge] of [
  ["what came since the last time", (_: number, i: number) => 2_000 + (i % 7) * 100],
  ["twice what came", (bytes: number) => bytes * 2],
  ["and stops", (bytes: number, i: number) => (i < 5 ? bytes : undefined)],
] as const) {
  test(`[SES105] a player that acknowledges ${habit} and takes what it is sent plays on`, async () => {
    const world = new World();
    const publisher = await (await world.open().connect()).publish("cam");
    await publishGop(publisher, 700);
    const player = await (await world.open().connect()).play("cam");
    for (let i = 1; i < 60; i++) {
      await publisher.send(new Uint8Array(2_000).fill(0x27, 0, 1), i * 40);
      const count = acknowledge(player.mediaBytes, i);
      if (count !== undefined) await player.sendRaw(message(3, u32(count)));
      await world.pass(1);
    }
    assert.deepEqual(world.ended, []);
    assert.ok(player.mediaBytes > 59 * 2_000);
  });
}

test("[SES106] a connection waits for a few streams; those it may not wait for are refused, also when a publication ends", async () => {
  const world = new World();
  const publisher = await (await world.open().connect()).publish("c");
  await publishGop(publisher, 100);
  const peer = await world.open().connect();
  for (const [i, name] of ["a", "b", "c", "d"].entries())
    await peer.sendRaw(message(20, encodeAmf0Values(["play", 0, null, name]), i + 1));
  assert.deepEqual(
    peer.codes.filter((code) => code === "NetStream.Play.Failed" || code === "NetStream.Play.Start"),
    ["NetStream.Play.Start", "NetStream.Play.Start", "NetStream.Play.Start", "NetStream.Play.Failed"],
  );
  assert.equal(world.streams.size, 3);
  publisher.session.end("kicked");
  await world.pass(1);
  assert.ok(peer.codes.includes("NetStream.Play.StreamNotFound"));
  assert.deepEqual(
    world.streams.entries().map(({ stream }) => stream.key),
    ["live/a", "live/b"],
  );
});

test("[SES107] a connection plays one stream on a few message streams, of which one cohort keeps a GOP", async () => {
  const world = new World();
  const publisher = await (await world.open().connect()).publish("cam");
  await publishGop(publisher, 10_000, 40);
  const peer = await world.open().connect();
  const held = (): number => world.streams.entries()[0]?.stream.heldBytes ?? 0;
  await peer.sendRaw(play(1));
  const one = held();
  for (let id = 2; id <= 12; id++) await peer.sendRaw(play(id));
  assert.equal(peer.codes.filter((code) => code === "NetStream.Play.Start").length, 3);
  assert.equal(peer.codes.filter((code) => code === "NetStream.Play.Failed").length, 9);
  assert.ok(held() - one < 100_000, `${held() - one} bytes more`);
  assert.ok(one > 400_000);
});

/** A peer that asks for pictures, of which some are made for it alone, and takes none. */
async function openSilent(server: RunningServer): Promise<RtmpPeer> {
  const peer = new RtmpPeer(server.rtmpPort);
  await until("the connect result", () => peer.events.some((event) => event.type === "connected"));
  peer.socket.pause();
  for (let id = 1; id <= 3; id++) peer.engine.tellStream(id as MessageStreamId, "play", ["cam"]);
  peer.flush();
  const { sessions } = (await server.get("/api/v1/sessions")) as { sessions: { role: string }[] };
  const players = sessions.filter(({ role }) => role === "player").length;
  await until("its place on the stream", async () => (await server.metric("viewers")) > players);
  return peer;
}

test("[SES108] above the total for all peers no session is opened, over any protocol; below it again they are", async () => {
  await using server = await openServer(["limits.outputTotal=1MiB", "delivery.lag.stallTimeout=10m"]);
  await using publisher = await openPublisher(server.rtmpPort, "cam");
  sendGop(publisher);
  for (let i = 0; i < 3; i++) publisher.send("video", 200 + i, new Uint8Array(1_000_000).fill(0x27, 0, 1));
  await until("the pictures", async () => (await server.metric("ingest_bytes_total")) > 3_000_000);
  await using silent = new AsyncDisposableStack();
  while ((await server.metric("output_waiting_bytes")) < 1024 * 1024) silent.use(await openSilent(server));
  await using late = new RtmpPeer(server.rtmpPort);
  await late.closed;
  assert.equal(late.events.length, 0);
  const url = `http://127.0.0.1:${server.httpPort}/live/cam.flv`;
  assert.equal((await fetch(url)).status, 503);
  for (const header of ["", "Sec-WebSocket-Protocol: rtmp\r\n"])
    assert.match(await talk(server.httpPort, upgradeTo("/live/cam.flv", header)), /^HTTP\/1\.1 503 /);
  for (const protocol of ["rtmp", "http-flv", "ws-flv", "rtmp-ws"])
    assert.equal(await server.metric(`sessions_refused_total{protocol="${protocol}"}`), 1, protocol);
  assert.equal(publisher.isClosed, false);
  await silent.disposeAsync();
  await until("nothing that waits", async () => (await server.metric("output_waiting_bytes")) === 0);
  await using player = new RtmpPeer(server.rtmpPort).play("cam");
  await player.status("NetStream.Play.Start");
});

const upgradeTo = (path: string, header: string): string =>
  `GET ${path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
  `Sec-WebSocket-Key: ${Buffer.alloc(16).toString("base64")}\r\nSec-WebSocket-Version: 13\r\n${header}\r\n`;

/** A connection that speaks RTMP inside WebSocket, with frames as the test makes them. */
async function openWebSocket(server: RunningServer): Promise<Socket> {
  const socket = connect({ port: server.httpPort, host: "127.0.0.1", noDelay: true });
  socket.on("error", () => {});
  let heard = "";
  socket.on("data", (bytes) => {
    heard = (heard + bytes.toString("latin1")).slice(0, 1_000);
  });
  socket.write(upgradeTo("/live", "Sec-WebSocket-Protocol: rtmp\r\n"));
  await until("the upgrade", () => heard.includes("\r\n\r\n"));
  assert.match(heard, /^HTTP\/1\.1 101 /);
  return socket;
}

/** A binary frame of which `payload` comes first, masked with zeroes. RFC 6455 §5.2 */
function frame(payload: Uint8Array, byteCount = payload.length): Buffer {
  const head = Buffer.alloc(14);
  head.set([0x82, 0xff]);
  head.writeBigUInt64BE(BigInt(byteCount), 2);
  return Buffer.concat([head, payload]);
}

test("[SES109] an unfinished WebSocket message of who does not publish ends it, one of a publisher may be large", async () => {
  await using server = await openServer();
  const stranger = await openWebSocket(server);
  stranger.write(frame(Buffer.alloc(0), 4 * 1024 * 1024));
  while (!stranger.destroyed) {
    if (stranger.writableLength === 0) stranger.write(Buffer.alloc(READ_BYTES));
    await turns();
  }
  assert.equal(await server.metric('wire_errors_total{code="LIMIT_RTMP"}'), 1);
  const publisher = await openWebSocket(server);
  publisher.write(frame(Buffer.concat([Buffer.of(3), Buffer.alloc(2 * 1536)])));
  publisher.write(frame(message(20, encodeAmf0Values(["connect", 1, { app: "live" }]))));
  publisher.write(frame(message(20, encodeAmf0Values(["publish", 0, null, "cam"]), 1)));
  await until("the publication", async () => (await server.metric("streams_live")) === 1);
  publisher.write(frame(message(9, new Uint8Array(3 * 1024 * 1024).fill(0x27, 0, 1), 1)));
  await until("the frame", async () => (await server.metric("ingest_bytes_total")) === 3 * 1024 * 1024);
  publisher.destroy();
});

test("[SES110] what many send at once is read in slices, each in turn, and by a fifth of the loop's time", () => {
  const clock = new FakeClock();
  const scheduler = new InputScheduler(clock);
  const arrivals = [0, 1, 2].map((peer) => Buffer.alloc(40 * SLICE_BYTES + 100 + peer).map((_, i) => (i + peer) % 251));
  const read = arrivals.map((): Buffer[] => []);
  const order: number[] = [];
  const gone: Uint8Array[] = [];
  let [runCount, workedAt] = [0, -10];
  for (const [peer, arrival] of arrivals.entries()) {
    const input = new SlicedInput({
      scheduler,
      mayRead: () => true,
      resume: () => order.push(-1),
      discard: (bytes) => gone.push(bytes),
      read(slice) {
        if (clock.now() - workedAt > 3) runCount++;
        read[peer]?.push(Buffer.from(slice));
        order.push(peer);
        clock.advance(1.5);
        workedAt = clock.now();
      },
    });
    input.add(arrival);
    input.readOn();
  }
  for (let i = 0; i < 2_000; i++) clock.advance(1);
  assert.deepEqual(
    read.map((pieces) => Buffer.concat(pieces)),
    arrivals,
  );
  assert.deepEqual(order.slice(0, 6), [0, 1, 2, 0, 1, 2]);
  assert.deepEqual([gone, order.filter((peer) => peer < 0).length], [arrivals, 3]);
  assert.ok(runCount > 1, "the loop is free in between");
  assert.ok(workedAt >= 40 * 4.5 * 5, `done after ${workedAt} ms`);
});

test("[SES111] a peer that floods is read in its turn, and a publisher at once", async () => {
  const world = new World();
  const publisher = await (await world.open().connect()).publish("cam");
  await publishGop(publisher, 100);
  const peer = await world.open().connect();
  await peer.sendRaw(readful(CALL));
  assert.ok(peer.near.isPaused());
  assert.equal(peer.codes.length, 0);
  const body = new Uint8Array(60_000).fill(0x27, 0, 1);
  await publisher.send(body, 40);
  assert.equal(world.streams.entries()[0]?.stream.ingest.frames, 3);
  await world.settle();
  assert.ok(!peer.near.isPaused());
});

test("[LST100] an HTTP connection with too many requests under way is ended; a few are answered in order", async () => {
  await using server = await openServer();
  const request = "GET /live/nobody.flv HTTP/1.1\r\nHost: x\r\n\r\n";
  const health = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
  const few = await talk(server.httpPort, health.repeat(8), (heard) => heard.split("HTTP/1.1 200").length === 9);
  assert.equal(few.split("HTTP/1.1 200").length, 9);
  for (const one of [request, health]) await talk(server.httpPort, one.repeat(2_000));
  assert.equal(await server.metric("http_pipelines_refused_total"), 2);
});
