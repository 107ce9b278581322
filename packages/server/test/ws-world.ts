/** Sessions of sluice.v1 on a clock that the test moves, over transports that keep what they are sent. */
import { findStreamKey, type StreamKey } from "@sluice/media/stream-key";
import type { Millis } from "@sluice/base/brand";
import { SILENT_LOG } from "@sluice/base/log";
import { decodeMessage, encodeMessagePackMessage } from "@sluice/client/contract/codec";
import type { ClientMessage, Encoding } from "@sluice/client/contract/sluice-v1";
import { MemoryEngine } from "@sluice/engine/memory-engine";
import { MemoryStore } from "@sluice/engine/memory/memory-store";
import { amfObject } from "@sluice/amf/value";
import { ObjectHost } from "@sluice/state/object-host";
import type { ObjectClient } from "@sluice/state/object-client";
import type { ClaimState, Ownership } from "@sluice/state/ports";
import type { Wish } from "@sluice/state/change";
import { toPlain } from "@sluice/state/plain-data";
import type { SessionPorts } from "@sluice/server/sessions/session-ports";
import { FlushRound } from "@sluice/server/ws/flush-round";
import { DELIVERY_FRAME_BYTES, DeliveryFrames } from "@sluice/server/ws/frames";
import type { MessageEvents, MessageTransport } from "@sluice/server/ws/message-transport";
import type { SluiceSettings } from "@sluice/server/ws/net-client";
import { NetCounts } from "@sluice/server/ws/net-counts";
import { SluiceSession } from "@sluice/server/ws/sluice-session";
import { turns, World } from "./sessions-world.ts";

const EPOCH = { generation: 1, number: 1 };

/** This node is the home of everything. */
function soleOwner(): Ownership {
  const state: ClaimState = { at: "confirmed", epoch: EPOCH, since: "claimed" };
  const nothing: Disposable = { [Symbol.dispose]() {} };
  return {
    self: "n1",
    mayBeHome: true,
    findHome: () => undefined,
    place: () => "n1",
    claim: () => ({
      state,
      mayAcknowledge: true,
      onChange: () => nothing,
      freeze: () => EPOCH,
      resume() {},
      release() {},
    }),
    confirmedAt: () => 0 as Millis,
    onChange: () => nothing,
  };
}

export class WsWorld {
  readonly world = new World();
  readonly counts = new Map<string, number>();
  readonly ports: SessionPorts;
  readonly host: ObjectHost;
  readonly frames = new DeliveryFrames(DELIVERY_FRAME_BYTES);
  elsewhere: string | undefined;
  #clients = 0;
  readonly #settings: SluiceSettings;

  constructor(ports: Partial<SessionPorts> = {}) {
    const { clock } = this.world;
    const meter = {
      counter: (name: string, _help: string, labels: Readonly<Record<string, string>> = {}) => ({
        add: () => {
          const key = [name, ...Object.values(labels)].join(" ");
          this.counts.set(key, (this.counts.get(key) ?? 0) + 1);
        },
      }),
      gauge: () => ({ set: () => {} }),
    };
    this.ports = { ...this.world.ports, meter, ...ports };
    const engine = new MemoryEngine(new MemoryStore({ clock, generation: 1 }));
    this.host = new ObjectHost({
      ownership: soleOwner(),
      links: { nodes: [], send() {} },
      engine: () => engine,
      clock,
      log: SILENT_LOG,
      random: () => 0.5,
    });
    this.#settings = {
      ports: this.ports,
      node: "n1",
      objects: {
        connect: (path, options) => this.host.connect(path, options),
        nextClientId: () => `c${++this.#clients}`,
      },
      frames: this.frames,
      round: new FlushRound(clock),
      counts: new NetCounts(meter),
      pingInterval: 5_000 as Millis,
      elsewhere: () => this.elsewhere,
    };
  }

  get ended(): readonly string[] {
    return this.world.ended;
  }

  open(encoding: Encoding = "json", base = "room"): WsPeer {
    return new WsPeer(this, this.#settings, encoding, findStreamKey(base) as StreamKey);
  }

  /** A client that is connected and has opened `ball`. */
  async player(encoding: Encoding = "json"): Promise<WsPeer> {
    const peer = this.open(encoding);
    await peer.say({ type: "connect", id: 1 });
    await peer.say({ type: "open", id: 2, name: "ball" });
    peer.transport.sent.length = 0;
    return peer;
  }

  /** What is due by now happens, and what that causes. */
  settle(): Promise<void> {
    return this.world.settle();
  }

  /** A client of another protocol. */
  async other(name = "c2"): Promise<(wishes: readonly Wish[]) => Promise<void>> {
    const who = toPlain(amfObject(), "who", 1_000);
    const client: ObjectClient = this.host.connect("room/ball", { client: name, who, ready: () => {} });
    await this.settle();
    return async (wishes) => {
      void client.write(wishes);
      await this.settle();
    };
  }
}

