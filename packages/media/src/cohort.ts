/** The viewers of one stream that get the same bytes: each frame is encoded once, each flush is one write a viewer. */
import type { Millis } from "@sluice/base/brand";
import type { Clock, Timer } from "@sluice/base/clock";
import { CohortLog, MAX_SLAB_BYTES, MIN_SLAB_BYTES, type Position } from "./cohort-log.ts";
import type { DeliveryCounts } from "./delivery-counts.ts";
import type { DeliveryWindow } from "./delivery-window.ts";
import type { Frame, Timestamp } from "./frame.ts";
import type { LagLimits } from "./limits.ts";
import { encodeFrame, encodePrelude, type Prelude } from "./prelude.ts";
import { SliceGroup } from "./slice-group.ts";
import type { Slice, Subscriber } from "./subscriber.ts";
import type { SubscriberSink } from "./subscriber-sink.ts";
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
  /** How long a joiner waits for a key frame, once frames flow, before it gets what there is. */
  readonly keyPatience: Millis;
  /** The subscriber took nothing for too long: to be taken off and told. */
  readonly stalled: (subscriber: Subscriber) => void;
  /**
   * `gop`: the log keeps the encoded GOP for joiners. `unsent`: it keeps no more than what is not yet written, and each
   * joiner's GOP is encoded for it alone from `gopFrames`; for cohorts beyond a stream's limit.
   */
  readonly retention: "gop" | "unsent";
  readonly gopFrames: () => readonly Frame[];
}

export class Cohort {
  readonly form: WireForm;
  readonly #options: CohortOptions;
  readonly #log: CohortLog;
  readonly #prompt: SliceGroup;
  readonly #patient: SliceGroup;
  readonly #behind = new Set<Subscriber>();
  readonly #awaiting = new Set<Subscriber>();
  /** Where the cached GOP begins; `undefined` while there is none. */
  #gop: { readonly start: Position; readonly prelude: Prelude } | undefined;
  /** Of the first frame of this publication that came by here. */
  #flowingSince: Millis | undefined;
  #lastDts = 0 as Timestamp;
  #memberCount = 0;
  #sweeper: Timer | undefined;
  readonly #onDrained = (subscriber: Subscriber): void => this.#catchUp(subscriber);

  constructor(options: CohortOptions) {
    this.form = options.form;
    this.#options = options;
    this.#log = new CohortLog(options.allocate, options.retention === "gop" ? MAX_SLAB_BYTES : MIN_SLAB_BYTES);
    const { clock, window, pull, stopped } = options;
    const flush = (slice: Slice): boolean => this.#flush(slice);
    this.#prompt = new SliceGroup({ clock, flush, pull, stopped, window: () => window.prompt });
    this.#patient = new SliceGroup({ clock, flush, pull, stopped, window: () => window.patient });
  }

  get size(): number {
    return this.#memberCount;
  }

