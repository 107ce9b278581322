/** Subscribers that read their cohort's log by themselves: those that have just come, and those that are slow. */
import type { Millis } from "@sluice/base/brand";
import type { Clock } from "@sluice/base/clock";
import type { CohortLog, Position } from "./cohort-log.ts";
import type { DeliveryCounts } from "./delivery-counts.ts";
import { encodePrelude, type Prelude } from "./prelude.ts";
import type { Slice, Subscriber } from "./subscriber.ts";
import type { ExpectedTracks } from "./track-table.ts";
import type { WireForm } from "./wire-form.ts";

export interface CatchUpReadersOptions {
  readonly form: WireForm;
  readonly log: CohortLog;
  readonly clock: Clock;
  readonly counts: DeliveryCounts;
  readonly allocate: (byteCount: number) => Uint8Array;
  readonly stallTimeout: Millis;
  /** The tracks that frames may come of. */
  readonly expected: () => ExpectedTracks;
  /** The slice it is to reach: the one given, if that still has room, else another. */
  readonly homeOf: (subscriber: Subscriber, home: Slice) => Slice;
  readonly flush: (slice: Slice) => void;
  /** It is level with its slice. */
  readonly seat: (subscriber: Subscriber, home: Slice) => void;
  /** What it would read next is no longer held. */
  readonly lost: (subscriber: Subscriber) => void;
  /** Somebody's transport is slow: ask for `stalled` within a second. */
  readonly watch: () => void;
}

export class CatchUpReaders {
  readonly #options: CatchUpReadersOptions;
  readonly #members = new Set<Subscriber>();

  constructor(options: CatchUpReadersOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#members.size;
  }

  /** Where the one reads that is furthest behind; `above` when nobody reads below it. */
  lowest(above: Position): Position {
    let lowest = above;
    for (const { state } of this.#members) if (state.at === "behind") lowest = Math.min(lowest, state.cursor);
    return lowest;
  }

  /** @param prelude  what it must hear first */
  add(subscriber: Subscriber, home: Slice, cursor: Position, prelude?: Prelude): void {
    const since = this.#options.clock.now();
    subscriber.state = { at: "behind", home, cursor, since, prelude };
    this.#members.add(subscriber);
  }

  remove(subscriber: Subscriber): void {
    this.#members.delete(subscriber);
  }

  catchUpAll(): void {
    for (const subscriber of this.#members) if (!subscriber.isDraining) this.catchUp(subscriber);
  }

  /** Writes it a burst towards its slice, and seats it there once it is level. */
  catchUp(subscriber: Subscriber): void {
    const { log, homeOf, flush, lost, seat, watch } = this.#options;
    const { state } = subscriber;
    if (state.at !== "behind") return;
    if (subscriber.isDraining) return watch();
    if (subscriber.sink.isFull) return this.waitForDrain(subscriber);
    if (state.cursor < log.start) return lost(subscriber);
    const home = homeOf(subscriber, state.home);
    if (home.cursor < state.cursor) flush(home);
    const burstEnd = state.cursor + subscriber.sink.burstBytes;
    const until = home.cursor <= burstEnd ? home.cursor : log.cut(state.cursor, burstEnd);
    const pieces = log.views(state.cursor, until);
    const prelude = state.prelude && this.encodePrelude(subscriber, state.prelude);
    if (prelude !== undefined) pieces.unshift(prelude);
    this.add(subscriber, home, until);
    const moved = subscriber.state;
    const wasTaken = this.write(subscriber, pieces, prelude?.length);
    if (subscriber.state !== moved) return; // it left inside the write
    if (wasTaken && until === home.cursor) {
      this.remove(subscriber);
      seat(subscriber, home);
    } else {
      this.waitForDrain(subscriber);
    }
    this.sayFarewell(subscriber);
  }

  /** Goes on with it once its transport has taken what it was given. */
  waitForDrain(subscriber: Subscriber): void {
    this.#options.watch();
    if (subscriber.isDraining) return;
    subscriber.isDraining = true;
    subscriber.sink.whenDrained(() => {
      subscriber.isDraining = false;
      subscriber.onDrained?.(subscriber);
    });
  }

  /** @param ownBytes  of pieces made for it alone @returns whether its transport took them whole */
  write(subscriber: Subscriber, pieces: readonly Uint8Array[], ownBytes = 0): boolean {
    if (pieces.length === 0) return true;
    const { counts } = this.#options;
    for (const piece of pieces) counts.bytesOut += piece.length;
    counts.writes++;
    if (pieces.length === 1 && ownBytes === 0) return subscriber.sink.write(pieces[0] as Uint8Array);
    return subscriber.sink.writeAll(pieces, ownBytes);
  }

  encodePrelude(subscriber: Subscriber, prelude: Prelude): Uint8Array {
    const { form, allocate } = this.#options;
    const expected = this.#options.expected();
    const opening = subscriber.hasOpening ? undefined : form.opening(expected);
    subscriber.hasOpening = true;
    return encodePrelude(form, prelude, { expected, opening, allocate });
  }

  /** One that lags is told of the end behind the last frame, and goes on untold when there is a publisher again before. */
  notify(subscriber: Subscriber, notice: "published" | "unpublished"): void {
    const wasOwedFarewell = subscriber.isOwedFarewell;
    subscriber.isOwedFarewell = notice === "unpublished" && this.#isOwedFrames(subscriber);
    if (!wasOwedFarewell && !subscriber.isOwedFarewell) subscriber.sink.notify(notice);
  }

  /** If it is owed one, and nothing else any more. */
  sayFarewell(subscriber: Subscriber): void {
    if (!subscriber.isOwedFarewell || this.#isOwedFrames(subscriber)) return;
    subscriber.isOwedFarewell = false;
    subscriber.sink.notify("unpublished");
  }

  /** Those whose transport has taken nothing at all for too long; to be asked about once a second. */
  stalled(): Subscriber[] {
    const { clock, stallTimeout } = this.#options;
    const now = clock.now();
    return [...this.#members].filter((subscriber) => {
      const { state, isDraining, sink } = subscriber;
      if (state.at !== "behind" || !isDraining) return false;
      const { takenBytes } = sink;
      if (takenBytes !== subscriber.takenBytes) subscriber.state = { ...state, since: now };
      subscriber.takenBytes = takenBytes;
      return subscriber.state === state && now - state.since >= stallTimeout;
    });
  }

  #isOwedFrames({ state }: Subscriber): boolean {
    return state.at === "behind" && (state.cursor < this.#options.log.end || state.prelude !== undefined);
  }
}