/** Takes everything, until it is told to take nothing. */
export class FakeTransport implements MessageTransport {
  readonly sent: Uint8Array[] = [];
  readonly bytesIn = 0;
  bytesOut = 0;
  isPaused = false;
  isTaking = true;
  isCut = false;
  closing: { readonly code: number; readonly reason: string } | undefined;
  owedBytes = 0;
  isStalledNow = false;
  #waiting: (() => void)[] = [];
  readonly #events: MessageEvents;

  constructor(events: MessageEvents) {
    this.#events = events;
  }

  get output(): MessageTransport["output"] {
    const { owedBytes } = this;
    return {
      owedBytes,
      isBehind: owedBytes > 32 * 1024,
      isFull: owedBytes > 100_000,
      isOverdrawn: owedBytes > 2_000_000,
      isStalled: (_, isHeld) => this.isStalledNow && isHeld,
      whenTaken: (resume) => void this.#waiting.push(resume),
    };
  }

  send(frames: Uint8Array): void {
    this.sent.push(frames);
    this.bytesOut += frames.length;
    if (!this.isTaking) this.owedBytes += frames.length;
  }

  /** What waits is taken, and so is everything from now on. */
  take(): void {
    this.isTaking = true;
    this.owedBytes = 0;
    for (const go of this.#waiting.splice(0)) go();
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }

  close(code: number, reason: string): void {
    this.closing = { code, reason };
    queueMicrotask(() => this.#events.closed(undefined));
  }

  cut(): void {
    this.isCut = true;
  }
}

export interface Frame {
  readonly opcode: number;
  readonly payload: Uint8Array;
}

export class WsPeer {
  readonly session: SluiceSession;
  readonly encoding: Encoding;
  readonly #world: WsWorld;
  #events!: MessageEvents;
  #transport!: FakeTransport;

  constructor(world: WsWorld, settings: SluiceSettings, encoding: Encoding, base: StreamKey) {
    this.#world = world;
    this.encoding = encoding;
    this.session = new SluiceSession({
      settings,
      id: world.ports.registry.nextId(),
      client: {
        base,
        isSecure: false,
        address: "10.0.0.1",
        agent: "",
        access: { credentials: { query: new Map() } },
      },
      open: (events) => {
        this.#events = events;
        this.#transport = new FakeTransport(events);
        return this.#transport;
      },
    });
  }

  get transport(): FakeTransport {
    return this.#transport;
  }

  get events(): MessageEvents {
    return this.#events;
  }

  /** One frame, and what follows from it. */
  async send(payload: string | Uint8Array): Promise<void> {
    this.give(payload);
    await this.#world.settle();
  }

  /** One frame, in the middle of a turn. */
  give(payload: string | Uint8Array): void {
    this.#events.message(payload, payload.length);
  }

  async say(message: ClientMessage): Promise<void> {
    await this.send(this.encoding === "json" ? JSON.stringify(message) : encodeMessagePackMessage(message));
  }

  /** Frames since the last call. */
  frames(): Frame[] {
    return this.#transport.sent.splice(0).flatMap(framesIn);
  }

  /** Messages since the last call. */
  heard(): Record<string, unknown>[] {
    return this.frames()
      .filter(({ opcode }) => opcode < 8)
      .map(({ opcode, payload }) => decodeMessage(opcode === 1 ? new TextDecoder().decode(payload) : payload));
  }
}

export { turns };

function framesIn(bytes: Uint8Array): Frame[] {
  const frames: Frame[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < bytes.length; ) {
    const short = view.getUint8(at + 1);
    const header = short < 126 ? 2 : short === 126 ? 4 : 10;
    const length = short < 126 ? short : short === 126 ? view.getUint16(at + 2) : Number(view.getBigUint64(at + 2));
    frames.push({ opcode: view.getUint8(at) & 15, payload: bytes.subarray(at + header, at + header + length) });
    at += header + length;
  }
  return frames;
}
