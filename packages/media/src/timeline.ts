/** Maps publishers' clocks onto one line of time that never goes back, across reconnects and encoder resets. */
import type { Millis } from "@sluice/base/brand";
import { serialAdd, serialDistance } from "@sluice/base/serial-number";
import type { FrameKind, PublishedUnit, Timestamp } from "./frame.ts";

/** A step back beyond this is an encoder whose clock began anew; below it, jitter that is held level. */
const RESET_STEP = 1_000 as Millis;

/** Distance put between the last frame before a clock reset and the first one after it. */
const RESET_GAP = 20 as Millis;

/** How far a joiner's set-up may be stamped before its first frame; above the usual skew between audio and video. */
const SET_UP_LEAD = 250 as Millis;

/**
 * Within a publication a constant is added, so times are the encoder's own; the first publication adds zero.
 * A republish goes on where the line stands, plus the time that passed; its first coded frame sets the constant, since
 * many encoders stamp metadata and set-up with zero whatever their clock says.
 */
export class Timeline {
  /** Added to the publisher's time, modulo 2³². */
  #offset = 0;
  #isPlaced = true;
  /** Furthest point handed out. */
  #head: Timestamp | undefined;
  #headAt: Millis = 0 as Millis;
  readonly #lastOfTrack = new Map<string, Timestamp>();

  /** Furthest point of the line; `undefined` before the first frame. */
  get head(): Timestamp | undefined {
    return this.#head;
  }

  /** The next timestamp comes from another publication. */
  startPublication(): void {
    this.#isPlaced = this.#head === undefined;
    if (this.#isPlaced) this.#offset = 0;
  }

  /** @param now  monotonic, to bridge the time between two publications */
  place(unit: Pick<PublishedUnit, "kind" | "role" | "trackId" | "timestamp">, now: Millis): Timestamp {
    const { role, timestamp } = unit;
    const isCoded = role === "key" || role === "delta";
    if (!this.#isPlaced) this.#continueAt(timestamp, Math.max(1, Math.round(now - this.#headAt)));
    if (isCoded) this.#isPlaced = true;
    const track = trackName(unit.kind, unit.trackId);
    const last = this.#lastOfTrack.get(track);
    let dts = serialAdd(timestamp, this.#offset) as Timestamp;
    if (last !== undefined && serialDistance(last, dts) < 0) dts = this.#forward(last, dts, timestamp);
    this.#lastOfTrack.set(track, dts);
    if (this.#head === undefined || serialDistance(this.#head, dts) > 0) this.#head = dts;
    this.#headAt = now;
    return dts;
  }

  /** When set-up of a track is due that a joiner hears before a frame at `dts`: where the track stands, or shortly before. */
  setUpTime(kind: FrameKind, trackId: number, dts: Timestamp): Timestamp {
    const last = this.#lastOfTrack.get(trackName(kind, trackId)) ?? dts;
    return serialDistance(dts, last) < -SET_UP_LEAD ? (serialAdd(dts, -SET_UP_LEAD) as Timestamp) : last;
  }

  #forward(last: Timestamp, dts: Timestamp, timestamp: number): Timestamp {
    if (serialDistance(last, dts) > -RESET_STEP) return last;
    this.#continueAt(timestamp, RESET_GAP);
    const rebased = serialAdd(timestamp, this.#offset) as Timestamp;
    return serialDistance(last, rebased) < 0 ? last : rebased; // behind only where tracks are half the circle apart
  }

  #continueAt(timestamp: number, gap: number): void {
    this.#offset = serialDistance(timestamp, serialAdd(this.#head as Timestamp, gap));
  }
}

function trackName(kind: FrameKind, trackId: number): string {
  return trackId === 0 ? kind : `${kind}${trackId}`;
}
