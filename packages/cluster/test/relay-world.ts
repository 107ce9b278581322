/** Nodes that relay streams over simulated links, with publishers whose frames say where they belong, and viewers that check them. */
import assert from "node:assert/strict";
import type { Millis } from "@sluice/base/brand";
import { serialDistance } from "@sluice/base/serial-number";
import { Relay } from "@sluice/cluster/relay/relay";
import type { StreamHome } from "@sluice/cluster/relay/sources";
import type { Frame, FrameKind, FrameRole, PublicationId, PublishedUnit } from "@sluice/media/frame";
import {
  DEFAULT_GOP_LIMITS,
  DEFAULT_LAG_LIMITS,
  DEFAULT_MEMORY_LIMITS,
  DEFAULT_STREAM_LIMITS,
} from "@sluice/media/limits";
import type { LiveStream } from "@sluice/media/live-stream";
import { type Publication, StreamDirectory } from "@sluice/media/stream-directory";
import type { StreamKey } from "@sluice/media/stream-key";
import type { Subscriber } from "@sluice/media/subscriber";
import type { SubscriberSink } from "@sluice/media/subscriber-sink";
import type { WireForm } from "@sluice/media/wire-form";
import { EngineWorld, type WorldNode } from "./engine-world.ts";

export const GRACE = 5_000 as Millis;
export const GOP_FRAMES = 10;
const KINDS = ["video", "audio", "data"] as const satisfies readonly FrameKind[];
const ROLES = ["config", "key", "delta", "metadata", "side"] as const satisfies readonly FrameRole[];

/** Which frame a body belongs to. */
export interface Item {
  readonly kind: FrameKind;
  readonly role: FrameRole;
  readonly dts: number;
  /** Number of the publication, from 1. */
  readonly publication: number;
  /** Of pictures and sounds, each for itself, from 0. */
  readonly number: number;
}

export interface RelayNode extends WorldNode {
  readonly streams: StreamDirectory;
  readonly relay: Relay;
  /** What this node knows of homes. */
  readonly homes: Map<string, StreamHome>;
  isHot: boolean;
  isLeaving: boolean;
}

/** Rows of the directory reach each node by itself, a little later. */
export class RelayWorld extends EngineWorld {
  readonly relays = new Map<string, RelayNode>();
  readonly #rows = new Map<string, StreamHome>();
  readonly #listeners = new Map<RelayNode, (key: string) => void>();
  readonly #from: ReadonlyMap<string, readonly string[]>;
  #publicationIds = 0;
  publications = 0;

  /** @param from  `relay.from` of each node */
  constructor(seed: number, from: ReadonlyMap<string, readonly string[]> = new Map()) {
    super(seed, { delay: { min: 1, max: 4 } });
    this.#from = from;
  }

