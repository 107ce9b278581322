/** Time-outs of RTMP sessions on a clock that the test moves, over connections in memory. */
import assert from "node:assert/strict";
import { createHmac, randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { test } from "node:test";
import type { Millis } from "@sluice/base/brand";
import { SILENT_LOG } from "@sluice/base/log";
import type { Meter } from "@sluice/base/meter";
import { SlabAllocator } from "@sluice/bytes/allocator";
import { fixedWindow } from "@sluice/media/delivery-window";
import { DEFAULT_GOP_LIMITS, DEFAULT_LAG_LIMITS, DEFAULT_STREAM_LIMITS } from "@sluice/media/limits";
import { StreamDirectory } from "@sluice/media/stream-directory";
import { RtmpClientEngine } from "@sluice/rtmp/client-engine";
import { RtmpServerEngine } from "@sluice/rtmp/server-engine";
import { ALLOWED } from "@sluice/server/auth/access";
import { socketTransport } from "@sluice/server/sessions/byte-transport";
import { DirectWrites } from "@sluice/server/sessions/direct-writes";
import { findStreamWrap } from "@sluice/server/sessions/stream-wrap";
import { MergedReads } from "@sluice/server/sessions/merged-reads";
import { RtmpSession } from "@sluice/server/sessions/rtmp-session";
import type { SessionPorts } from "@sluice/server/sessions/session-ports";
import { SessionRegistry } from "@sluice/server/sessions/session-registry";
import { duplexPair } from "@sluice/testkit/duplex-pair";
import { FakeClock } from "@sluice/testkit/fake-clock";
import { AVC_DELTA, AVC_HEADER, AVC_KEY } from "./sessions-fixture.ts";

const crypto = {
  randomBytes: (byteCount: number): Uint8Array => randomBytes(byteCount),
  hmacSha256: (key: Uint8Array, bytes: Uint8Array): Uint8Array => createHmac("sha256", key).update(bytes).digest(),
};

/** Small, so that a test need not send megabytes. */
const WINDOW = 1_000;
const LAG_BYTES = 20_000;

class World {
  readonly clock = new FakeClock();
  readonly ended: string[] = [];
  readonly done: string[] = [];
  publishers = 0;
  readonly registry = new SessionRegistry(this.clock, {
    opened: () => {},
    closed: (_, { reason }) => this.ended.push(reason),
  });
  readonly streams = new StreamDirectory({
    clock: this.clock,
    limits: { streams: 10 },
    notice: () => {},
    streamOptions: () => ({
      window: fixedWindow(0 as Millis),
      gop: DEFAULT_GOP_LIMITS,
      lag: DEFAULT_LAG_LIMITS,
      limits: DEFAULT_STREAM_LIMITS,
      allocate: (byteCount) => new Uint8Array(byteCount),
    }),
  });
  readonly ports: SessionPorts = {
    clock: this.clock,
    log: SILENT_LOG,
    meter: { counter: () => ({ add: () => {} }), gauge: () => ({ set: () => {} }) } satisfies Meter,
    registry: this.registry,
    reads: new MergedReads(this.clock),
    writes: new DirectWrites(findStreamWrap()),
    streams: this.streams,
    guard: {
      decide: () => Promise.resolve(ALLOWED),
      done: ({ action, reason }) => this.done.push(`${action} ${reason}`),
    },
    timeouts: {
      handshake: 5_000 as Millis,
      connect: 4_000 as Millis,
      idle: 20_000 as Millis,
      firstFrame: 10_000 as Millis,
    },
    draining: new AbortController().signal,
    policyOf: () => ({
      publish: { whenTaken: "refuse", grace: 0 as Millis },
      playWait: { rtmp: 6_000 as Millis, http: 0 as Millis },
    }),
    claimPublisher: () => {
      this.publishers++;
      return true;
    },
    releasePublisher: () => {
      this.publishers--;
    },
  };

  open(): Peer {
    const { near, far } = duplexPair({ bufferBytes: 1 << 20 });
    const session = new RtmpSession({
      id: this.registry.nextId(),
      protocol: "rtmp",
      address: "10.0.0.1",
      ports: this.ports,
      engine: new RtmpServerEngine({ crypto, allocator: new SlabAllocator(), windowAckSize: WINDOW }),
      chunkSize: 60_000,
      windowAckSize: WINDOW,
      lag: { maxBytes: LAG_BYTES, stallTimeout: 8_000 as Millis },
      legacyFourCc: "forward",
      pingInterval: 30_000 as Millis,
      allowsRtmpRedirect: false,
      open: (events) => socketTransport(asSocket(near), this.ports.writes, events),
    });
    return new Peer(far, session);
  }

  /** Seconds pass, and what they cause happens. */
  async pass(seconds: number): Promise<void> {
    for (let i = 0; i < seconds; i++) {
      await this.clock.advanceAsync(1_000);
      await turns();
    }
  }
}

/** What sessions use of a socket beyond a stream: counts of bytes. */
function asSocket(stream: Duplex): Socket {
  let bytesWritten = 0;
  const write = stream.write.bind(stream) as (bytes: Uint8Array, ...rest: never[]) => boolean;
  return Object.assign(stream, {
    bytesRead: 0,
    destroySoon: () => stream.destroy(),
    write(bytes: Uint8Array, ...rest: never[]) {
      bytesWritten += bytes.length;
      Object.assign(stream, { bytesWritten });
      return write(bytes, ...rest);
    },
    bytesWritten,
  }) as unknown as Socket;
}

const turns = async (): Promise<void> => {
  for (let i = 0; i < 12; i++) await new Promise((resolve) => setImmediate(resolve));
};

class Peer {
  readonly engine = new RtmpClientEngine({ crypto, allocator: new SlabAllocator() });
  readonly codes: string[] = [];
  readonly session: RtmpSession;
  readonly #far: Duplex;
  /** Reads, and with that acknowledges. */
  reads = true;

  constructor(far: Duplex, session: RtmpSession) {
    this.#far = far;
    this.session = session;
    far.on("end", () => far.end());
    far.on("data", (bytes: Buffer) => this.reads && this.#hear(bytes));
  }

  async connect(): Promise<this> {
    this.engine.start({ app: "live", tcUrl: "rtmp://box/live" });
    return this.flush();
  }

  async publish(name: string): Promise<this> {
    this.engine.publish(name);
    return this.flush();
  }

  async play(name: string): Promise<this> {
    this.engine.play(name);
    return this.flush();
  }

  async send(body: Uint8Array, timestamp = 0): Promise<void> {
    this.engine.sendMedia("video", timestamp, body);
    await this.flush();
  }

  async flush(): Promise<this> {
    for (let bytes = this.engine.nextOutput(); bytes; bytes = this.engine.nextOutput())
      this.#far.write(Buffer.from(bytes));
    await turns();
    return this;
  }

  #hear(bytes: Buffer): void {
    this.engine.receive(bytes);
    for (let event = this.engine.nextEvent(); event; event = this.engine.nextEvent())
      if (event.type === "status") this.codes.push(event.code);
    for (let out = this.engine.nextOutput(); out; out = this.engine.nextOutput()) this.#far.write(Buffer.from(out));
  }
}

test("[SES15] handshake, connect and idleness each have their time, and no more", async () => {
  const world = new World();
  world.open();
  await world.pass(5);
  assert.deepEqual(world.ended, []);
  await world.pass(2);
  assert.deepEqual(world.ended, ["timeout"]);
  const idle = await world.open().connect();
  await world.pass(19);
  assert.equal(world.registry.size, 1);
  await world.pass(3);
  assert.equal(world.registry.size, 0);
  assert.ok(idle.codes.includes("NetConnection.Connect.Closed"));
});

test("[SES16] a publisher has its time to the first frame, then between frames; its stream ends with it", async () => {
  const world = new World();
  const mute = await (await world.open().connect()).publish("mute");
  const flowing = await (await world.open().connect()).publish("flowing");
  assert.deepEqual([mute.codes, world.publishers], [["NetStream.Publish.Start"], 2]);
  await flowing.send(AVC_HEADER);
  await flowing.send(AVC_KEY);
  await world.pass(11);
  assert.deepEqual([world.registry.size, world.publishers, world.streams.size], [1, 1, 1]);
  await world.pass(8);
  assert.equal(world.registry.size, 1);
  await world.pass(3);
  assert.deepEqual([world.registry.size, world.publishers, world.streams.size], [0, 0, 0]);
  assert.deepEqual(world.done, ["publish timeout", "publish timeout"]);
});

test("[SES17] a player waits for a publisher as long as it may, again after each publication, and is then told", async () => {
  const world = new World();
  const player = await (await world.open().connect()).play("cam");
  await world.pass(4);
  const publisher = await (await world.open().connect()).publish("cam");
  await publisher.send(AVC_HEADER);
  await publisher.send(AVC_KEY);
  await world.pass(9);
  assert.ok(!player.codes.includes("NetStream.Play.StreamNotFound"));
  publisher.engine.close();
  await publisher.flush();
  assert.ok(player.codes.includes("NetStream.Play.UnpublishNotify"));
  await world.pass(5);
  assert.ok(!player.codes.includes("NetStream.Play.StreamNotFound"));
  await world.pass(3);
  assert.ok(player.codes.includes("NetStream.Play.StreamNotFound"));
  assert.equal(world.streams.size, 0);
});

test("[SES18] a player whose acknowledgements stay away while bytes flow is ended as stalled; one that reads is not", async () => {
  const world = new World();
  const publisher = await (await world.open().connect()).publish("cam");
  await publisher.send(AVC_HEADER);
  await publisher.send(AVC_KEY);
  const reader = await (await world.open().connect()).play("cam");
  const sleeper = await (await world.open().connect()).play("cam");
  const frame = new Uint8Array(600);
  frame.set(AVC_DELTA);
  for (let i = 0; i < 40 && sleeper.session.facts.role === "player"; i++) {
    if (i === 10) sleeper.reads = false;
    await publisher.send(frame, 1_000 + i);
    await world.pass(1);
  }
  assert.deepEqual(world.ended, ["stalled"]);
  assert.equal(reader.session.facts.role, "player");
});

test("[SES19] ending twice, or while a verdict is awaited, ends once and gives everything back", async () => {
  const world = new World();
  const peer = await (await world.open().connect()).publish("cam");
  peer.session.end("kicked", "bye");
  peer.session.end("server-stopping");
  await turns();
  await turns();
  assert.deepEqual([world.ended, world.publishers, world.streams.size], [["kicked"], 0, 0]);
  assert.deepEqual(world.done, ["publish kicked"]);
  const other = await world.open().connect();
  other.engine.publish("cam");
  void other.flush();
  other.session.end("kicked");
  await turns();
  assert.deepEqual([world.publishers, world.streams.size], [0, 0]);
});
