/** Subscribers that are not in step with a slice: new ones, those waiting for a key frame, and slow ones, which skip or are disconnected. */
import type { Millis } from "@sluice/base/brand";
import type { Clock, Timer } from "@sluice/base/clock";
import type { CohortLog, Position } from "./cohort-log.ts";
import type { CohortSlices, SliceWriter } from "./flush-scheduler.ts";
import type { Frame, Timestamp } from "./frame.ts";
import type { LagLimits } from "./limits.ts";
import { encodeFrame, encodePrelude, type Prelude } from "./prelude.ts";
import type { DeliveryCounts, Slice, Subscriber } from "./subscriber.ts";
import type { ExpectedTracks } from "./track-table.ts";
import type { WireForm } from "./wire-form.ts";

/** Interval at which slow subscribers are checked; a fraction of the shortest useful stall timeout. */
const SWEEP = 1_000 as Millis;

export interface CatchUpOptions {
  readonly form: WireForm;
  readonly clock: Clock;
  readonly counts: DeliveryCounts;
  readonly allocate: (byteCount: number) => Uint8Array;
  readonly lag: LagLimits;
  /** How long a joiner waits for a key frame, once frames flow, before it starts without one. */
  readonly keyPatience: Millis;
  /** The cached frames, for joiners when the log keeps no GOP. */
  readonly gopFrames: () => readonly Frame[];
  /** What a joiner is sent before the cached GOP. */
  readonly gopPrelude: () => Prelude;
  /** What a joiner is sent before a first frame at `dts`. */
  readonly prelude: (dts: Timestamp) => Prelude;
  /** The tracks on which frames are expected. */
  readonly expected: () => ExpectedTracks;
  /** Disconnects a subscriber whose transport took nothing for too long. */
  readonly stalled: (subscriber: Subscriber) => void;
}

/** The encoded GOP in the log. Once `isOver` it serves only slow subscribers: its publication has ended. */
interface LoggedGop {
  readonly start: Position;
  readonly prelude: Prelude;
  readonly isOver: boolean;
}

export class CatchUpReaders {
  readonly #options: CatchUpOptions;
  readonly #log: CohortLog;
  readonly #slices: CohortSlices;
  readonly #writer: SliceWriter;
  readonly #behind = new Set<Subscriber>();
  readonly #awaiting = new Set<Subscriber>();
  #gop: LoggedGop | undefined;
  /** Time of the first frame of this publication. */
  #flowingSince: Millis | undefined;
  #lastDts = 0 as Timestamp;
  #sweeper: Timer | undefined;
  readonly #onDrained = (subscriber: Subscriber): void => this.#catchUp(subscriber);

  /** @param writer  of the slices that subscribers catch up with */
  constructor(options: CatchUpOptions, log: CohortLog, slices: CohortSlices, writer: SliceWriter) {
    this.#options = options;
    this.#log = log;
    this.#slices = slices;
    this.#writer = writer;
  }

  /** Start of the GOP in the log; `undefined` while there is none. */
  get gopStart(): Position | undefined {
    return this.#gop?.start;
  }

