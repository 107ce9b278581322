/** The slices of a cohort that share a delivery window, and the turns in which they are flushed. */
import type { Millis } from "@sluice/base/brand";
import type { Clock, Timer } from "@sluice/base/clock";
import type { Position } from "./cohort-log.ts";
import { Slice, type Subscriber } from "./subscriber.ts";

/** From here on turns are spread over the window, and a publisher may be held back whether or not one is due. */
export const STAGGER_FROM = 50 as Millis;

/** Writes of one turn of a wide window; more would hold up the loop for longer than some 20 ms; fewer wake it, and the readers, more often. */
export const TURN_MEMBERS = 2048;

/** Slices of a narrow round between which the loop reads. */
const ROUND_STEP = 2;

/** Timers count whole milliseconds and ring that much too soon: a turn that waited for the rest would wake twice. */
const EARLY = 1 as Millis;

/** Of what a round took, this is added to a narrow window: writing to a crowd must leave time for everything else. */
const ROUND_SHARE = 0.5;

export interface SliceGroupOptions {
  readonly clock: Clock;
  readonly window: () => Millis;
  /** Whether frames that have arrived at the publisher's session will be delivered at once; see `FrameSource`. */
  readonly pull: () => boolean;
  /** There will be no turn, though there was to be one: whoever counted on it waits for nothing. */
  readonly stopped: () => void;
  /** Writes what a slice lacks; answers whether there was anything. */
  readonly flush: (slice: Slice) => boolean;
}

/** `waiting` for a turn; `pulling`: it is due, and waits for the frames that it pulled; `round`: some slices have had it. */
type Stage = "idle" | "waiting" | "pulling" | "round";

export class SliceGroup {
  readonly #options: SliceGroupOptions;
  readonly #slices: Slice[] = [];
  #memberCount = 0;
  #stage: Stage = "idle";
  /** Unless idle. */
  #timer: Timer | undefined;
  /** Slice that was flushed last; −1 before the first. */
  #last = -1;
  /** When the last turn was due; below a wide window, when the first frame came that waits. */
  #turnAt: Millis = 0 as Millis;
  /** Slices that have had their turn and wait for those before them. */
  #owed = 0;
  /** While some are owed. */
  #stepTimer: Timer | undefined;
  /** Slices flushed since something was appended, without bytes; a whole round of them stops the beat. */
  #idleSlices = 0;
  /** Of the round that goes on: when it began, the slices it has yet to flush, since when those flushed lack a frame. */
  #roundAt: Millis = 0 as Millis;
  #roundLeft = 0;
  #lackSince: Millis | undefined;
  /** Of the last one. */
  #roundTook = 0;

  constructor(options: SliceGroupOptions) {
    this.#options = options;
  }

  /** A turn is due, and will pull. */
  get isBeating(): boolean {
    return this.#stage === "waiting" || this.#stage === "pulling";
  }

  /** Somebody gets its frames as they are delivered, as no turn is due. */
  get isListening(): boolean {
    return !this.isBeating && this.#slices.length > 0;
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
    this.#memberCount++;
  }

