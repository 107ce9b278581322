/** The viewers of one stream that get the same bytes: each frame is encoded once, each flush is one write a viewer. */
import type { Millis } from "@sluice/base/brand";
import type { Clock, Timer } from "@sluice/base/clock";
import { CohortLog, MAX_SLAB_BYTES, MIN_SLAB_BYTES, type Position } from "./cohort-log.ts";
import type { DeliveryCounts } from "./delivery-counts.ts";
import type { DeliveryWindow } from "./delivery-window.ts";
import type { Frame, Timestamp } from "./frame.ts";
import { CatchUpReaders } from "./catch-up-readers.ts";
import type { LagLimits } from "./limits.ts";
import { Paces } from "./paces.ts";
import { encodeFrame, type Prelude } from "./prelude.ts";
import type { Slice, Subscriber } from "./subscriber.ts";
import type { SubscriberSink } from "./subscriber-sink.ts";
import type { ExpectedTracks } from "./track-table.ts";
import type { WireForm } from "./wire-form.ts";

/** How often lagging subscribers are looked at; a fraction of the shortest useful stall timeout. */
const SWEEP = 1_000 as Millis;

export interface CohortOptions {
  readonly form: WireForm;
  readonly clock: Clock;
  readonly window: DeliveryWindow;
  readonly lag: LagLimits;
  readonly allocate: (byteCount: number) => Uint8Array;
  /** See `FrameSource`. */
  readonly pull: () => boolean;
  /** No turn is due in one of its groups any more. */
  readonly stopped: () => void;
  readonly counts: DeliveryCounts;
  /** What a joiner hears first that starts with the cached GOP. */
  readonly gopPrelude: () => Prelude;
  /** The same for one that starts at `dts`. */
  readonly prelude: (dts: Timestamp) => Prelude;
  /** The tracks that frames may come of. */
  readonly expected: () => ExpectedTracks;
  /** What the log holds has changed by so many bytes. */
  readonly heldMore: (delta: number) => void;
  /** How long a joiner waits for a key frame, once frames flow, before it gets what there is. */
  readonly keyPatience: Millis;
  /** The subscriber took nothing for too long: to be taken off and told. */
  readonly stalled: (subscriber: Subscriber) => void;
  /**
   * `gop`: the log keeps the encoded GOP for joiners. `unsent`: it keeps no more than what is not yet written, and each
   * joiner's GOP is encoded for it alone from `gopFrames`; for cohorts beyond a stream's limit, and for further views of
   * one peer. `gopFrames` serves those too that came when the GOPs together were too many bytes.
   */
  readonly retention: "gop" | "unsent";
  readonly gopFrames: () => readonly Frame[];
}

export class Cohort {
  readonly form: WireForm;
  readonly #options: CohortOptions;
  readonly #log: CohortLog;
  readonly #paces: Paces;
  readonly #laggards: CatchUpReaders;
  readonly #awaiting = new Set<Subscriber>();
  /** Where the cached GOP begins; `undefined` while there is none. One that `isOver` is for those that lag alone. */
  #gop: { readonly start: Position; readonly prelude: Prelude; isOver: boolean } | undefined;
  /** Of the first frame of this publication that came by here. */
  #flowingSince: Millis | undefined;
  #lastDts = 0 as Timestamp;
  #memberCount = 0;
  /** What the log held when that was last told. */
  #notedBytes = 0;
  #sweeper: Timer | undefined;
  readonly #onDrained = (subscriber: Subscriber): void => this.#laggards.catchUp(subscriber);

