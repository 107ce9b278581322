/** Streams on a fake clock, sinks that take, refuse or never drain, and a wire form whose records can be read back. */
import assert from "node:assert/strict";
import type { Millis } from "@sluice/base/brand";
import { serialDistance } from "@sluice/base/serial-number";
import type { Frame, FrameKind, FrameRole, PublicationId, PublishedUnit } from "@sluice/media/frame";
import { HeldMemory } from "@sluice/media/held-memory";
import {
  DEFAULT_GOP_LIMITS,
  DEFAULT_LAG_LIMITS,
  DEFAULT_MEMORY_LIMITS,
  DEFAULT_STREAM_LIMITS,
  type StreamLimits,
} from "@sluice/media/limits";
import { LiveStream, type LiveStreamOptions } from "@sluice/media/live-stream";
import type { StreamKey } from "@sluice/media/stream-key";
import type { SubscriberEnd, SubscriberSink } from "@sluice/media/subscriber-sink";
import type { WireForm } from "@sluice/media/wire-form";
import { FakeClock } from "@sluice/testkit/fake-clock";

export const ms = (millis: number): Millis => millis as Millis;

const KINDS = ["data", "video", "audio"] as const satisfies readonly FrameKind[];
const ROLES = ["config", "key", "delta", "metadata", "side"] as const satisfies readonly FrameRole[];
const OPENING = 9;
/** Body length, kind, dts. */
const RECORD_HEADER = 9;
/** Serial, kind, role, track. */
export const SMALLEST_BODY = 7;

export interface Item {
  readonly kind: FrameKind | "opening";
  readonly role: FrameRole;
  readonly dts: number;
  readonly trackId: number;
  readonly serial: number;
}

/** Units whose bodies tell which one they are. */
export class Units {
  #serial = 0;

  make(
    kind: FrameKind,
    role: FrameRole,
    timestamp: number,
    options: Partial<PublishedUnit> & { bytes?: number } = {},
  ): PublishedUnit {
    const { bytes = SMALLEST_BODY, ...rest } = options;
    const body = new Uint8Array(Math.max(SMALLEST_BODY, bytes));
    const view = new DataView(body.buffer);
    view.setUint32(0, ++this.#serial);
    body[4] = KINDS.indexOf(kind);
    body[5] = ROLES.indexOf(role);
    body[6] = rest.trackId ?? 0;
    const codec = kind === "video" ? "avc1" : kind === "audio" ? "mp4a" : "";
    return {
      kind,
      role,
      timestamp,
      compositionTime: ms(0),
      trackId: 0,
      codec,
      body,
      data: body,
      isMultitrack: false,
      hasModEx: false,
      ...rest,
    };
  }
}

/** Records of body length (u32), kind (u8), dts (u32), body. `mutes` withholds a kind. */
export function testForm(
  id: string,
  options: { mutes?: FrameKind; hasOpening?: boolean; sees?: (frame: Frame) => void } = {},
): WireForm {
  return {
    id,
    carry(frame) {
      options.sees?.(frame);
      return frame.kind === options.mutes ? undefined : frame.body;
    },
    byteCount: (_kind, _dts, bodyByteCount) => RECORD_HEADER + bodyByteCount,
    encodeInto: (target, offset, kind, dts, body) => writeRecord(target, offset, KINDS.indexOf(kind), dts, body),
    opening({ hasAudio, hasVideo }) {
      if (options.hasOpening !== true) return undefined;
      const bytes = new Uint8Array(RECORD_HEADER + SMALLEST_BODY);
      const body = new Uint8Array(SMALLEST_BODY);
      body[6] = (hasAudio ? 4 : 0) + (hasVideo ? 1 : 0);
      writeRecord(bytes, 0, OPENING, 0, body);
      return bytes;
    },
  };
}

function writeRecord(target: Uint8Array, offset: number, kind: number, dts: number, body: Uint8Array): number {
  const view = new DataView(target.buffer, target.byteOffset);
  view.setUint32(offset, body.length);
  view.setUint8(offset + 4, kind);
  view.setUint32(offset + 5, dts);
  target.set(body, offset + RECORD_HEADER);
  return offset + RECORD_HEADER + body.length;
}

export type Appetite = "eager" | "slow" | "dead";

/** Keeps what it was handed, with a copy to prove that nobody writes into it later. */
export class FakeSink implements SubscriberSink {
  readonly burstBytes: number;
  /** What its connection says; a test sets it. */
  isFull = false;
  /** Of the pieces in the last `writeAll`. */
  ownBytes = 0;
  readonly notices: string[] = [];
  readonly ends: SubscriberEnd[] = [];
  /** Calls of `write` and `writeAll`. */
  writes = 0;
  /** Runs inside each write, after it is noted. */
  onWrite: (() => void) | undefined;
  readonly #clock: FakeClock;
  readonly #pieces: { readonly view: Uint8Array; readonly copy: Uint8Array }[] = [];
  #appetite: Appetite;
  #room: number;
  readonly #capacity: number;
  #hasNoRoom = false;
  #taken = 0;
  #resume: (() => void) | undefined;