  remove(subscriber: Subscriber, slice: Slice): void {
    slice.remove(subscriber);
    this.#memberCount--;
    if (slice.members.length > 0) return;
    const at = this.#slices.indexOf(slice);
    if (at < 0) return;
    this.#slices.splice(at, 1);
    if (at <= this.#last) this.#last--; // the one behind it is next, not passed over
    if (this.#slices.length === 0) this.#rest();
  }

  /** Whether `slice` still takes part. */
  has(slice: Slice): boolean {
    return this.#slices.includes(slice);
  }

  /** Frames were appended: flush now, or see to it that each slice has its turn within the window. */
  deliver(): void {
    if (this.#slices.length === 0) return;
    const window = this.#options.window();
    this.#idleSlices = 0;
    if (window === 0) {
      this.stop();
      this.#flushSome(this.#slices.length);
    } else if (this.#stage === "round") {
      this.#lackSince ??= this.#options.clock.now();
    } else if (this.#stage === "idle") {
      this.#turnAt = this.#options.clock.now();
      this.#arm(window);
    } else if (this.#stage === "pulling") {
      this.#timer?.cancel();
      this.#take();
    }
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#stage = "idle";
    this.#dropOwed();
  }

  #arm(window: Millis): void {
    const { clock } = this.#options;
    const wait = window < STAGGER_FROM ? window + this.#roundTook * ROUND_SHARE : this.#beat(window);
    this.#stage = "waiting";
    this.#timer = clock.after(Math.max(1, this.#turnAt + wait - clock.now()) as Millis, () => this.#turn());
  }

  #turn(): void {
    if (!this.#options.pull()) return this.#take();
    this.#stage = "pulling";
    this.#timer = this.#options.clock.afterPoll(() => this.#take());
  }

  #take(): void {
    this.#timer = undefined;
    this.#stage = "idle";
    const window = this.#options.window();
    if (window < STAGGER_FROM) return this.#beginRound();
    this.#takeTurns(window);
    if (this.#owed > 0 || !this.#isIdle) this.#arm(window);
  }

  /** Makes up for as many turns as beats have passed, at most one round; one at least, as a beat may have grown since it was armed. */
  #takeTurns(window: Millis): void {
    const now = this.#options.clock.now();
    const beat = this.#beat(window);
    const passed = Math.floor((now - this.#turnAt + EARLY) / beat);
    const due = Math.max(1, passed);
    const isOffBeat = passed < 1 || passed > this.#turnCount;
    const perTurn = Math.ceil(this.#slices.length / this.#turnCount);
    this.#turnAt = isOffBeat ? now : ((this.#turnAt + due * beat) as Millis);
    this.#owed = Math.min(this.#owed + due * perTurn, this.#slices.length);
    this.#stepTimer?.cancel();
    this.#stepTurns();
  }

  /** One slice after the other, and between two the loop goes round: what they left to it ends while it is at hand. */
  #stepTurns(): void {
    this.#stepTimer = undefined;
    if (this.#owed === 0) return;
    this.#owed--;
    this.#flushSome(1);
    if (this.#owed > 0) this.#stepTimer = this.#options.clock.afterPoll(() => this.#stepTurns());
    else if (this.#stage === "waiting" && this.#isIdle) this.#rest();
  }

  /** A whole round of slices had nothing to write. */
  get #isIdle(): boolean {
    return this.#idleSlices >= this.#slices.length;
  }

  #rest(): void {
    this.stop();
    this.#options.stopped();
  }

  #dropOwed(): void {
    this.#stepTimer?.cancel();
    this.#stepTimer = undefined;
    this.#owed = 0;
  }

  /** All slices, and between two of them the loop reads: a frame that comes meanwhile goes with those that are left. */
  #beginRound(): void {
    this.#dropOwed();
    this.#roundAt = this.#options.clock.now();
    this.#roundLeft = this.#slices.length;
    this.#lackSince = undefined;
    this.#stage = "round";
    this.#stepRound();
  }

  #stepRound(): void {
    const step = Math.min(ROUND_STEP, this.#roundLeft);
    this.#roundLeft -= step;
    this.#flushSome(step);
    if (this.#stage !== "round") return; // the last viewer left inside the write
    if (this.#roundLeft > 0) this.#timer = this.#options.clock.afterPoll(() => this.#stepRound());
    else this.#endRound();
  }

  #endRound(): void {
    this.#timer = undefined;
    this.#stage = "idle";
    this.#roundTook = this.#options.clock.now() - this.#roundAt;
    if (this.#lackSince === undefined) return;
    this.#turnAt = this.#lackSince;
    this.#arm(this.#options.window());
  }

  #flushSome(count: number): void {
    for (let left = count; left > 0; left--) {
      this.#last = (this.#last + 1) % this.#slices.length;
      const hadBytes = this.#options.flush(this.#slices[this.#last] as Slice);
      this.#idleSlices = hadBytes ? 0 : this.#idleSlices + 1;
      if (this.#slices.length === 0) return;
    }
  }

  get #turnCount(): number {
    return Math.max(1, Math.ceil(this.#memberCount / TURN_MEMBERS));
  }

  #beat(window: Millis): number {
    return window / this.#turnCount;
  }
}
