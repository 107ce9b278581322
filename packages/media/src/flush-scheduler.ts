/** Decides when the viewers of a live stream are written to: at each frame, or once for many frames within the delivery window. */
import type { Millis } from "@sluice/base/brand";
import type { Clock, Timer } from "@sluice/base/clock";
import type { Position } from "./cohort-log.ts";
import type { DeliveryWindow } from "./delivery-window.ts";
import { Slice, type Subscriber } from "./subscriber.ts";

/** From this window on the slices are flushed in shares, spread over the window; below it, all in one round. */
const WIDE = 50 as Millis;

/** Viewers of one share. More would block the loop for longer than some 20 ms; fewer wake it, and the players, more often. */
export const SHARE_MEMBERS = 2048;

/** Slices of a round that are flushed before the loop reads again. */
const ROUND_STEP = 2;

/** Timers count whole milliseconds and fire up to one too early: waiting for the rest would wake the loop twice. */
const EARLY = 1 as Millis;

/** This fraction of the last round's duration is added to a narrow window, so that writing to a crowd leaves time for other work. */
const ROUND_SHARE = 0.5;

/** How long a publisher stays unread while no flush is scheduled; joiners must not find an outdated stream. */
const IDLE_HOLD = 50 as Millis;
/** Longer than the widest automatic window, so that the flush pulls first; meanwhile the bytes must fit into the kernel's buffer. */
const LONGEST_HOLD = 400 as Millis;

/** A publisher's session that can leave frames in the kernel until they are about to be written, which wakes the loop less often. */
export interface FrameSource {
  /** @returns whether it held frames back; they are then pushed and delivered in the next round of the loop */
  pull(): boolean;
}

export interface SliceWriter {
  /** Writes what a slice lacks. @returns whether it lacked anything */
  flush(slice: Slice): boolean;
}

/** One for each live stream: its cohorts open their slices here, and the publisher's session reads `holdTime`. */
export class FlushScheduler {
  readonly clock: Clock;
  readonly window: DeliveryWindow;
  /** The publisher's session, if it can hold frames back. */
  source: FrameSource | undefined;
  /** Who passes the frames on to another node: each is read as it comes, since windows of two nodes would add up. */
  tapCount = 0;
  readonly #rotations = new Set<SliceRotation>();

  constructor(clock: Clock, window: DeliveryWindow) {
    this.clock = clock;
    this.window = window;
  }

