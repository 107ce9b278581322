/** RTMP sessions on a clock that the test moves, over connections in memory. */
import type { PublicationId } from "@sluice/media/frame";
import { ownObjects } from "./objects-fixture.ts";
import { createHmac, randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Millis } from "@sluice/base/brand";
import { SILENT_LOG } from "@sluice/base/log";
import type { Meter } from "@sluice/base/meter";
import { SlabAllocator } from "@sluice/bytes/allocator";
import { fixedWindow } from "@sluice/media/delivery-window";
import {
  DEFAULT_GOP_LIMITS,
  DEFAULT_LAG_LIMITS,
  DEFAULT_MEMORY_LIMITS,
  DEFAULT_STREAM_LIMITS,
} from "@sluice/media/limits";
import { type PublishPolicy, StreamDirectory } from "@sluice/media/stream-directory";
import type { RtmpClientEvent } from "@sluice/rtmp/client-event";
import { RtmpClientEngine } from "@sluice/rtmp/client-engine";
import { RtmpServerEngine } from "@sluice/rtmp/server-engine";
import { socketTransport } from "@sluice/server/sessions/byte-transport";
import { DirectWrites } from "@sluice/runtime/sockets/direct-writes";
import { findStreamWrap } from "@sluice/runtime/sockets/stream-wrap";
import type { OutputLimits } from "@sluice/server/sessions/limits";
import { InputScheduler } from "@sluice/server/sessions/input-scheduler";
import { NodeOutput } from "@sluice/server/sessions/peer-output";
import { MergedReads } from "@sluice/runtime/sockets/merged-reads";
import { ObjectForms } from "@sluice/server/rtmp/rtmp-object-events";
import { RtmpSession } from "@sluice/server/rtmp/rtmp-session";
import type { SessionPorts } from "@sluice/server/sessions/session-ports";
import { SessionRegistry } from "@sluice/server/sessions/session-registry";
import { duplexPair } from "@sluice/testkit/duplex-pair";
import { FakeClock } from "@sluice/testkit/fake-clock";

const crypto = {
  randomBytes: (byteCount: number): Uint8Array => randomBytes(byteCount),
  hmacSha256: (key: Uint8Array, bytes: Uint8Array): Uint8Array => createHmac("sha256", key).update(bytes).digest(),
};

/** Small, so that a test need not send megabytes. */
const WINDOW = 1_000;

export const OUTPUT_LIMITS = {
  peerBytes: 100_000,
  overdraftBytes: 400_000,
  crowdedPeerBytes: 50_000,
  totalBytes: 1_000_000,
  sharedAge: 6_000 as Millis,
  stallTimeout: 15_000 as Millis,
} as const satisfies OutputLimits;

const WRITES = new DirectWrites(findStreamWrap());

