/** A stream's viewers, sorted into cohorts by wire form. */
import type { Millis } from "@sluice/base/brand";
import type { Clock } from "@sluice/base/clock";
import { Cohort } from "./cohort.ts";
import type { FlushScheduler } from "./flush-scheduler.ts";
import type { Frame, Timestamp } from "./frame.ts";
import type { GopCache, GopStep } from "./gop-cache.ts";
import type { LagLimits } from "./limits.ts";
import type { Prelude } from "./prelude.ts";
import type { DeliveryCounts, Subscriber } from "./subscriber.ts";
import type { SubscriberEnd } from "./subscriber-sink.ts";
import type { ExpectedTracks } from "./track-table.ts";
import type { WireForm } from "./wire-form.ts";

export interface DistributionOptions {
  readonly clock: Clock;
  readonly flushes: FlushScheduler;
  readonly lag: LagLimits;
  readonly maxCohorts: number;
  /** Of the GOPs that cohorts keep encoded, all together; one is always kept. */
  readonly maxGopBytes: number;
  readonly keyPatience: Millis;
  readonly allocate: (byteCount: number) => Uint8Array;
  readonly counts: DeliveryCounts;
  /** The current set-up, for a joiner whose first frame is at `dts`. */
  readonly prelude: (dts: Timestamp) => Prelude;
  /** The tracks on which frames are expected. */
  readonly expected: () => ExpectedTracks;
  /** Told how many bytes the cohorts' logs hold, whenever that changes. */
  readonly held: (byteCount: number) => void;
  readonly gop: GopCache;
}

/** Lag limit of a cohort whose log serves one viewer. */
const SOLO_LAG_BYTES = 256 * 1024;
/** A larger GOP is not encoded for a single viewer, which waits for the next one. */
const SOLO_GOP_BYTES = 4 * 1024 * 1024;

export class Distribution {
  readonly #options: DistributionOptions;
  readonly #cohorts = new Map<string, Cohort>();
  readonly #solo = new Set<Cohort>();
  readonly #cohortOf = new Map<Subscriber, Cohort>();
  /** Of the last GOP that opened. */
  #gopPrelude: Prelude = { parts: [] };
  #heldBytes = 0;

  constructor(options: DistributionOptions) {
    this.#options = options;
  }

  get subscriberCount(): number {
    return this.#cohortOf.size;
  }

  get cohortCount(): number {
    return this.#cohorts.size + this.#solo.size;
  }

  /** Bytes of memory that the cohorts' logs hold. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  append(frame: Frame, gop: GopStep): void {
    if (gop === "opened") this.#gopPrelude = this.#options.prelude(frame.dts);
    for (const cohort of this.#cohorts.values()) cohort.append(frame, gop);
    for (const cohort of this.#solo) cohort.append(frame, gop);
    if (this.#cohorts.size > 1 && this.#options.gop.bytes * this.#cohorts.size > this.#options.maxGopBytes)
      this.#dropGops();
  }

  deliver(): void {
    for (const cohort of this.#cohorts.values()) cohort.deliver();
    for (const cohort of this.#solo) cohort.deliver();
  }

  join(subscriber: Subscriber, form: WireForm, startAt: "cached-gop" | "next-key" | "live-edge"): void {
    const isAlone = subscriber.sharing === "alone";
    const known = isAlone ? undefined : this.#cohorts.get(form.id);
    const cohort = known ?? this.#openCohort(form, isAlone || this.#cohorts.size >= this.#options.maxCohorts);
    this.#cohortOf.set(subscriber, cohort);
    cohort.join(subscriber, startAt);
  }

  leave(subscriber: Subscriber): void {
    const cohort = this.#cohortOf.get(subscriber);
    if (cohort === undefined) return;
    this.#cohortOf.delete(subscriber);
    cohort.leave(subscriber);
    if (cohort.size > 0) return;
    cohort.close();
    this.#solo.delete(cohort);
    if (this.#cohorts.get(cohort.form.id) === cohort) this.#cohorts.delete(cohort.form.id);
  }

  setPatience(subscriber: Subscriber, isPatient: boolean): void {
    this.#cohortOf.get(subscriber)?.readers.setPatience(subscriber, isPatient);
  }

  notify(notice: "published" | "unpublished"): void {
    this.#flush();
    for (const subscriber of [...this.#cohortOf.keys()])
      this.#cohortOf.get(subscriber)?.readers.notify(subscriber, notice);
  }

  endAll(reason: SubscriberEnd): void {
    this.#flush();
    for (const subscriber of [...this.#cohortOf.keys()]) {
      if (this.#cohortOf.has(subscriber)) this.#end(subscriber, reason);
    }
  }

  endGop(): void {
    for (const cohort of [...this.#cohorts.values(), ...this.#solo]) cohort.readers.endGop();
  }

  /** Memory is short: cohorts keep no GOP for joiners until the next one opens. */
  dropGop(): void {
    for (const cohort of [...this.#cohorts.values(), ...this.#solo]) cohort.dropGop();
  }

  #end(subscriber: Subscriber, reason: SubscriberEnd): void {
    this.leave(subscriber);
    subscriber.sink.end(reason);
  }

  #flush(): void {
    for (const cohort of [...this.#cohorts.values(), ...this.#solo]) cohort.flushAll();
  }

  /** The cohorts with the most viewers keep theirs. */
  #dropGops(): void {
    const keeping = [...this.#cohorts.values()].filter(({ gopBytes }) => gopBytes > 0);
    let left = this.#options.maxGopBytes;
    for (const [i, cohort] of keeping.sort((a, b) => b.size - a.size).entries()) {
      left -= cohort.gopBytes;
      if (left < 0 && i > 0) cohort.dropGop();
    }
  }

  #openCohort(form: WireForm, isSolo: boolean): Cohort {
    const { gop, lag, held, maxGopBytes } = this.#options;
    const cohort = new Cohort({
      ...this.#options,
      form,
      lag: isSolo ? { ...lag, maxBytes: Math.min(lag.maxBytes, SOLO_LAG_BYTES) } : lag,
      retention: isSolo ? "unsent" : "gop",
      gopFrames: () => (gop.bytes <= SOLO_GOP_BYTES ? gop.frames : []),
      gopPrelude: () => this.#gopPrelude,
      heldMore: (delta) => {
        this.#heldBytes += delta;
        held(this.#heldBytes);
      },
      stalled: (subscriber) => this.#end(subscriber, "stalled"),
    });
    if (isSolo) {
      this.#solo.add(cohort);
      return cohort;
    }
    this.#cohorts.set(form.id, cohort);
    if (gop.bytes * this.#cohorts.size > maxGopBytes && this.#cohorts.size > 1) return cohort;
    const { frames } = gop;
    for (const [i, frame] of frames.entries())
      if (gop.frames === frames) cohort.append(frame, i === 0 ? "opened" : "continued"); // else dropped to save memory
    return cohort;
  }
}