  /** @param capacity  bytes that a slow or dead sink takes before it is full */
  constructor(clock: FakeClock, appetite: Appetite = "eager", capacity = 0, burstBytes = 2 ** 20) {
    this.#clock = clock;
    this.#appetite = appetite;
    this.#capacity = capacity;
    this.#room = capacity;
    this.burstBytes = burstBytes;
  }

  get hasNoRoom(): boolean {
    return this.#hasNoRoom;
  }

  get takenBytes(): number {
    return this.#taken;
  }

  /** A slow reader takes a part of what it was handed. */
  nibble(): void {
    this.#taken++;
  }

  get appetite(): Appetite {
    return this.#appetite;
  }

  get byteCount(): number {
    return this.#pieces.reduce((sum, piece) => sum + piece.view.length, 0);
  }

  write(bytes: Uint8Array): boolean {
    return this.writeAll([bytes], 0);
  }

  writeAll(pieces: readonly Uint8Array[], ownBytes: number): boolean {
    this.ownBytes = ownBytes;
    assert.ok(!this.#hasNoRoom, "written to although it had not drained");
    assert.equal(this.ends.length, 0, "written to after its end");
    this.writes++;
    for (const view of pieces) this.#pieces.push({ view, copy: view.slice() });
    this.#room -= pieces.reduce((sum, piece) => sum + piece.length, 0);
    if (this.#appetite !== "eager" && this.#room < 0) this.#hasNoRoom = true;
    this.onWrite?.();
    return !this.#hasNoRoom;
  }

  whenDrained(resume: () => void): void {
    assert.equal(this.#resume, undefined, "asked twice");
    this.#resume = resume;
    if (!this.#hasNoRoom) this.#clock.after(ms(0), () => this.drain());
  }

  /** What a slow reader does at last. */
  drain(): void {
    if (this.#appetite === "dead") return;
    const resume = this.#resume;
    this.#resume = undefined;
    this.#hasNoRoom = false;
    this.#room = this.#capacity;
    resume?.();
  }

  /** From here on it takes everything. */
  becomeEager(): void {
    this.#appetite = "eager";
    this.drain();
  }

  notify(notice: "published" | "unpublished"): void {
    this.notices.push(notice);
  }

  end(reason: SubscriberEnd): void {
    this.ends.push(reason);
  }

  items(): Item[] {
    for (const { view, copy } of this.#pieces)
      assert.deepEqual(view, copy, "bytes changed after they were handed over");
    const bytes = new Uint8Array(this.byteCount);
    let at = 0;
    for (const { copy } of this.#pieces) {
      bytes.set(copy, at);
      at += copy.length;
    }
    return readRecords(bytes);
  }

  serials(): number[] {
    return this.items().map((item) => item.serial);
  }
}

function readRecords(bytes: Uint8Array): Item[] {
  const view = new DataView(bytes.buffer);
  const items: Item[] = [];
  let at = 0;
  while (at < bytes.length) {
    const bodyLength = view.getUint32(at);
    const kind = view.getUint8(at + 4);
    const body = at + RECORD_HEADER;
    items.push({
      kind: kind === OPENING ? "opening" : (KINDS[kind] as FrameKind),
      dts: view.getUint32(at + 5),
      serial: view.getUint32(body),
      role: ROLES[view.getUint8(body + 5)] as FrameRole,
      trackId: view.getUint8(body + 6),
    });
    at = body + bodyLength;
  }
  assert.equal(at, bytes.length, "ends inside a record");
  return items;
}

/** A window that tests move. */
export class TestWindow {
  prompt = ms(0);
  patient = ms(0);

  set(prompt: number, patient = prompt): void {
    this.prompt = ms(prompt);
    this.patient = ms(patient);
  }
}

export interface Stage {
  readonly clock: FakeClock;
  readonly window: TestWindow;
  readonly units: Units;
  readonly stream: LiveStream;
  push(
    kind: FrameKind,
    role: FrameRole,
    timestamp: number,
    options?: Partial<PublishedUnit> & { bytes?: number },
  ): number;
  /** Metadata and set-up of both tracks, at `timestamp`. */
  setUp(timestamp?: number): number[];
  join(sink: FakeSink, options?: JoinOptions): ReturnType<LiveStream["subscribe"]>;
}

export interface JoinOptions {
  readonly form?: WireForm;
  readonly isPatient?: boolean;
  readonly startAt?: "cached-gop" | "next-key";
}

export interface StageOptions extends Partial<Pick<LiveStreamOptions, "gop" | "lag" | "memory">> {
  readonly limits?: Partial<StreamLimits>;
}

/** A published stream without frames yet. */
export function stage(options: StageOptions = {}): Stage {
  const clock = new FakeClock();
  const window = new TestWindow();
  const units = new Units();
  const memory = options.memory ?? new HeldMemory(DEFAULT_MEMORY_LIMITS);
  const stream = new LiveStream({ key: "live/cam" as StreamKey, ...streamOptions(window, options), memory, clock });
  const push: Stage["push"] = (kind, role, timestamp, more) => {
    const unit = units.make(kind, role, timestamp, more);
    stream.push(unit);
    return new DataView(unit.body.buffer).getUint32(0);
  };
  stream.startPublication();
  return {
    clock,
    window,
    units,
    stream,
    push,
    setUp: (at = 0) => [push("data", "metadata", at), push("video", "config", at), push("audio", "config", at)],
    join: (sink, { form = testForm("plain"), isPatient = false, startAt = "cached-gop" } = {}) =>
      stream.subscribe({ sink, form, isPatient, startAt }),
  };
}

export function streamOptions(
  window: TestWindow,
  options: StageOptions = {},
): Omit<LiveStreamOptions, "key" | "clock" | "memory"> {
  return {
    window,
    gop: options.gop ?? DEFAULT_GOP_LIMITS,
    lag: options.lag ?? DEFAULT_LAG_LIMITS,
    limits: { ...DEFAULT_STREAM_LIMITS, ...options.limits },
    allocate: (byteCount) => new Uint8Array(byteCount),
    newPublication: publicationIds(),
  };
}

/** In ascending order. */
function publicationIds(): () => PublicationId {
  let count = 0;
  return () => String(++count).padStart(16, "0") as PublicationId;
}

/** P14: no track goes back, set-up of joiners included; metadata stamped 0 has no time. */
export function assertTimeGoesOn(items: readonly Item[]): void {
  const last = new Map<string, number>();
  for (const { kind, role, trackId, dts } of items) {
    if (kind === "opening" || (role === "metadata" && dts === 0)) continue;
    const before = last.get(`${kind}${trackId}`) ?? dts;
    assert.ok(serialDistance(before, dts) >= 0, `${kind} goes back from ${before} to ${dts}`);
    last.set(`${kind}${trackId}`, dts);
  }
}