  constructor(options: CohortOptions) {
    this.form = options.form;
    this.#options = options;
    this.#log = new CohortLog(options.allocate, options.retention === "gop" ? MAX_SLAB_BYTES : MIN_SLAB_BYTES);
    const flush = (slice: Slice): boolean => this.#flush(slice);
    this.#paces = new Paces({ ...options, flush }, options.window);
    this.#laggards = new CatchUpReaders({
      ...options,
      log: this.#log,
      stallTimeout: options.lag.stallTimeout,
      homeOf: (subscriber, home) => this.#paces.homeFor(subscriber, home, this.#log.end),
      flush,
      seat: (subscriber, home) => this.#paces.seat(subscriber, home),
      lost: (subscriber) => this.#skip(subscriber),
      watch: () => this.#armSweeper(),
    });
  }

  get size(): number {
    return this.#memberCount;
  }

  get heldBytes(): number {
    return this.#log.heldBytes;
  }

  /** Bytes of the encoded GOP that it keeps for joiners. */
  get gopBytes(): number {
    return this.#gop === undefined ? 0 : this.#log.end - this.#gop.start;
  }

  /** Keeps none until the next key frame: joiners have the cached frames encoded for them, or wait. */
  dropGop(): void {
    this.#gop = undefined;
    this.#trim();
  }

  /** Encodes a frame. `gop`: whether it opens a GOP for joiners, goes on with one, or there is none. */
  append(frame: Frame, gop: "opened" | "continued" | "none"): void {
    const { form, clock } = this.#options;
    const now = clock.now();
    this.#lastDts = frame.dts;
    this.#flowingSince ??= now;
    if (this.#awaiting.size > 0) this.#armSweeper();
    if (gop === "opened") this.#openGop();
    else if (gop === "none") this.#gop = undefined;
    const body = form.carry(frame);
    if (body === undefined) return;
    const byteCount = form.byteCount(frame.kind, frame.dts, body.length);
    const slab = this.#log.append(byteCount, now, (target, offset) => {
      form.encodeInto(target, offset, frame.kind, frame.dts, body);
    });
    if (slab === "new-slab") this.#trim();
  }

  /** The frames of one arrival are appended: time to write, or to plan it. */
  deliver(): void {
    this.#paces.deliver();
    this.#laggards.catchUpAll();
  }

  /**
   * `cached-gop`: from the last key frame; `next-key`: from the coming one; `live-edge`: from the next frame, without
   * prelude. Without a cached GOP the first becomes the second.
   */
  join(subscriber: Subscriber, startAt: "cached-gop" | "next-key" | "live-edge"): void {
    this.#memberCount++;
    subscriber.onDrained = this.#onDrained;
    if (startAt === "live-edge") this.#startAtEnd(subscriber, undefined);
    else if (startAt === "next-key") this.#awaitKey(subscriber);
    else if (this.#gop?.isOver === false) this.#startAtGop(subscriber, this.#gop);
    else if (this.#options.gopFrames().length > 0) this.#startWithOwnGop(subscriber, this.#options.gopFrames());
    else this.#awaitKey(subscriber);
  }

  /** The subscriber announced a buffer, or that it has none. */
  setPatience(subscriber: Subscriber, isPatient: boolean): void {
    if (subscriber.isPatient === isPatient) return;
    const state = subscriber.state;
    if (state.at === "in-step") {
      this.#paces.remove(subscriber, state.slice);
      this.#laggards.add(subscriber, state.slice, state.slice.cursor);
    }
    subscriber.isPatient = isPatient;
    this.#laggards.catchUp(subscriber);
  }

  /** Hands over what is still owed if the transport takes it, then forgets the subscriber. */
  leave(subscriber: Subscriber): void {
    const state = subscriber.state;
    if (state.at === "left") return;
    this.#laggards.remove(subscriber);
    this.#awaiting.delete(subscriber);
    subscriber.state = { at: "left" };
    subscriber.onDrained = undefined;
    this.#memberCount--;
    if (state.at !== "in-step") return;
    this.#paces.remove(subscriber, state.slice);
    const { end } = this.#log;
    if (state.slice.cursor < end) this.#laggards.write(subscriber, [this.#log.run(state.slice.cursor, end)]);
  }

  /** A lagging one hears of an end behind the last frame. */
  notify(subscriber: Subscriber, notice: "published" | "unpublished"): void {
    this.#laggards.notify(subscriber, notice);
  }

  /** A turn of its flush is due. */
  get isBeating(): boolean {
    return this.#paces.isBeating;
  }

  /** Somebody would get frames now, or before its turn is due. */
  get isListening(): boolean {
    return this.#paces.isListening;
  }

  /** The cached GOP belongs to a publication that is over: joiners wait for the next key frame. */
  endGop(): void {
    if (this.#gop !== undefined) this.#gop.isOver = true;
    this.#flowingSince = undefined;
  }

  /** Writes all that is owed now, as far as transports take it. */
  flush(): void {
    for (const slice of this.#paces.slices) this.#flush(slice);
    this.#laggards.catchUpAll();
  }

  close(): void {
    this.#paces.stop();
    this.#sweeper?.cancel();
    this.#noteHeld(0);
  }

  #flush(slice: Slice): boolean {
    const { end } = this.#log;
    if (slice.cursor === end) return false;
    const batch = this.#log.run(slice.cursor, end);
    slice.cursor = end;
    const { members, sinks } = slice;
    const { counts } = this.#options;
    counts.bytesOut += batch.length * members.length;
    counts.writes += members.length;
    for (let i = sinks.length - 1; i >= 0; i--) {
      if (!(sinks[i] as SubscriberSink).write(batch)) this.#fallBehind(members[i] as Subscriber, slice);
    }
    return true;
  }

  #fallBehind(subscriber: Subscriber, slice: Slice): void {
    const { state } = subscriber;
    if (state.at !== "in-step" || state.slice !== slice) return; // it left inside the write
    this.#options.counts.lags++;
    this.#paces.remove(subscriber, slice);
    this.#laggards.add(subscriber, slice, slice.cursor);
    this.#laggards.waitForDrain(subscriber);
  }

  #startAtGop(subscriber: Subscriber, gop: { readonly start: Position; readonly prelude: Prelude }): void {
    const home = this.#paces.sliceFor(subscriber, this.#log.end);
    if (home.cursor <= gop.start) this.#flush(home);
    this.#laggards.add(subscriber, home, gop.start, gop.prelude);
    this.#laggards.catchUp(subscriber);
  }

  #startAtEnd(subscriber: Subscriber, prelude: Prelude | undefined): void {
    const home = this.#paces.sliceFor(subscriber, this.#log.end);
    this.#laggards.add(subscriber, home, this.#log.end, prelude);
    this.#laggards.catchUp(subscriber);
  }

  #startWithOwnGop(subscriber: Subscriber, frames: readonly Frame[]): void {
    const { form, allocate, gopPrelude } = this.#options;
    const pieces = frames.flatMap((frame) => encodeFrame(form, frame, allocate) ?? []);
    pieces.unshift(this.#laggards.encodePrelude(subscriber, gopPrelude()));
    const home = this.#paces.sliceFor(subscriber, this.#log.end);
    this.#flush(home);
    this.#laggards.add(subscriber, home, this.#log.end);
    const ownBytes = pieces.reduce((sum, piece) => sum + piece.length, 0);
    if (this.#laggards.write(subscriber, pieces, ownBytes)) this.#laggards.catchUp(subscriber);
    else this.#laggards.waitForDrain(subscriber);
  }

  /** Without frames nobody waits in vain: the first one sees to it that they are looked at. */
  #awaitKey(subscriber: Subscriber): void {
    subscriber.state = { at: "awaiting-key", since: this.#options.clock.now() };
    this.#awaiting.add(subscriber);
    this.#laggards.sayFarewell(subscriber);
  }

  /** Those who waited for this key frame read from here; `deliver` writes to them. */
  #openGop(): void {
    const start = this.#log.end;
    const prelude = this.#options.gopPrelude();
    this.#gop = this.#options.retention === "gop" ? { start, prelude, isOver: false } : undefined;
    for (const subscriber of this.#awaiting) {
      const home = this.#paces.sliceFor(subscriber, start);
      this.#flush(home);
      this.#laggards.add(subscriber, home, start, prelude);
    }
    this.#awaiting.clear();
  }

  #skip(subscriber: Subscriber): void {
    subscriber.skips++;
    this.#options.counts.skips++;
    this.#laggards.remove(subscriber);
    if (this.#gop === undefined) this.#awaitKey(subscriber);
    else this.#startAtGop(subscriber, this.#gop);
  }

  #armSweeper(): void {
    this.#sweeper ??= this.#options.clock.after(SWEEP, () => this.#sweep());
  }

  /** Ends those that took nothing for too long, and starts those that wait for a key frame that does not come. */
  #sweep(): void {
    const { clock, keyPatience, prelude, stalled, counts } = this.#options;
    const now = clock.now();
    this.#sweeper = undefined;
    for (const subscriber of this.#laggards.stalled()) {
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
    if (this.#laggards.size > 0 || (this.#awaiting.size > 0 && this.#flowingSince !== undefined)) this.#armSweeper();
  }

  #trim(): void {
    const { clock, lag } = this.#options;
    let kept = this.#gop?.start ?? this.#log.end;
    for (const slice of this.#paces.slices) kept = Math.min(kept, slice.cursor);
    this.#log.trim({
      needed: this.#laggards.lowest(kept),
      kept,
      olderThan: (clock.now() - lag.maxAge) as Millis,
      maxBytes: lag.maxBytes,
    });
    this.#noteHeld(this.#log.heldBytes);
  }

  #noteHeld(byteCount: number): void {
    const delta = byteCount - this.#notedBytes;
    this.#notedBytes = byteCount;
    if (delta !== 0) this.#options.heldMore(delta);
  }
}
