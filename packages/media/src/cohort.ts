/** The viewers of one stream that get the same bytes: each frame is encoded once, each flush is one write a viewer. */
import type { Millis } from "@sluice/base/brand";
import { CatchUpReaders, type CatchUpOptions } from "./catch-up-readers.ts";
import { CohortLog, MAX_SLAB_BYTES, MIN_SLAB_BYTES } from "./cohort-log.ts";
import type { CohortSlices, FlushScheduler } from "./flush-scheduler.ts";
import type { Frame } from "./frame.ts";
import type { Slice, Subscriber } from "./subscriber.ts";
import type { SubscriberSink } from "./subscriber-sink.ts";
import type { WireForm } from "./wire-form.ts";

export interface CohortOptions extends CatchUpOptions {
  readonly flushes: FlushScheduler;
  /** What the log holds has changed by so many bytes. */
  readonly heldMore: (delta: number) => void;
  /**
   * `gop`: the log keeps the encoded GOP for joiners. `unsent`: it keeps no more than what is not yet written, and each
   * joiner's GOP is encoded for it alone from `gopFrames`; for cohorts beyond a stream's limit, and for further views of
   * one peer. `gopFrames` serves those too that came when the GOPs together were too many bytes.
   */
  readonly retention: "gop" | "unsent";
}

export class Cohort {
  readonly form: WireForm;
  /** Its viewers that are not in step with a slice; they say which are. */
  readonly readers: CatchUpReaders;
  readonly #options: CohortOptions;
  readonly #log: CohortLog;
  readonly #slices: CohortSlices;
  #memberCount = 0;
  /** What the log held when that was last told. */
  #notedBytes = 0;

  constructor(options: CohortOptions) {
    this.form = options.form;
    this.#options = options;
    this.#log = new CohortLog(options.allocate, options.retention === "gop" ? MAX_SLAB_BYTES : MIN_SLAB_BYTES);
    this.#slices = options.flushes.open(this);
    this.readers = new CatchUpReaders(options, this.#log, this.#slices, this);
  }

  get size(): number {
    return this.#memberCount;
  }

  /** Bytes of the encoded GOP that it keeps for joiners. */
  get gopBytes(): number {
    return this.#log.end - (this.readers.gopStart ?? this.#log.end);
  }

  /** Keeps none until the next key frame. */
  dropGop(): void {
    this.readers.dropGop();
    this.#trim();
  }

  /** Encodes a frame. `gop`: whether it opens a GOP for joiners, goes on with one, or there is none. */
  append(frame: Frame, gop: "opened" | "continued" | "none"): void {
    const { form, clock, retention } = this.#options;
    const now = clock.now();
    this.readers.note(frame.dts, now);
    if (gop === "opened") this.readers.openGop(retention === "gop");
    else if (gop === "none") this.readers.dropGop();
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
    for (const rotation of this.#slices.rotations) rotation.deliver();
    this.readers.catchUpAll();
  }

  /** See `CatchUpReaders`. */
  join(subscriber: Subscriber, startAt: "cached-gop" | "next-key" | "live-edge"): void {
    this.#memberCount++;
    this.readers.join(subscriber, startAt);
  }

  leave(subscriber: Subscriber): void {
    if (subscriber.state.at === "left") return;
    this.#memberCount--;
    this.readers.leave(subscriber);
  }

  /** Writes what a slice lacks; whose transport does not take it whole falls behind. @returns whether it lacked anything */
  flush(slice: Slice): boolean {
    const { end } = this.#log;
    if (slice.cursor === end) return false;
    const batch = this.#log.run(slice.cursor, end);
    slice.cursor = end;
    const { members, sinks } = slice;
    const { counts } = this.#options;
    counts.bytesOut += batch.length * members.length;
    counts.writes += members.length;
    for (let i = sinks.length - 1; i >= 0; i--) {
      if (!(sinks[i] as SubscriberSink).write(batch)) this.readers.fallBehind(members[i] as Subscriber, slice);
    }
    return true;
  }

  /** Writes all that is owed now, as far as transports take it. */
  flushAll(): void {
    for (const slice of this.#slices.all()) this.flush(slice);
    this.readers.catchUpAll();
  }

  close(): void {
    this.#options.flushes.close(this.#slices);
    this.readers.close();
    this.#noteHeld(0);
  }

  #trim(): void {
    const { clock, lag } = this.#options;
    let kept = this.readers.gopStart ?? this.#log.end;
    for (const slice of this.#slices.all()) kept = Math.min(kept, slice.cursor);
    this.#log.trim({
      needed: this.readers.lowest(kept),
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
