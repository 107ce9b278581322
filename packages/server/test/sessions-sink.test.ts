/** Sinks on real sockets: what they say of a transport that is full, free or ending; and policies out of the configuration. */
import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { test } from "node:test";
import { connect as connectTls, createServer as createTlsServer } from "node:tls";
import type { Millis } from "@sluice/base/brand";
import { fixedWindow } from "@sluice/media/delivery-window";
import { findStreamKey, type StreamKey } from "@sluice/media/stream-key";
import { loadConfig } from "@sluice/server/config/load-config";
import { socketTransport } from "@sluice/server/sessions/byte-transport";
import { DirectWrites } from "@sluice/runtime/sockets/direct-writes";
import type { OutputLimits } from "@sluice/server/sessions/limits";
import { NodeOutput } from "@sluice/server/sessions/peer-output";
import { findStreamWrap } from "@sluice/runtime/sockets/stream-wrap";
import { peerAddress } from "@sluice/server/sessions/peer-address";
import { socketSink } from "@sluice/server/sessions/socket-sink";
import { StreamPolicies } from "@sluice/server/streams/stream-policies";
import { FakeClock } from "@sluice/testkit/fake-clock";
import { until } from "@sluice/testkit/until";
import { TEST_CERT, TEST_KEY } from "../../runtime/test/tls-fixture.ts";

interface Pair extends Disposable {
  /** The server's end. */
  readonly near: Socket;
  readonly far: Socket;
  /** The far end breaks the connection. */
  reset(): void;
}

async function openPair(over: "tcp" | "tls"): Promise<Pair> {
  const { promise, resolve } = Promise.withResolvers<Socket>();
  const server = over === "tcp" ? createServer(resolve) : createTlsServer({ cert: TEST_CERT, key: TEST_KEY }, resolve);
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address() as AddressInfo;
  const at = { port, host: "127.0.0.1" };
  const raw = connect(at);
  const far = over === "tcp" ? raw : connectTls({ socket: raw, rejectUnauthorized: false });
  const near = await promise;
  for (const socket of [near, far, raw]) socket.on("error", () => {});
  return {
    near,
    far,
    reset: () => void raw.resetAndDestroy(),
    [Symbol.dispose]() {
      near.destroy();
      far.destroy();
      server.close();
    },
  };
}

const sinkOf = (socket: Socket, writes = new DirectWrites(findStreamWrap())): ReturnType<typeof socketSink> =>
  socketSink({ socket, writes, output: outputsOf(writes).of(socket), notify: () => {}, end: () => {} });

const outputsOf = (writes: DirectWrites): NodeOutput =>
  new NodeOutput({ clock: new FakeClock(), writes, limits: OUTPUT_LIMITS });

const OUTPUT_LIMITS: OutputLimits = {
  peerBytes: 100_000,
  overdraftBytes: 100_000,
  crowdedPeerBytes: 10_000,
  totalBytes: 1_000_000,
  sharedAge: 6_000 as Millis,
  stallTimeout: 15_000 as Millis,
};

/** Twice as much as a socket's buffers hold at both ends when nobody reads. */
const MUCH = 64 * 1024 * 1024;

const WAYS = [
  ["tcp", "the handle", new DirectWrites(findStreamWrap())],
  ["tcp", "the socket", new DirectWrites(undefined)],
  ["tls", "the handle", new DirectWrites(findStreamWrap())],
  ["tls", "the socket", new DirectWrites(undefined)],
] as const;

const NO_EVENTS = { bytes: () => {}, unfinished: () => {}, ended: () => {}, closed: () => {} };