  /** Position of the slowest reader; `above` if none reads below it. */
  lowest(above: Position): Position {
    let lowest = above;
    for (const { state } of this.#behind) if (state.at === "behind") lowest = Math.min(lowest, state.cursor);
    return lowest;
  }

  /** A frame is about to be appended. */
  note(dts: Timestamp, now: Millis): void {
    this.#lastDts = dts;
    this.#flowingSince ??= now;
    if (this.#awaiting.size > 0) this.#armSweeper();
  }

  /** The next frame opens a GOP: subscribers waiting for it read from here. @param isLogged  whether the log keeps it for joiners */
  openGop(isLogged: boolean): void {
    const start = this.#log.end;
    const prelude = this.#options.gopPrelude();
    this.#gop = isLogged ? { start, prelude, isOver: false } : undefined;
    for (const subscriber of this.#awaiting) {
      const home = this.#slices.of(subscriber).sliceWithRoom(start);
      this.#writer.flush(home);
      this.#add(subscriber, home, start, prelude);
    }
    this.#awaiting.clear();
  }

  /** From now on joiners get the cached frames encoded for them alone, or wait for the next key frame. */
  dropGop(): void {
    this.#gop = undefined;
  }

  /** The publication is over: joiners wait for the next key frame. */
  endGop(): void {
    if (this.#gop !== undefined) this.#gop = { ...this.#gop, isOver: true };
    this.#flowingSince = undefined;
  }

  /**
   * `cached-gop`: from the last key frame; `next-key`: from the next one; `live-edge`: from the next frame, without
   * prelude. Without a cached GOP the first is treated as the second.
   */
  join(subscriber: Subscriber, startAt: "cached-gop" | "next-key" | "live-edge"): void {
    subscriber.onDrained = this.#onDrained;
    if (startAt === "live-edge") this.#startAtEnd(subscriber, undefined);
    else if (startAt === "next-key") this.#awaitKey(subscriber);
    else if (this.#gop?.isOver === false) this.#startAtGop(subscriber, this.#gop);
    else if (this.#options.gopFrames().length > 0) this.#startWithOwnGop(subscriber, this.#options.gopFrames());
    else this.#awaitKey(subscriber);
  }

  /** Its transport did not take the whole batch of its slice. */
  fallBehind(subscriber: Subscriber, slice: Slice): void {
    const { state } = subscriber;
    if (state.at !== "in-step" || state.slice !== slice) return; // it left during the write
    this.#options.counts.lags++;
    this.#slices.of(subscriber).remove(subscriber, slice);
    this.#add(subscriber, slice, slice.cursor);
    this.#waitForDrain(subscriber);
  }

  /** The subscriber announced a buffer, or that it has none: it moves to a slice of the other kind. */
  setPatience(subscriber: Subscriber, isPatient: boolean): void {
    if (subscriber.isPatient === isPatient) return;
    const { state } = subscriber;
    if (state.at === "in-step") {
      this.#slices.of(subscriber).remove(subscriber, state.slice);
      this.#add(subscriber, state.slice, state.slice.cursor);
    }
    subscriber.isPatient = isPatient;
    this.#catchUp(subscriber);
  }

  /** Writes what its slice has yet to be sent, as far as the transport takes it, then forgets the subscriber. */
  leave(subscriber: Subscriber): void {
    const { state } = subscriber;
    this.#behind.delete(subscriber);
    this.#awaiting.delete(subscriber);
    subscriber.state = { at: "left" };
    subscriber.onDrained = undefined;
    if (state.at !== "in-step") return;
    this.#slices.of(subscriber).remove(subscriber, state.slice);
    const { end } = this.#log;
    if (state.slice.cursor < end) subscriber.write([this.#log.run(state.slice.cursor, end)], this.#options.counts);
  }

  catchUpAll(): void {
    for (const subscriber of this.#behind) if (!subscriber.isDraining) this.#catchUp(subscriber);
  }

  /** A slow subscriber is told of the end after its last frame, and not at all if a new publication starts before that. */
  notify(subscriber: Subscriber, notice: "published" | "unpublished"): void {
    const wasOwedEnd = subscriber.isOwedEnd;
    subscriber.isOwedEnd = notice === "unpublished" && this.#isOwedFrames(subscriber);
    if (!wasOwedEnd && !subscriber.isOwedEnd) subscriber.sink.notify(notice);
  }

  close(): void {
    this.#sweeper?.cancel();
  }

  /** @param prelude  sent first */
  #add(subscriber: Subscriber, home: Slice, cursor: Position, prelude?: Prelude): void {
    const since = this.#options.clock.now();
    subscriber.state = { at: "behind", home, cursor, since, prelude };
    this.#behind.add(subscriber);
  }

  #startAtGop(subscriber: Subscriber, gop: LoggedGop): void {
    const home = this.#slices.of(subscriber).sliceWithRoom(this.#log.end);
    if (home.cursor <= gop.start) this.#writer.flush(home);
    this.#add(subscriber, home, gop.start, gop.prelude);
    this.#catchUp(subscriber);
  }

  #startAtEnd(subscriber: Subscriber, prelude: Prelude | undefined): void {
    const { end } = this.#log;
    this.#add(subscriber, this.#slices.of(subscriber).sliceWithRoom(end), end, prelude);
    this.#catchUp(subscriber);
  }

  #startWithOwnGop(subscriber: Subscriber, frames: readonly Frame[]): void {
    const { form, allocate, gopPrelude, counts } = this.#options;
    const pieces = frames.flatMap((frame) => encodeFrame(form, frame, allocate) ?? []);
    pieces.unshift(this.#encodePrelude(subscriber, gopPrelude()));
    const home = this.#slices.of(subscriber).sliceWithRoom(this.#log.end);
    this.#writer.flush(home);
    this.#add(subscriber, home, this.#log.end);
    const ownBytes = pieces.reduce((sum, piece) => sum + piece.length, 0);
    if (subscriber.write(pieces, counts, ownBytes)) this.#catchUp(subscriber);
    else this.#waitForDrain(subscriber);
  }

  /** The first frame arms the sweeper: without a publisher there is nothing to wait for. */
  #awaitKey(subscriber: Subscriber): void {
    subscriber.state = { at: "awaiting-key", since: this.#options.clock.now() };
    this.#awaiting.add(subscriber);
    this.#notifyEnd(subscriber);
  }

  /** The log no longer holds what it would read next: it skips to the last key frame. */
  #skip(subscriber: Subscriber): void {
    subscriber.skips++;
    this.#options.counts.skips++;
    this.#behind.delete(subscriber);
    if (this.#gop === undefined) this.#awaitKey(subscriber);
    else this.#startAtGop(subscriber, this.#gop);
  }

  /** Writes one burst of what it lacks; adds it to its slice once it has caught up. */
  #catchUp(subscriber: Subscriber): void {
    const { state } = subscriber;
    if (state.at !== "behind") return;
    if (subscriber.isDraining) return this.#armSweeper();
    if (subscriber.sink.isFull) return this.#waitForDrain(subscriber);
    if (state.cursor < this.#log.start) return this.#skip(subscriber);
    const home = this.#slices.of(subscriber).sliceWithRoom(this.#log.end, state.home);
    if (home.cursor < state.cursor) this.#writer.flush(home);
    const burstEnd = state.cursor + subscriber.sink.burstBytes;
    const until = home.cursor <= burstEnd ? home.cursor : this.#log.cut(state.cursor, burstEnd);
    const pieces = this.#log.views(state.cursor, until);
    const prelude = state.prelude && this.#encodePrelude(subscriber, state.prelude);
    if (prelude !== undefined) pieces.unshift(prelude);
    this.#add(subscriber, home, until);
    const moved = subscriber.state;
    const wasTaken = subscriber.write(pieces, this.#options.counts, prelude?.length);
    if (subscriber.state !== moved) return; // it left during the write
    if (wasTaken && until === home.cursor) {
      this.#behind.delete(subscriber);
      this.#slices.of(subscriber).add(subscriber, home);
    } else {
      this.#waitForDrain(subscriber);
    }
    this.#notifyEnd(subscriber);
  }

  /** Continues once its transport has taken what was written. */
  #waitForDrain(subscriber: Subscriber): void {
    this.#armSweeper();
    subscriber.waitForDrain();
  }

  #encodePrelude(subscriber: Subscriber, prelude: Prelude): Uint8Array {
    const { form, allocate } = this.#options;
    const expected = this.#options.expected();
    const opening = subscriber.hasOpening ? undefined : form.opening(expected);
    subscriber.hasOpening = true;
    return encodePrelude(form, prelude, { expected, opening, allocate });
  }

  /** Tells it of the end of its publication once all frames have been written. */
  #notifyEnd(subscriber: Subscriber): void {
    if (!subscriber.isOwedEnd || this.#isOwedFrames(subscriber)) return;
    subscriber.isOwedEnd = false;
    subscriber.sink.notify("unpublished");
  }

  #isOwedFrames({ state }: Subscriber): boolean {
    return state.at === "behind" && (state.cursor < this.#log.end || state.prelude !== undefined);
  }

  #armSweeper(): void {
    this.#sweeper ??= this.#options.clock.after(SWEEP, () => this.#sweep());
  }

  /** Disconnects subscribers that took nothing for too long, and starts those whose key frame does not come. */
  #sweep(): void {
    const { clock, lag, keyPatience, prelude, stalled, counts } = this.#options;
    const now = clock.now();
    this.#sweeper = undefined;
    for (const subscriber of [...this.#behind].filter((one) => one.isStalled(now, lag.stallTimeout))) {
      counts.stalls++;
      stalled(subscriber);
    }
    const flowingSince = this.#flowingSince ?? now;
    for (const subscriber of this.#awaiting) {
      const { state } = subscriber;
      if (state.at !== "awaiting-key" || now - Math.max(state.since, flowingSince) < keyPatience) continue;
      this.#awaiting.delete(subscriber);
      this.#startAtEnd(subscriber, prelude(this.#lastDts));
    }
    if (this.#behind.size > 0 || (this.#awaiting.size > 0 && this.#flowingSince !== undefined)) this.#armSweeper();
  }
}
