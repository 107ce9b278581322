/** The slices of a cohort that share a delivery window, and the turns in which they are flushed. */
import type { Millis } from "@sluice/base/brand";
import type { Clock, Timer } from "@sluice/base/clock";
import type { Position } from "./cohort-log.ts";
import { Slice, type Subscriber } from "./subscriber.ts";

/** Below this window no publisher is held back, and all slices go in one turn, counted from the first frame that waits: fewer writes than a fixed beat. */
export const STAGGER_FROM = 50 as Millis;

/** Timers count whole milliseconds and ring that much too soon: a turn that waited for the rest would wake twice. */
const EARLY = 1 as Millis;

/** Frames that are delivered this soon after a flush came while it went on, and could not be read. */
const RIGHT_AFTER = 2 as Millis;

export interface SliceGroupOptions {
  readonly clock: Clock;
  readonly window: () => Millis;
  /** Whether frames that have arrived at the publisher's session will be delivered at once; see `FrameSource`. */
  readonly pull: () => boolean;
  /** Its last slice went: whoever counted on the next turn waits for nothing. */
  readonly stopped: () => void;
  /** Writes what a slice lacks; answers whether there was anything. */
  readonly flush: (slice: Slice) => boolean;
}

export class SliceGroup {
  readonly #options: SliceGroupOptions;
  readonly #slices: Slice[] = [];
  #timer: Timer | undefined;
  /** Slice whose turn was last; −1 before the first. */
  #turn = -1;
  /** When the last turn was due. */
  #turnAt: Millis = 0 as Millis;
  /** When the last flush of all slices ended, and how long it took. */
  #flushedAt = Number.NEGATIVE_INFINITY;
  #flushTook = 0;
  /** The turn is due, and waits for the frames that it pulled. */
  #isPulling = false;
  /** Turns since something was appended or flushed; a whole round of them stops the beat. */
  #idleTurns = 0;

  constructor(options: SliceGroupOptions) {
    this.#options = options;
  }

  /** A turn is due, and will pull. */
  get isBeating(): boolean {
    return this.#timer !== undefined;
  }

  get slices(): readonly Slice[] {
    return this.#slices;
  }

  /** A slice with room; a fresh one has nothing to catch up on. */
  sliceWithRoom(end: Position): Slice {
    const last = this.#slices[this.#slices.length - 1];
    if (last?.hasRoom) return last;
    const other = this.#slices.find((slice) => slice.hasRoom);
    if (other !== undefined) return other;
    const fresh = new Slice(end);
    this.#slices.push(fresh);
    return fresh;
  }

  /** A slice whose last member went in the meantime takes part again. */
  seat(subscriber: Subscriber, slice: Slice): void {
    if (!this.has(slice)) this.#slices.push(slice);
    slice.add(subscriber);
  }

  remove(subscriber: Subscriber, slice: Slice): void {
    slice.remove(subscriber);
    if (slice.members.length > 0) return;
    const at = this.#slices.indexOf(slice);
    if (at < 0) return;
    this.#slices.splice(at, 1);
    if (at <= this.#turn) this.#turn--; // the one behind it is next, not passed over
    if (this.#slices.length > 0) return;
    this.stop();
    this.#options.stopped();
  }

  /** Whether `slice` still takes part. */
  has(slice: Slice): boolean {
    return this.#slices.includes(slice);
  }

  /** Frames were appended: flush now, or see to it that each slice has its turn within the window. */
  deliver(): void {
    if (this.#slices.length === 0) return;
    const window = this.#options.window();
    this.#idleTurns = 0;
    if (window === 0) {
      this.stop();
      this.#flushAll();
    } else if (this.#timer === undefined) {
      this.#turnAt = this.#options.clock.now();
      this.#arm(window);
    } else if (this.#isPulling) {
      this.#timer.cancel();
      this.#onTimer();
    }
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#isPulling = false;
  }

  #arm(window: Millis): void {
    const now = this.#options.clock.now();
    const wait = window < STAGGER_FROM ? window - this.#waitedBefore(now) : this.#turnAt + this.#beat(window) - now;
    this.#timer = this.#options.clock.after(Math.max(1, wait) as Millis, () => this.#onTimer());
  }

  /** What frames that are delivered now have waited on average for the flush that went on when they came. */
  #waitedBefore(now: Millis): number {
    return now - this.#flushedAt < RIGHT_AFTER ? this.#flushTook / 2 : 0;
  }

  #onTimer(): void {
    this.#timer = undefined;
    const window = this.#options.window();
    if (window < STAGGER_FROM) {
      this.#isPulling = false;
      this.#options.pull(); // held under a wider window
      this.#flushAll();
      return;
    }
    if (!this.#isPulling && this.#options.pull()) {
      this.#isPulling = true;
      this.#timer = this.#options.clock.afterPoll(() => this.#onTimer());
      return;
    }
    this.#isPulling = false;
    this.#takeTurns(window);
    if (this.#slices.length > 0 && this.#idleTurns < this.#slices.length) this.#arm(window);
  }

  /** Flushes as many slices as beats have passed, at most one round. */
  #takeTurns(window: Millis): void {
    const now = this.#options.clock.now();
    const beat = this.#beat(window);
    const due = Math.floor((now - this.#turnAt + EARLY) / beat);
    this.#turnAt = (due > this.#slices.length ? now : this.#turnAt + due * beat) as Millis;
    for (let left = Math.min(due, this.#slices.length); left > 0; left--) {
      this.#turn = (this.#turn + 1) % this.#slices.length;
      const hadBytes = this.#options.flush(this.#slices[this.#turn] as Slice);
      this.#idleTurns = hadBytes ? 0 : this.#idleTurns + 1;
      if (this.#slices.length === 0) return;
    }
  }

  #beat(window: Millis): number {
    return window / this.#slices.length;
  }

  #flushAll(): void {
    const { clock, flush } = this.#options;
    const begunAt = clock.now();
    for (let i = this.#slices.length - 1; i >= 0; i--) flush(this.#slices[i] as Slice);
    this.#flushedAt = clock.now();
    this.#flushTook = this.#flushedAt - begunAt;
  }
}