  get heldBytes(): number {
    return this.#log.heldBytes;
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
    this.#prompt.deliver();
    this.#patient.deliver();
    this.#catchUpAll();
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
    else if (this.#gop !== undefined) this.#startAtGop(subscriber, this.#gop);
    else if (this.#options.gopFrames().length > 0) this.#startWithOwnGop(subscriber, this.#options.gopFrames());
    else this.#awaitKey(subscriber);
  }

  /** The subscriber announced a buffer, or that it has none. */
  setPatience(subscriber: Subscriber, isPatient: boolean): void {
    if (subscriber.isPatient === isPatient) return;
    const state = subscriber.state;
    if (state.at === "in-step") {
      this.#groupOf(state.slice).remove(subscriber, state.slice);
      this.#setBehind(subscriber, state.slice, state.slice.cursor, undefined);
    }
    subscriber.isPatient = isPatient;
    this.#catchUp(subscriber);
  }

  /** Hands over what is still owed if the transport takes it, then forgets the subscriber. */
  leave(subscriber: Subscriber): void {
    const state = subscriber.state;
    if (state.at === "left") return;
    this.#behind.delete(subscriber);
    this.#awaiting.delete(subscriber);
    subscriber.state = { at: "left" };
    subscriber.onDrained = undefined;
    this.#memberCount--;
    if (state.at !== "in-step") return;
    this.#groupOf(state.slice).remove(subscriber, state.slice);
    const { end } = this.#log;
    if (state.slice.cursor < end) this.#write(subscriber, [this.#log.run(state.slice.cursor, end)]);
  }

  /** Every subscriber, in no order; the set may change while it is walked. */
  subscribers(): Subscriber[] {
    const inStep = [...this.#prompt.slices, ...this.#patient.slices].flatMap((slice) => slice.members);
    return [...inStep, ...this.#behind, ...this.#awaiting];
  }

  /** A turn of its flush is due. */
  get isBeating(): boolean {
    return this.#prompt.isBeating || this.#patient.isBeating;
  }

  /** Somebody would get frames now, or before its turn is due. */
  get isListening(): boolean {
    return this.#prompt.isListening || this.#patient.isListening;
  }

  /** The cached GOP belongs to a publication that is over: joiners wait for the next key frame. */
  forgetGop(): void {
    this.#gop = undefined;
    this.#flowingSince = undefined;
  }

  /** Writes all that is owed now, as far as transports take it. */
  flush(): void {
    for (const slice of [...this.#prompt.slices, ...this.#patient.slices]) this.#flush(slice);
    this.#catchUpAll();
  }

  close(): void {
    this.#prompt.stop();
    this.#patient.stop();
    this.#sweeper?.cancel();
  }

  #group(subscriber: Subscriber): SliceGroup {
    return subscriber.isPatient ? this.#patient : this.#prompt;
  }

  #groupOf(slice: Slice): SliceGroup {
    return this.#patient.has(slice) ? this.#patient : this.#prompt;
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
    this.#groupOf(slice).remove(subscriber, slice);
    this.#setBehind(subscriber, slice, slice.cursor, undefined);
    this.#waitForDrain(subscriber);
  }

  #setBehind(subscriber: Subscriber, home: Slice, cursor: Position, prelude: Prelude | undefined): void {
    const since = this.#options.clock.now();
    subscriber.state = { at: "behind", home, cursor, since, prelude };
    this.#behind.add(subscriber);
  }

  #waitForDrain(subscriber: Subscriber): void {
    this.#armSweeper();
    if (subscriber.isDraining) return;
    subscriber.isDraining = true;
    subscriber.sink.whenDrained(() => {
      subscriber.isDraining = false;
      subscriber.onDrained?.(subscriber);
    });
  }

  #startAtGop(subscriber: Subscriber, gop: { readonly start: Position; readonly prelude: Prelude }): void {
    const home = this.#group(subscriber).sliceWithRoom(this.#log.end);
    if (home.cursor <= gop.start) this.#flush(home);
    this.#setBehind(subscriber, home, gop.start, gop.prelude);
    this.#catchUp(subscriber);
  }

  #startAtEnd(subscriber: Subscriber, prelude: Prelude | undefined): void {
    const home = this.#group(subscriber).sliceWithRoom(this.#log.end);
    this.#setBehind(subscriber, home, this.#log.end, prelude);
    this.#catchUp(subscriber);
  }

  #startWithOwnGop(subscriber: Subscriber, frames: readonly Frame[]): void {
    const { form, allocate, gopPrelude } = this.#options;
    const pieces = frames.flatMap((frame) => encodeFrame(form, frame, allocate) ?? []);
    pieces.unshift(this.#encodePrelude(subscriber, gopPrelude()));
    const home = this.#group(subscriber).sliceWithRoom(this.#log.end);
    this.#flush(home);
    this.#setBehind(subscriber, home, this.#log.end, undefined);
    if (this.#write(subscriber, pieces)) this.#catchUp(subscriber);
    else this.#waitForDrain(subscriber);
  }

  #encodePrelude(subscriber: Subscriber, prelude: Prelude): Uint8Array {
    const { form, allocate } = this.#options;
    const opening = subscriber.hasOpening ? undefined : this.#opening(prelude);
    subscriber.hasOpening = true;
    return encodePrelude(form, prelude, opening, allocate);
  }