  /** How long the source may leave the next frames unread unless pulled; 0 when that would delay a viewer. */
  get holdTime(): Millis {
    if (this.tapCount > 0) return 0 as Millis;
    let isScheduled = false;
    let isAnyUnscheduled = false;
    for (const rotation of this.#rotations) {
      if (rotation.isScheduled) isScheduled = true;
      else if (rotation.slices.length > 0) isAnyUnscheduled = true;
    }
    if (this.#rotations.size === 0 || this.window.prompt >= WIDE) return isScheduled ? LONGEST_HOLD : IDLE_HOLD;
    return isScheduled && !isAnyUnscheduled ? LONGEST_HOLD : (0 as Millis);
  }

  /** For a cohort that has viewers; `close` it with the last one. */
  open(writer: SliceWriter): CohortSlices {
    const slices = new CohortSlices(this, writer);
    for (const rotation of slices.rotations) this.#rotations.add(rotation);
    return slices;
  }

  close(slices: CohortSlices): void {
    for (const rotation of slices.rotations) {
      rotation.stop();
      this.#rotations.delete(rotation);
    }
  }

  /** A scheduled flush was cancelled. Unless another is due, nothing else pulls what the source left unread. */
  noteCancelled(): void {
    for (const rotation of this.#rotations) if (rotation.isScheduled) return;
    this.source?.pull();
  }
}

/** The slices of one cohort. Viewers that announced a buffer have separate ones, as they may wait longer. */
export class CohortSlices {
  readonly rotations: readonly [prompt: SliceRotation, patient: SliceRotation];

  constructor(scheduler: FlushScheduler, writer: SliceWriter) {
    this.rotations = [new SliceRotation(scheduler, writer, "prompt"), new SliceRotation(scheduler, writer, "patient")];
  }

  all(): Slice[] {
    return this.rotations.flatMap(({ slices }) => slices);
  }

  of({ isPatient }: Pick<Subscriber, "isPatient">): SliceRotation {
    return this.rotations[isPatient ? 1 : 0];
  }
}

/** `pulling`: the flush is due and waits for the frames that it pulled; `round`: some slices have been flushed. */
type Stage = "idle" | "scheduled" | "pulling" | "round";

/** Slices with one window, flushed in rotation. */
export class SliceRotation {
  readonly #scheduler: FlushScheduler;
  readonly #clock: Clock;
  readonly #writer: SliceWriter;
  readonly #windowOf: keyof DeliveryWindow;
  readonly #slices: Slice[] = [];
  #memberCount = 0;
  #stage: Stage = "idle";
  /** Set unless idle. */
  #timer: Timer | undefined;
  /** Slice that was flushed last; −1 before the first. */
  #last = -1;
  /** When the last share was due; with a narrow window, when the first waiting frame came. */
  #dueAt: Millis = 0 as Millis;
  /** Slices of due shares that wait for earlier ones. */
  #owed = 0;
  /** Set while slices are owed. */
  #owedTimer: Timer | undefined;
  /** Consecutive slices, since the last delivery, that lacked nothing. */
  #idleSlices = 0;
  /** Of the round in progress: its start, the slices not flushed yet, and since when the flushed ones lack a frame. */
  #roundAt: Millis = 0 as Millis;
  #roundLeft = 0;
  #lackSince: Millis | undefined;
  /** Duration of the last round. */
  #roundTook = 0;

  constructor(scheduler: FlushScheduler, writer: SliceWriter, windowOf: keyof DeliveryWindow) {
    this.#scheduler = scheduler;
    this.#clock = scheduler.clock;
    this.#writer = writer;
    this.#windowOf = windowOf;
  }

  /** A flush is due or scheduled, and will pull first. */
  get isScheduled(): boolean {
    return this.#stage === "scheduled" || this.#stage === "pulling";
  }

  get slices(): readonly Slice[] {
    return this.#slices;
  }

  /** `preferred` if it is in use and has room, else another; a new one begins at `end`, with nothing to catch up on. */
  sliceWithRoom(end: Position, preferred?: Slice): Slice {
    if (preferred?.hasRoom && this.#slices.includes(preferred)) return preferred;
    const last = this.#slices[this.#slices.length - 1];
    const known = last?.hasRoom ? last : this.#slices.find(({ hasRoom }) => hasRoom);
    if (known !== undefined) return known;
    const fresh = new Slice(end);
    this.#slices.push(fresh);
    return fresh;
  }

  /** Puts a slice back in use if its last member left in the meantime. */
  add(subscriber: Subscriber, slice: Slice): void {
    if (!this.#slices.includes(slice)) this.#slices.push(slice);
    slice.add(subscriber);
    this.#memberCount++;
  }

  remove(subscriber: Subscriber, slice: Slice): void {
    slice.remove(subscriber);
    this.#memberCount--;
    if (slice.members.length > 0) return;
    const at = this.#slices.indexOf(slice);
    this.#slices.splice(at, 1);
    if (at <= this.#last) this.#last--; // the next one must not be skipped
    if (this.#slices.length === 0) this.#cancel();
  }

  /** Frames were appended: flushes now, or makes sure that each slice is flushed within the window. */
  deliver(): void {
    if (this.#slices.length === 0) return;
    const window = this.#window;
    this.#idleSlices = 0;
    if (window === 0) {
      this.stop();
      this.#flushNext(this.#slices.length);
    } else if (this.#stage === "round") {
      this.#lackSince ??= this.#clock.now();
    } else if (this.#stage === "idle") {
      this.#dueAt = this.#clock.now();
      this.#schedule(window);
    } else if (this.#stage === "pulling") {
      this.#timer?.cancel();
      this.#run();
    }
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#stage = "idle";
    this.#owedTimer?.cancel();
    this.#owedTimer = undefined;
    this.#owed = 0;
  }

  #cancel(): void {
    this.stop();
    this.#scheduler.noteCancelled();
  }

  /** No slice lacks anything. */
  get #isLevel(): boolean {
    return this.#idleSlices >= this.#slices.length;
  }

  get #window(): Millis {
    return this.#scheduler.window[this.#windowOf];
  }

  #schedule(window: Millis): void {
    const wait = window < WIDE ? window + this.#roundTook * ROUND_SHARE : window / this.#shareCount;
    this.#stage = "scheduled";
    this.#timer = this.#clock.after(Math.max(1, this.#dueAt + wait - this.#clock.now()) as Millis, () => this.#pull());
  }

  #pull(): void {
    if (this.#scheduler.source?.pull() !== true) return this.#run();
    this.#stage = "pulling";
    this.#timer = this.#clock.afterPoll(() => this.#run());
  }

  #run(): void {
    this.#timer = undefined;
    this.#stage = "idle";
    const window = this.#window;
    if (window < WIDE) return this.#beginRound();
    this.#flushShares(window);
    if (this.#owed > 0 || !this.#isLevel) this.#schedule(window);
  }

  /** One share for each interval that has passed, at most all slices; at least one, as intervals grow when viewers leave. */
  #flushShares(window: Millis): void {
    const now = this.#clock.now();
    const shareCount = this.#shareCount;
    const interval = window / shareCount;
    const passed = Math.floor((now - this.#dueAt + EARLY) / interval);
    const due = Math.max(1, passed);
    const isOffTime = passed < 1 || passed > shareCount;
    const perShare = Math.ceil(this.#slices.length / shareCount);
    this.#dueAt = isOffTime ? now : ((this.#dueAt + due * interval) as Millis);
    this.#owed = Math.min(this.#owed + due * perShare, this.#slices.length);
    this.#owedTimer?.cancel();
    this.#flushOwed();
  }

  /** One slice after another, with a round of the loop in between, so that each write ends while its data is cached. */
  #flushOwed(): void {
    this.#owedTimer = undefined;
    this.#owed--;
    this.#flushNext(1);
    if (this.#owed > 0) this.#owedTimer = this.#clock.afterPoll(() => this.#flushOwed());
    else if (this.#stage === "scheduled" && this.#isLevel) this.#cancel();
  }

  /** All slices; the loop reads after every few of them, and a frame that arrives meanwhile goes to the remaining ones. */
  #beginRound(): void {
    this.stop(); // shares left over from a wide window
    this.#roundAt = this.#clock.now();
    this.#roundLeft = this.#slices.length;
    this.#lackSince = undefined;
    this.#stage = "round";
    this.#stepRound();
  }

  #stepRound(): void {
    const step = Math.min(ROUND_STEP, this.#roundLeft);
    this.#roundLeft -= step;
    this.#flushNext(step);
    if (this.#stage !== "round") return; // the last viewer left during the write
    this.#timer = this.#roundLeft > 0 ? this.#clock.afterPoll(() => this.#stepRound()) : undefined;
    if (this.#timer !== undefined) return;
    this.#stage = "idle";
    this.#roundTook = this.#clock.now() - this.#roundAt;
    if (this.#lackSince === undefined) return;
    this.#dueAt = this.#lackSince;
    this.#schedule(this.#window);
  }

  #flushNext(count: number): void {
    for (let left = count; left > 0; left--) {
      this.#last = (this.#last + 1) % this.#slices.length;
      const hadBytes = this.#writer.flush(this.#slices[this.#last] as Slice);
      this.#idleSlices = hadBytes ? 0 : this.#idleSlices + 1;
      if (this.#slices.length === 0) return;
    }
  }

  get #shareCount(): number {
    return Math.max(1, Math.ceil(this.#memberCount / SHARE_MEMBERS));
  }
}
