/** Media as tests compare it: what went in and what came out, unit by unit, with times and bytes. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { serialDistance } from "@sluice/base/serial-number";
import { ByteQueue } from "@sluice/bytes/byte-queue";
import { parseAudioBody } from "@sluice/formats/flv/audio-body";
import { type FlvHeader, takeFlvHeader, takeTag } from "@sluice/formats/flv/flv-tag";
import { parseVideoBody } from "@sluice/formats/flv/video-body";

/** One FLV tag or RTMP message. */
export interface Unit {
  readonly kind: "audio" | "video" | "data";
  /** Milliseconds, 0 to 2³² − 1. */
  readonly timestamp: number;
  readonly body: Uint8Array;
}

/** Takes FLV bytes as they come and answers the units in them. */
export class FlvReader {
  readonly #queue = new ByteQueue();
  #header: FlvHeader | undefined;

  /** What the file says is in it, once that came. */
  get header(): FlvHeader | undefined {
    return this.#header;
  }

  take(bytes: Uint8Array): Unit[] {
    this.#queue.offer(bytes);
    this.#header ??= takeFlvHeader(this.#queue);
    const units: Unit[] = [];
    if (this.#header === undefined) return units;
    for (let tag = takeTag(this.#queue); tag !== undefined; tag = takeTag(this.#queue)) {
      assert.ok(tag.isBackPointerRight, "every back pointer is right");
      const kind = tag.type === "script" ? "data" : tag.type;
      units.push({ kind, timestamp: tag.timestamp, body: new Uint8Array(tag.body) });
    }
    return units;
  }
}

export function readFlvFile(path: string): Unit[] {
  return new FlvReader().take(readFileSync(path));
}

export function isCoded({ kind, body }: Unit): boolean {
  if (kind === "data") return false;
  return (kind === "video" ? parseVideoBody(body) : parseAudioBody(body)).packet === "coded-frames";
}

export function isConfig({ kind, body }: Unit): boolean {
  if (kind === "data") return false;
  return (kind === "video" ? parseVideoBody(body) : parseAudioBody(body)).packet === "sequence-start";
}

export function isKey({ kind, body }: Unit): boolean {
  return kind === "video" && parseVideoBody(body).isKeyframe;
}

/** Coded frames only, as text that names kind, time and bytes: two lists of it compare readably. */
export function codedFrames(units: readonly Unit[]): string[] {
  return units.filter(isCoded).map(describeUnit);
}

export function describeUnit({ kind, timestamp, body }: Unit): string {
  return `${kind} ${timestamp} ${body.length} ${createHash("sha256").update(body).digest("hex").slice(0, 16)}`;
}

/** The same frames in the same order, none missing, none twice. */
export function assertSameFrames(received: readonly Unit[], sent: readonly Unit[], who: string): void {
  assertSameList(codedFrames(received), codedFrames(sent), who);
}

/** From the frame it joined at, a key frame, to the last one sent. */
export function assertTailOfFrames(received: readonly Unit[], sent: readonly Unit[], who: string): void {
  const frames = codedFrames(received);
  const all = codedFrames(sent);
  const first = received.find((unit) => isCoded(unit));
  assert.ok(first !== undefined && frames[0] !== undefined, `${who} received frames`);
  assert.ok(isKey(first), `${who} began with a key frame`);
  assertSameList(frames, all.slice(all.indexOf(frames[0])), who);
}

export function assertSameList(received: readonly string[], sent: readonly string[], who: string): void {
  const differs = sent.findIndex((item, i) => received[i] !== item);
  const at = differs < 0 ? sent.length : differs;
  const detail = `${who} got ${received.length} of ${sent.length}; at ${at}: got ${received[at] ?? "nothing"}, sent ${sent[at] ?? "nothing"}`;
  assert.ok(differs < 0 && received.length === sent.length, detail);
  assert.ok(sent.length > 0, "there was something to compare");
}

/** Never back within a kind, modulo 2³². */
export function assertTimeNeverBack(units: readonly Unit[], who: string): void {
  for (const kind of ["audio", "video"] as const) {
    const own = units.filter((unit) => unit.kind === kind && isCoded(unit));
    own.slice(1).forEach((unit, i) => {
      const before = (own[i] as Unit).timestamp;
      const message = `${who}: ${kind} goes from ${before} back to ${unit.timestamp}`;
      assert.ok(serialDistance(before, unit.timestamp) >= 0, message);
    });
  }
}

/** The widest step forward between two coded frames of one kind, in milliseconds. */
export function widestGap(units: readonly Unit[], kind: "audio" | "video"): number {
  const times = units.filter((unit) => unit.kind === kind && isCoded(unit)).map((unit) => unit.timestamp);
  return Math.max(0, ...times.slice(1).map((time, i) => serialDistance(times[i] as number, time)));
}

/** The same units with their clock moved, modulo 2³². */
export function restamp(units: readonly Unit[], shift: number): Unit[] {
  return units.map((unit) => ({ ...unit, timestamp: (unit.timestamp + shift) % 2 ** 32 }));
}