export class World {
  readonly clock = new FakeClock();
  readonly ended: string[] = [];
  readonly done: string[] = [];
  publishers = 0;
  publishPolicy: PublishPolicy = { whenTaken: "refuse", grace: 0 as Millis };
  readonly registry = new SessionRegistry(this.clock, {
    opened: () => {},
    closed: (_, { reason }) => this.ended.push(reason),
  });
  #publications = 0;
  readonly streams = new StreamDirectory({
    clock: this.clock,
    limits: { streams: 10, waitingStreams: 10 },
    memoryLimits: DEFAULT_MEMORY_LIMITS,
    notice: () => {},
    streamOptions: () => ({
      window: fixedWindow(0 as Millis),
      gop: DEFAULT_GOP_LIMITS,
      lag: DEFAULT_LAG_LIMITS,
      limits: DEFAULT_STREAM_LIMITS,
      allocate: (byteCount) => new Uint8Array(byteCount),
      newPublication: () => String(++this.#publications).padStart(16, "0") as PublicationId,
    }),
  });
  readonly outputs = new NodeOutput({ clock: this.clock, writes: WRITES, limits: OUTPUT_LIMITS });
  readonly ports: SessionPorts = {
    clock: this.clock,
    log: SILENT_LOG,
    meter: { counter: () => ({ add: () => {} }), gauge: () => ({ set: () => {} }) } satisfies Meter,
    registry: this.registry,
    reads: new MergedReads(this.clock),
    writes: WRITES,
    outputs: this.outputs,
    inputs: new InputScheduler(this.clock),
    limits: { waitsPerConnection: 2, viewsPerConnection: 3 },
    streams: this.streams,
    objects: ownObjects(this.clock),
    guard: {
      decide: ({ action }) =>
        Promise.resolve({ allow: true, grant: { end: (reason) => void this.done.push(`${action} ${reason}`) } }),
    },
    timeouts: {
      handshake: 5_000 as Millis,
      connect: 4_000 as Millis,
      idle: 20_000 as Millis,
      firstFrame: 10_000 as Millis,
    },
    draining: new AbortController().signal,
    policyOf: () => ({
      publish: this.publishPolicy,
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

  /** @param bufferBytes  that the peer's side takes before anybody reads */
  open(bufferBytes = 1 << 20): Peer {
    const { near, far } = duplexPair({ bufferBytes });
    const session = new RtmpSession({
      settings: {
        ports: this.ports,
        chunkSize: 60_000,
        legacyFourCc: "forward",
        objectForms: new ObjectForms(),
        pingInterval: 30_000 as Millis,
        allowsRtmpRedirect: false,
      },
      id: this.registry.nextId(),
      protocol: "rtmp",
      address: "10.0.0.1",
      page: undefined,
      engine: new RtmpServerEngine({ crypto, allocator: new SlabAllocator(), windowAckSize: WINDOW }),
      open: (events) => socketTransport(asSocket(near), this.ports, events),
    });
    return new Peer(near, far, session);
  }

  /** What is due by now happens, and what that causes. */
  async settle(): Promise<void> {
    for (let i = 0; i < 4; i++) {
      this.clock.advance(0);
      await turns();
    }
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

export const turns = async (): Promise<void> => {
  for (let i = 0; i < 12; i++) await new Promise((resolve) => setImmediate(resolve));
};

export class Peer {
  readonly engine = new RtmpClientEngine({ crypto, allocator: new SlabAllocator() });
  readonly codes: string[] = [];
  mediaBytes = 0;
  heardBytes = 0;
  readonly session: RtmpSession;
  /** The server's end. */
  readonly near: Duplex;
  readonly socket: Socket;
  readonly #far: Duplex;

  constructor(near: Duplex, far: Duplex, session: RtmpSession) {
    this.near = near;
    this.socket = near as unknown as Socket;
    this.#far = far;
    this.session = session;
    far.on("end", () => far.end());
    far.on("data", (bytes: Buffer) => this.#hear(bytes));
  }

  /** From here on nothing is taken from its transport. */
  stopReading(): void {
    this.#far.pause();
  }

  readOn(): void {
    this.#far.resume();
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

  /** Bytes as no decent engine sends them. */
  async sendRaw(bytes: Uint8Array): Promise<void> {
    this.#far.write(bytes);
    await turns();
  }

  async flush(): Promise<this> {
    for (let bytes = this.engine.nextOutput(); bytes; bytes = this.engine.nextOutput())
      this.#far.write(Buffer.from(bytes));
    await turns();
    return this;
  }

  #hear(bytes: Buffer): void {
    this.heardBytes += bytes.length;
    this.engine.receive(bytes);
    for (let event = this.engine.nextEvent(); event; event = this.engine.nextEvent()) this.#note(event);
    for (let out = this.engine.nextOutput(); out; out = this.engine.nextOutput()) this.#far.write(Buffer.from(out));
  }

  #note(event: RtmpClientEvent): void {
    if (event.type === "status") this.codes.push(event.code);
    else if (event.type === "media") this.mediaBytes += event.payload.length;
  }
}