  /** @param bytesPerMilli  what each of its connections sends at most */
  start(name: string, bytesPerMilli?: number): RelayNode {
    const base = this.startNode(name, {}, bytesPerMilli);
    const streams = new StreamDirectory({
      clock: base.clock,
      limits: { streams: 100, waitingStreams: 100 },
      memoryLimits: DEFAULT_MEMORY_LIMITS,
      streamOptions: () => ({
        window: { prompt: 0 as Millis, patient: 0 as Millis },
        gop: DEFAULT_GOP_LIMITS,
        lag: DEFAULT_LAG_LIMITS,
        limits: DEFAULT_STREAM_LIMITS,
        allocate: (byteCount) => new Uint8Array(byteCount),
        newPublication: () => String(++this.#publicationIds).padStart(16, "0") as PublicationId,
      }),
      notice() {},
    });
    const relay = new Relay({
      self: name,
      streams,
      clock: base.clock,
      isShared: (key) => !key.startsWith("local/"),
      graceOf: () => GRACE,
      from: () => this.#from.get(name) ?? [],
      askHolder: () => Promise.resolve("free"),
      isLeaving: () => node.isLeaving,
      isHot: () => node.isHot,
    });
    const node: RelayNode = { ...base, streams, relay, homes: new Map(this.#rows), isHot: false, isLeaving: false };
    streams.follow(relay);
    base.services.add(relay);
    relay.follow({
      findHome: (_kind, key) => homeOf(node.homes.get(key)),
      onHome: (_kind, listener) => {
        this.#listeners.set(node, listener);
        return { [Symbol.dispose]: () => void this.#listeners.delete(node) };
      },
    });
    this.relays.set(name, node);
    return node;
  }

  get(name: string): RelayNode {
    return this.relays.get(name) as RelayNode;
  }

  row(key: string): StreamHome | undefined {
    return this.#rows.get(key);
  }

  /** The row changes; `undefined`: it is gone. */
  setRow(key: string, home: StreamHome | undefined): void {
    if (home === undefined) this.#rows.delete(key);
    else this.#rows.set(key, home);
    for (const node of this.relays.values()) {
      const delay = (1 + this.random() * 30) as Millis;
      this.clock.after(delay, () => node.clock.run(() => this.#learn(node, key)));
    }
  }

  publish(name: string, key: string, home = name): Encoder {
    const node = this.get(name);
    this.publications++;
    const encoder = new Encoder(node, key as StreamKey, { number: this.publications, clock: this.clock });
    this.setRow(key, { home, publisherAt: name, publication: encoder.publication.stream.publication });
    return encoder;
  }

  /** As kill -9. */
  end(name: string): void {
    const node = this.get(name);
    this.relays.delete(name);
    this.#listeners.delete(node);
    this.kill(name);
  }

  run(millis: number): void {
    this.clock.advance(millis);
  }

  runUntil(what: string, condition: () => boolean, limit = 10_000): void {
    for (let waited = 0; !condition(); waited += 5) {
      if (waited >= limit) throw new Error(`Waited ${limit} ms for ${what}`);
      this.run(5);
    }
  }

  #learn(node: RelayNode, key: string): void {
    const now = this.#rows.get(key);
    if (now === undefined) node.homes.delete(key);
    else node.homes.set(key, now);
    this.#listeners.get(node)?.(key);
  }
}

function homeOf(home: StreamHome | undefined) {
  return home && { ...home, incarnation: 1, isConfirmed: false as const };
}

/** 25 pictures and 25 sounds a second, a key frame every ten pictures, set-up and metadata first. */
export class Encoder {
  readonly number: number;
  readonly key: StreamKey;
  readonly node: RelayNode;
  readonly publication: Publication;
  readonly #clock: { readonly now: () => number };
  #sent = 0;
  isOver = false;

  constructor(
    node: RelayNode,
    key: StreamKey,
    { number, clock }: { readonly number: number; readonly clock: { readonly now: () => number } },
  ) {
    this.node = node;
    this.key = key;
    this.number = number;
    this.#clock = clock;
    const facts = { sessionId: "", protocol: "test", address: "", agent: "" };
    const holder = { replaced() {}, confirm: () => Promise.resolve() };
    const answer = node.streams.publish(key, { whenTaken: "replace", grace: GRACE }, facts, holder);
    assert.equal(answer.answer, "accepted");
    this.publication = (answer as Extract<typeof answer, { answer: "accepted" }>).publication;
    this.#push("data", "metadata", 0);
    this.#push("video", "config", 0);
    this.#push("audio", "config", 0);
  }

  /** How many pictures were sent. */
  get sent(): number {
    return this.#sent;
  }

  /** One picture and one sound. @param bytes  of the picture */
  send(bytes = 0): void {
    if (this.isOver || !this.publication.isCurrent) return;
    const n = this.#sent++;
    this.#push("video", n % GOP_FRAMES === 0 ? "key" : "delta", n, bytes);
    this.#push("audio", "delta", n);
    this.publication.stream.deliver();
  }

  end(how: "unpublished" | "lost" = "unpublished"): void {
    this.isOver = true;
    this.publication.end(how);
  }

  #push(kind: FrameKind, role: FrameRole, number: number, bytes = 0): void {
    this.publication.stream.push(unit({ kind, role, number, publication: this.number, bytes }, this.#clock.now()));
  }
}

export function unit(
  of: { kind: FrameKind; role: FrameRole; number: number; publication: number; bytes?: number },
  timestamp: number,
): PublishedUnit {
  const body = new Uint8Array(10 + (of.bytes ?? 0));
  body.set([KINDS.indexOf(of.kind), ROLES.indexOf(of.role)]);
  new DataView(body.buffer).setUint32(2, of.publication);
  new DataView(body.buffer).setUint32(6, of.number);
  return {
    kind: of.kind,
    role: of.role,
    trackId: 0,
    codec: of.kind === "video" ? "avc1" : of.kind === "audio" ? "mp4a" : "",
    timestamp,
    compositionTime: 0 as Millis,
    body,
    data: body,
    isMultitrack: false,
    hasModEx: false,
  };
}

/** A viewer that fails where time goes back on a track, or a picture comes without what it needs. */
export class Viewer {
  readonly node: RelayNode;
  readonly key: StreamKey;
  readonly items: Item[] = [];
  readonly notices: string[] = [];
  isOver = false;
  readonly #stream: LiveStream;
  readonly #subscriber: Subscriber;
  readonly #last = new Map<FrameKind, Item>();

  constructor(node: RelayNode, key: string) {
    this.node = node;
    this.key = key as StreamKey;
    this.#stream = node.streams.acquire(this.key) as LiveStream;
    this.#subscriber = this.#stream.subscribe({
      sink: this.#sink(),
      form: FORM,
      isPatient: false,
      startAt: "cached-gop",
    }) as Subscriber;
  }

  /** Of the last picture. */
  get picture(): Item | undefined {
    return this.#last.get("video");
  }

  leave(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#stream.unsubscribe(this.#subscriber);
    this.node.streams.release(this.key);
  }

  #sink(): SubscriberSink {
    const take = (bytes: Uint8Array): void => {
      for (const item of itemsIn(bytes)) this.#note(item);
    };
    return {
      burstBytes: 2 ** 20,
      isFull: false,
      takenBytes: 0,
      write(bytes) {
        take(bytes);
        return true;
      },
      writeAll(pieces) {
        for (const piece of pieces) take(piece);
        return true;
      },
      whenDrained() {},
      notify: (notice) => this.notices.push(notice),
      end: () => {
        this.isOver = true;
        this.node.streams.release(this.key);
      },
    };
  }

  #note(item: Item): void {
    this.items.push(item);
    if (item.role !== "key" && item.role !== "delta") return;
    const before = this.#last.get(item.kind);
    this.#last.set(item.kind, item);
    const what = `${this.node.name}: ${JSON.stringify(before)} then ${JSON.stringify(item)}`;
    if (before !== undefined) assert.ok(serialDistance(before.dts, item.dts) >= 0, `time goes back at ${what}`);
    if (item.kind !== "video" || item.role === "key") return;
    const follows = before?.publication === item.publication && before.number === item.number - 1;
    assert.ok(follows, `a picture without its predecessor at ${what}`);
  }
}

const RECORD = 14;
const FORM: WireForm = {
  id: "items",
  carry: (frame: Frame) => frame.body,
  byteCount: (_kind, _dts, _bodyBytes) => RECORD,
  encodeInto(target, offset, _kind, dts, body) {
    target.set(body.subarray(0, 10), offset);
    new DataView(target.buffer, target.byteOffset).setUint32(offset + 10, dts);
    return offset + RECORD;
  },
  opening: () => undefined,
};

function itemsIn(bytes: Uint8Array): Item[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: bytes.length / RECORD }, (_, i) => {
    const at = i * RECORD;
    return {
      kind: KINDS[bytes[at] as number] as FrameKind,
      role: ROLES[bytes[at + 1] as number] as FrameRole,
      publication: view.getUint32(at + 2),
      number: view.getUint32(at + 6),
      dts: view.getUint32(at + 10),
    };
  });
}
