/** A stream's viewers, sorted into cohorts by wire form. */
import type { Millis } from "@sluice/base/brand";
import type { Clock } from "@sluice/base/clock";
import { Cohort } from "./cohort.ts";
import type { DeliveryCounts } from "./delivery-counts.ts";
import type { DeliveryWindow } from "./delivery-window.ts";
import type { Frame, Timestamp } from "./frame.ts";
import type { GopCache, GopStep } from "./gop-cache.ts";
import type { LagLimits } from "./limits.ts";
import type { Subscriber } from "./subscriber.ts";
import type { SubscriberEnd } from "./subscriber-sink.ts";
import type { TrackTable } from "./track-table.ts";
import type { WireForm } from "./wire-form.ts";

export interface DistributionOptions {
  readonly clock: Clock;
  readonly window: DeliveryWindow;
  readonly lag: LagLimits;
  readonly maxCohorts: number;
  readonly keyPatience: Millis;
  readonly allocate: (byteCount: number) => Uint8Array;
  readonly counts: DeliveryCounts;
  readonly tracks: TrackTable;
  readonly gop: GopCache;
}

/** Of a cohort beyond the limit, whose log serves one viewer. */
const SOLO_LAG_BYTES = 256 * 1024;

export class Distribution {
  readonly #options: DistributionOptions;
  readonly #cohorts = new Map<string, Cohort>();
  readonly #solo = new Set<Cohort>();
  readonly #cohortOf = new Map<Subscriber, Cohort>();

  constructor(options: DistributionOptions) {
    this.#options = options;
  }

  get subscriberCount(): number {
    return this.#cohortOf.size;
  }

  get cohortCount(): number {
    return this.#cohorts.size + this.#solo.size;
  }

  append(frame: Frame, gop: GopStep): void {
    for (const cohort of this.#cohorts.values()) cohort.append(frame, gop);
    for (const cohort of this.#solo) cohort.append(frame, gop);
  }

  deliver(): void {
    for (const cohort of this.#cohorts.values()) cohort.deliver();
    for (const cohort of this.#solo) cohort.deliver();
  }

  join(subscriber: Subscriber, form: WireForm, startAt: "cached-gop" | "next-key" | "live-edge"): void {
    const cohort = this.#cohorts.get(form.id) ?? this.#openCohort(form);
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
    this.#cohortOf.get(subscriber)?.setPatience(subscriber, isPatient);
  }

  notify(notice: "published" | "unpublished"): void {
    this.#flush();
    for (const subscriber of [...this.#cohortOf.keys()]) subscriber.sink.notify(notice);
  }

  endAll(reason: SubscriberEnd): void {
    this.#flush();
    for (const subscriber of [...this.#cohortOf.keys()]) {
      this.leave(subscriber);
      subscriber.sink.end(reason);
    }
  }

  forgetGop(): void {
    for (const cohort of this.#cohorts.values()) cohort.forgetGop();
  }

  #flush(): void {
    for (const cohort of [...this.#cohorts.values(), ...this.#solo]) cohort.flush();
  }

  #openCohort(form: WireForm): Cohort {
    const { clock, window, lag, allocate, counts, gop, keyPatience } = this.#options;
    const isSolo = this.#cohorts.size >= this.#options.maxCohorts;
    const cohort = new Cohort({
      form,
      clock,
      window,
      allocate,
      counts,
      keyPatience,
      lag: isSolo ? { ...lag, maxBytes: Math.min(lag.maxBytes, SOLO_LAG_BYTES) } : lag,
      retention: isSolo ? "unsent" : "gop",
      gopFrames: () => (isSolo ? gop.frames : []),
      prelude: (dts, opening) => this.#prelude(form, dts, opening),
    });
    if (isSolo) {
      this.#solo.add(cohort);
      return cohort;
    }
    this.#cohorts.set(form.id, cohort);
    for (const [i, frame] of gop.frames.entries()) cohort.append(frame, i === 0 ? "opened" : "continued");
    return cohort;
  }

  /** Opening, metadata and set-up of every track, all stamped with the time of the frame that follows. */
  #prelude(form: WireForm, dts: Timestamp, open: "with-opening" | "without-opening"): Uint8Array {
    const { tracks, allocate } = this.#options;
    const { hasAudio, hasVideo } = tracks;
    const opening = open === "with-opening" ? form.opening({ hasAudio, hasVideo }) : undefined;
    const parts = tracks.prelude().flatMap((frame) => {
      const body = form.carry(frame);
      return body === undefined ? [] : [{ kind: frame.kind, body }];
    });
    let byteCount = opening?.length ?? 0;
    for (const { kind, body } of parts) byteCount += form.byteCount(kind, dts, body.length);
    const bytes = allocate(byteCount);
    if (opening !== undefined) bytes.set(opening, 0);
    let offset = opening?.length ?? 0;
    for (const { kind, body } of parts) offset = form.encodeInto(bytes, offset, kind, dts, body);
    return bytes;
  }
}
