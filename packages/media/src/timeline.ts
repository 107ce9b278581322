/** Maps publishers' clocks onto one line of time that never goes back, across reconnects and encoder resets. */
import type { Millis } from "@sluice/base/brand";
import { serialAdd, serialDistance } from "@sluice/base/serial-number";
import type { FrameKind, Timestamp } from "./frame.ts";

/** A step back beyond this is an encoder whose clock began anew; below it, jitter that is held level. */
const RESET_STEP = 1_000 as Millis;

/** Distance put between the last frame before a clock reset and the first one after it. */
const RESET_GAP = 20 as Millis;

/**
 * Within a publication a constant is added, so times are the encoder's own; the first publication adds zero.
 * A republish goes on where the line stands, plus the time that passed.
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

  /**
   * @param timestamp  the publisher's, 0 to 2³² − 1
   * @param now  monotonic, to bridge the time between two publications
   */
  place(kind: FrameKind, trackId: number, timestamp: number, now: Millis): Timestamp {
    if (!this.#isPlaced) this.#continueAt(timestamp, Math.max(1, Math.round(now - this.#headAt)));
    const track = trackId === 0 ? kind : `${kind}${trackId}`;
    const last = this.#lastOfTrack.get(track);
    let dts = serialAdd(timestamp, this.#offset) as Timestamp;
    if (last !== undefined && serialDistance(last, dts) < 0) dts = this.#forward(last, dts, timestamp);
    this.#lastOfTrack.set(track, dts);
    if (this.#head === undefined || serialDistance(this.#head, dts) > 0) this.#head = dts;
    this.#headAt = now;
    return dts;
  }

  #forward(last: Timestamp, dts: Timestamp, timestamp: number): Timestamp {
    if (serialDistance(last, dts) > -RESET_STEP) return last;
    this.#continueAt(timestamp, RESET_GAP);
    return serialAdd(timestamp, this.#offset) as Timestamp;
  }

  #continueAt(timestamp: number, gap: number): void {
    this.#offset = serialDistance(timestamp, serialAdd(this.#head as Timestamp, gap));
    this.#isPlaced = true;
  }
}