  /** Tells of tracks that came since the prelude was fixed, too. */
  #opening(prelude: Prelude): Uint8Array | undefined {
    const now = this.#options.prelude(this.#lastDts);
    return this.#options.form.opening({
      hasAudio: prelude.hasAudio || now.hasAudio,
      hasVideo: prelude.hasVideo || now.hasVideo,
    });
  }

  /** Without frames nobody waits in vain: the first one sees to it that they are looked at. */
  #awaitKey(subscriber: Subscriber): void {
    subscriber.state = { at: "awaiting-key", since: this.#options.clock.now() };
    this.#awaiting.add(subscriber);
  }

  /** Those who waited for this key frame read from here; `deliver` writes to them. */
  #openGop(): void {
    const start = this.#log.end;
    const prelude = this.#options.gopPrelude();
    this.#gop = this.#options.retention === "gop" ? { start, prelude } : undefined;
    for (const subscriber of this.#awaiting) {
      const home = this.#group(subscriber).sliceWithRoom(start);
      this.#flush(home);
      this.#setBehind(subscriber, home, start, prelude);
    }
    this.#awaiting.clear();
  }

  #catchUpAll(): void {
    for (const subscriber of this.#behind) if (!subscriber.isDraining) this.#catchUp(subscriber);
  }

  /** Writes a lagging subscriber towards its slice, and seats it there once it is level. */
  #catchUp(subscriber: Subscriber): void {
    const state = subscriber.state;
    if (state.at !== "behind") return;
    if (subscriber.isDraining) return this.#armSweeper();
    if (state.cursor < this.#log.start) return this.#skip(subscriber);
    const home = this.#homeOf(subscriber, state.home);
    if (home.cursor < state.cursor) this.#flush(home);
    const burstEnd = state.cursor + subscriber.sink.burstBytes;
    const until = home.cursor <= burstEnd ? home.cursor : this.#log.cut(state.cursor, burstEnd);
    const pieces = this.#log.views(state.cursor, until);
    if (state.prelude !== undefined) pieces.unshift(this.#encodePrelude(subscriber, state.prelude));
    this.#setBehind(subscriber, home, until, undefined);
    const moved = subscriber.state;
    const wasTaken = this.#write(subscriber, pieces);
    if (subscriber.state !== moved) return; // it left inside the write
    if (!wasTaken || until < home.cursor) return this.#waitForDrain(subscriber);
    this.#behind.delete(subscriber);
    this.#group(subscriber).seat(subscriber, home);
  }

  /** The slice it came from, if it still has room; else another. */
  #homeOf(subscriber: Subscriber, home: Slice): Slice {
    const group = this.#group(subscriber);
    if (home.hasRoom && group.has(home)) return home;
    return group.sliceWithRoom(this.#log.end);
  }

  #write(subscriber: Subscriber, pieces: readonly Uint8Array[]): boolean {
    if (pieces.length === 0) return true;
    const { counts } = this.#options;
    for (const piece of pieces) counts.bytesOut += piece.length;
    counts.writes++;
    if (pieces.length === 1) return subscriber.sink.write(pieces[0] as Uint8Array);
    return subscriber.sink.writeAll(pieces);
  }

  #skip(subscriber: Subscriber): void {
    subscriber.skips++;
    this.#options.counts.skips++;
    this.#behind.delete(subscriber);
    if (this.#gop === undefined) this.#awaitKey(subscriber);
    else this.#startAtGop(subscriber, this.#gop);
  }

  #armSweeper(): void {
    this.#sweeper ??= this.#options.clock.after(SWEEP, () => this.#sweep());
  }

  /** Ends those that took nothing for too long, and starts those that wait for a key frame that does not come. */
  #sweep(): void {
    const { clock, lag, keyPatience, prelude, stalled, counts } = this.#options;
    const now = clock.now();
    this.#sweeper = undefined;
    for (const subscriber of this.#behind) {
      const { state } = subscriber;
      if (state.at !== "behind" || !subscriber.isDraining || now - state.since < lag.stallTimeout) continue;
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

  #trim(): void {
    const { clock, lag } = this.#options;
    let kept = this.#gop?.start ?? this.#log.end;
    for (const group of [this.#prompt, this.#patient])
      for (const slice of group.slices) kept = Math.min(kept, slice.cursor);
    let needed = kept;
    for (const { state } of this.#behind) if (state.at === "behind") needed = Math.min(needed, state.cursor);
    this.#log.trim({ needed, kept, olderThan: (clock.now() - lag.maxAge) as Millis, maxBytes: lag.maxBytes });
  }
}