for (const [over, through, writes] of WAYS) {
  test(`[SNK1] over ${over} through ${through} a sink says when its transport is full, and calls back once when it is free again`, async () => {
    using pair = await openPair(over);
    const sink = sinkOf(pair.near, writes);
    assert.equal(sink.write(new Uint8Array(100)), true);
    let written = 100;
    const piece = new Uint8Array(256 * 1024);
    while (written < MUCH) {
      written += 2 * piece.length;
      if (!sink.writeAll([piece, piece], 0)) break;
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.ok(written < MUCH, "a peer that does not read fills it");
    let calls = 0;
    sink.whenDrained(() => calls++);
    assert.equal(calls, 0);
    pair.far.resume();
    await until("the call back", () => calls === 1);
    await until("every byte", () => pair.far.bytesRead >= written);
    assert.equal(sink.write(new Uint8Array(100)), true);
    assert.equal(calls, 1);
  });

  test(`[SNK2] over ${over} through ${through} a sink of a socket that ends pretends, and breaks nothing`, async () => {
    using pair = await openPair(over);
    const sink = sinkOf(pair.near, writes);
    const errors: Error[] = [];
    pair.near.on("error", (error) => errors.push(error));
    const closed = new Promise((resolve) => pair.near.once("close", resolve));
    pair.near.end("bye");
    assert.deepEqual(
      [sink.write(new Uint8Array(9)), sink.writeAll([new Uint8Array(9), new Uint8Array(9)], 0)],
      [true, true],
    );
    sink.whenDrained(() => assert.fail("never drained"));
    let heard = "";
    pair.far.on("data", (bytes) => {
      heard += bytes.toString();
    });
    pair.near.resume();
    await closed;
    assert.deepEqual([errors, heard], [[], "bye"]);
  });
}

/** The next write to the handle counts as under way until the returned function is called, though nothing is queued in the system. */
function holdNextWrite(socket: Socket): () => void {
  const wrap = findStreamWrap();
  assert.ok(wrap !== undefined);
  type Write = (request: { oncomplete?: (status: number) => void }, bytes: Buffer) => number;
  const { _handle: handle } = socket as unknown as { _handle: { writeBuffer: Write } };
  const write = handle.writeBuffer.bind(handle);
  let end = (): void => assert.fail("nothing was written");
  handle.writeBuffer = (request) => {
    handle.writeBuffer = write;
    wrap.streamBaseState[wrap.kLastWriteWasAsync] = 1;
    end = () => request.oncomplete?.(0);
    return 0;
  };
  return () => end();
}

test("[SNK1] a write that the system took and has not reported yet is waited for: asking again in the same turn would never end", async () => {
  using pair = await openPair("tcp");
  const writes = new DirectWrites(findStreamWrap());
  const output = outputsOf(writes).of(pair.near);
  const sink = socketSink({ socket: pair.near, writes, output, notify: () => {}, end: () => {} });
  assert.equal(sink.write(new Uint8Array(100)), true);
  const report = holdNextWrite(pair.near);
  assert.equal(sink.write(new Uint8Array(2 * OUTPUT_LIMITS.peerBytes)), false);
  assert.ok(sink.isFull);
  const seen: boolean[] = [];
  sink.whenDrained(() => seen.push(sink.isFull));
  for (let turns = 0; turns < 5; turns++) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(seen, []);
  report();
  await until("the call back", () => seen.length > 0);
  assert.deepEqual(seen, [false]);
});

/** All that is written to the handle, by whom ever. */
function sizesAt(socket: Socket): number[] {
  const sizes: number[] = [];
  const { _handle: handle } = socket as unknown as { _handle: { writeBuffer(request: object, bytes: Buffer): number } };
  const write = handle.writeBuffer.bind(handle);
  handle.writeBuffer = (request, bytes) => {
    sizes.push(bytes.length);
    return write(request, bytes);
  };
  return sizes;
}

for (const wrap of [findStreamWrap(), undefined]) {
  test(`[SNK4] over tls ${wrap ? "through the handle" : "through the socket"} a large batch goes in pieces of a record, in order with all that others write`, async () => {
    using pair = await openPair("tls");
    const sizes = sizesAt(pair.near);
    const sink = sinkOf(pair.near, new DirectWrites(wrap));
    const batch = Buffer.alloc(50_000, 0).map((_, i) => i % 251);
    assert.equal(sink.write(batch), true);
    pair.near.write(Buffer.from("between"));
    assert.equal(sink.write(batch.subarray(0, 16_256)), false);
    const heard: Buffer[] = [];
    pair.far.on("data", (bytes: Buffer) => heard.push(bytes));
    const expected = Buffer.concat([batch, Buffer.from("between"), batch.subarray(0, 16_256)]);
    await until("every byte", () => heard.reduce((sum, one) => sum + one.length, 0) === expected.length);
    assert.ok(Buffer.concat(heard).equals(expected));
    assert.deepEqual(sizes, [16_256, 16_256, 16_256, 1_232, 7, 16_256]);
  });
}

test("[SNK5] what goes through the handle keeps its order with a head before it and the session's messages, and every byte", async () => {
  using pair = await openPair("tcp");
  const writes = new DirectWrites(findStreamWrap());
  const { send } = socketTransport(pair.near, { writes, outputs: outputsOf(writes) }, NO_EVENTS);
  const sink = sinkOf(pair.near, writes);
  const expected: Buffer[] = [];
  const noted = (bytes: Buffer): Buffer => {
    expected.push(bytes);
    return bytes;
  };
  pair.near.cork();
  pair.near.write(noted(Buffer.from("a head that waits;")));
  assert.equal(sink.write(noted(Buffer.from("behind it;"))), false);
  pair.near.uncork();
  await until("the head to go", () => pair.near.writableLength === 0);
  for (let i = 0; i < 3; i++) assert.equal(sink.write(noted(Buffer.from("at once;"))), true);
  send(noted(Buffer.from("by the session;")));
  let fill = 0;
  while (sink.write(noted(Buffer.alloc(256 * 1024, ++fill % 251))) && fill < MUCH / (256 * 1024));
  assert.equal(pair.near.writableLength, 0, "what did not fit waits at the handle, not in the socket");
  send(noted(Buffer.from("behind what waits;")));
  assert.equal(sink.write(noted(Buffer.from("behind both;"))), false);
  let drained = 0;
  sink.whenDrained(() => drained++);
  const heard: Buffer[] = [];
  pair.far.on("data", (bytes: Buffer) => heard.push(bytes));
  const all = Buffer.concat(expected);
  await until("every byte", () => pair.far.bytesRead === all.length);
  assert.ok(Buffer.concat(heard).equals(all));
  await until("the call back", () => drained === 1);
  assert.equal(pair.near.bytesWritten, all.length);
});

for (const over of ["tcp", "tls"] as const) {
  test(`[SNK6] over ${over} a connection that breaks while bytes wait at its handle, or before a write, is an error of its socket alone`, async () => {
    using pair = await openPair(over);
    const sink = sinkOf(pair.near);
    const errors: Error[] = [];
    pair.near.on("error", (error) => errors.push(error));
    const closed = new Promise((resolve) => pair.near.once("close", resolve));
    let written = 0;
    while (sink.write(new Uint8Array(16_000))) {
      written += 16_000;
      assert.ok(written < MUCH, "a peer that does not read fills it");
      await new Promise((resolve) => setImmediate(resolve));
    }
    sink.whenDrained(() => assert.fail("never drained"));
    pair.reset();
    await closed;
    assert.equal(errors.length, 1);
    assert.equal(sink.write(new Uint8Array(9)), true, "it pretends");
    await new Promise((resolve) => setImmediate(resolve)); // its handle is gone by now
    assert.equal(sink.write(new Uint8Array(9)), true, "it still does");
  });
}

for (const over of ["tcp", "tls"] as const) {
  test(`[SNK7] over ${over} a connection that is captured shows the capture all that is written to it`, async () => {
    using pair = await openPair(over);
    const seen: string[] = [];
    const write = pair.near.write.bind(pair.near) as (bytes: Uint8Array) => boolean;
    pair.near.write = (bytes: Uint8Array | string): boolean => {
      seen.push(bytes.toString());
      return write(bytes as Uint8Array);
    };
    const writes = new DirectWrites(findStreamWrap());
    const { send } = socketTransport(pair.near, { writes, outputs: outputsOf(writes) }, NO_EVENTS);
    const sink = sinkOf(pair.near, writes);
    for (const text of ["a", "b"]) sink.write(Buffer.from(text));
    send(Buffer.from("c"));
    assert.deepEqual(seen, ["a", "b", "c"]);
  });
}

test("[SNK8] over tls a socket's stream and its sinks take turns, in order, and its end comes behind them", async () => {
  using pair = await openPair("tls");
  const writes = new DirectWrites(findStreamWrap());
  const { send } = socketTransport(pair.near, { writes, outputs: outputsOf(writes) }, NO_EVENTS);
  const [one, other] = [sinkOf(pair.near, writes), sinkOf(pair.near, writes)];
  const expected: Buffer[] = [];
  let direct = 0;
  const sized = (length: number): Buffer => {
    const bytes = Buffer.alloc(length, expected.length % 251);
    expected.push(bytes);
    return bytes;
  };
  const ways = [
    () => (direct += Number(one.write(sized(9_000)))),
    () => (direct += Number(other.write(sized(40_000)))),
    () => one.writeAll([sized(100), sized(20_000)], 0),
    () => send(sized(30)),
    () => {
      pair.near.cork();
      pair.near.write(sized(4));
      pair.near.write(sized(3_000));
      pair.near.uncork();
    },
    () => other.whenDrained(() => void one.write(sized(50))),
  ];
  const heard: Buffer[] = [];
  pair.far.on("data", (bytes: Buffer) => heard.push(bytes));
  const ended = new Promise((resolve) => pair.far.once("end", resolve));
  // Each way after each other one, in the same turn of the loop and in the next; half of it while the peer does not read.
  for (let step = 0; step < 20 * ways.length ** 2; step++) {
    if (step % 240 === 120) pair.far.pause();
    if (step % 240 === 0) pair.far.resume();
    ways[Math.floor(step / ways.length) % ways.length]?.();
    ways[step % ways.length]?.();
    if (step % 3 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  pair.far.resume();
  await until("the stream to be empty", () => pair.near.writableLength === 0);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(one.write(sized(16_000)), true);
  pair.near.end(sized(5));
  await ended;
  assert.ok(Buffer.concat(heard).equals(Buffer.concat(expected)));
  assert.ok(direct > 0);
});

test("[SNK9] over tls a write after the end of a socket that still reads is refused, and breaks nothing", async () => {
  using pair = await openPair("tls");
  const sink = sinkOf(pair.near);
  assert.equal(sink.write(Buffer.from("heard;")), true);
  const heard: string[] = [];
  pair.far.on("data", (bytes) => heard.push(String(bytes)));
  const ended = new Promise((resolve) => pair.far.once("end", resolve));
  pair.near.end("last");
  await ended;
  assert.deepEqual([sink.write(Buffer.from("late")), pair.near.errored], [true, null]);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(heard.join(""), "heard;last");
});

test("[SNK3] addresses are shown as people write them", () => {
  const shown = (remoteAddress: string | undefined): string => peerAddress({ remoteAddress } as Socket);
  assert.deepEqual(["::ffff:10.1.2.3", "10.1.2.3", "::1", "fe80::1%eth0", undefined].map(shown), [
    "10.1.2.3",
    "10.1.2.3",
    "::1",
    "fe80::1",
    "",
  ]);
});

test("[POL1] each application has its own publish policy, waits and window; the rest have the node's", () => {
  const sets = [
    "publish.policy=refuse",
    "grace.windowMs=5s",
    "play.wait=7s",
    "delivery.window=100ms",
    "gop.maxFrames=10",
    "limits.viewersPerStream=3",
    "applications.events.publish.policy=replace",
    "applications.events.delivery.window=auto",
    "applications.events.gop.enabled=false",
  ];
  const auto = fixedWindow(1 as Millis);
  const policies = new StreamPolicies(loadConfig({ sets, env: {}, file: "none", hostname: "box" }), auto);
  assert.deepEqual(policies.policyOf("live").publish, { whenTaken: "refuse", grace: 5_000 });
  assert.deepEqual(policies.policyOf("events").publish, { whenTaken: "replace", grace: 5_000 });
  assert.equal(policies.policyOf("live").playWait.rtmp, 7_000);
  const key = (path: string): StreamKey => findStreamKey(path) as StreamKey;
  const live = policies.optionsOf(key("live/cam"));
  const events = policies.optionsOf(key("events/cam"));
  assert.deepEqual([live.window.prompt, live.gop.maxFrames, live.limits.subscribers], [100, 10, 3]);
  assert.equal(events.window, auto);
  assert.equal(events.gop.maxFrames, 0);
});

for (const [over, through, writes] of WAYS) {
  test(`[SNK100] over ${over} through ${through} what waits for a peer is counted until it has taken it, alone and in all`, async () => {
    using pair = await openPair(over);
    const outputs = outputsOf(writes);
    const output = outputs.of(pair.near);
    const sink = socketSink({ socket: pair.near, writes, output, notify: () => {}, end: () => {} });
    const { send } = socketTransport(pair.near, { writes, outputs }, NO_EVENTS);
    const piece = new Uint8Array(256 * 1024);
    let written = 0;
    for (; !sink.isFull && written < MUCH; written += 2 * piece.length) {
      sink.write(piece);
      send(piece);
      for (let turn = 0; turn < 50 && sink.isFull; turn++) await new Promise((resolve) => setImmediate(resolve));
    }
    assert.ok(output.owedBytes >= piece.length, `${output.owedBytes} bytes`);
    assert.ok(sink.isFull);
    assert.ok(outputs.totalBytes >= piece.length / 2, `${outputs.totalBytes} bytes`);
    const taken = sink.takenBytes;
    let calls = 0;
    output.whenTaken(() => calls++);
    pair.far.resume();
    await until("every byte", () => pair.far.bytesRead >= written && calls === 1);
    assert.ok(sink.takenBytes > taken);
    await until("nothing that waits", () => output.owedBytes === 0 && !sink.isFull);
    assert.equal(outputs.totalBytes, 0);
  });
}

test("[SNK101] bytes that are shared count for the node once they are old, a peer's own at once; a close ends both", async () => {
  using pair = await openPair("tcp");
  const clock = new FakeClock();
  const writes = new DirectWrites(findStreamWrap());
  const outputs = new NodeOutput({ clock, writes, limits: { ...OUTPUT_LIMITS, peerBytes: MUCH, totalBytes: MUCH } });
  const output = outputs.of(pair.near);
  const sink = socketSink({ socket: pair.near, writes, output, notify: () => {}, end: () => {} });
  const piece = new Uint8Array(1024 * 1024);
  while (sink.writeAll([piece], 1_000)) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(outputs.totalBytes, 1_000);
  clock.advance(6_000);
  assert.equal(sink.isFull, false);
  assert.equal(outputs.totalBytes, output.owedBytes);
  assert.ok(output.owedBytes > 100_000);
  const closed = new Promise((resolve) => pair.near.once("close", resolve));
  pair.near.destroy();
  await closed;
  assert.equal(outputs.totalBytes, 0);
});

test("[SNK102] a peer to whom much was said over time and for whom little waits is not overdrawn", () => {
  const socket = Object.assign(new EventEmitter(), { writableLength: 0, writable: true });
  const outputs = outputsOf(new DirectWrites(undefined));
  const output = outputs.of(socket as unknown as Socket);
  for (let i = 0; i < 1_000; i++) {
    socket.writableLength = 2_000;
    output.note(1_000, "dialogue");
    assert.ok(!output.isOverdrawn && outputs.totalBytes <= 2_000);
    socket.writableLength = 1_000;
  }
  for (let i = 1; i <= 300; i++) {
    socket.writableLength += 1_000;
    output.note(1_000, "dialogue");
    assert.equal(output.isOverdrawn, i >= 200, `${i}`);
  }
  assert.equal(outputs.totalBytes, 301_000);
});
