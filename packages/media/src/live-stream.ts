/** One named live thing: its publisher's frames in, its timeline and caches, and its viewers. */
import type { Millis } from "@sluice/base/brand";
import type { Clock } from "@sluice/base/clock";
import type { DeliveryWindow } from "./delivery-window.ts";
import { Distribution } from "./distribution.ts";
import { FlushScheduler } from "./flush-scheduler.ts";
import { type Frame, isCoded, type PublishedUnit, type Timestamp } from "./frame.ts";
import { GopCache, type GopStep } from "./gop-cache.ts";
import type { HeldMemory, MemoryAccount } from "./held-memory.ts";
import { IngestFilter, type IngestCounts } from "./ingest-filter.ts";
import type { GopLimits, LagLimits, StreamLimits } from "./limits.ts";
import type { StreamKey } from "./stream-key.ts";
import type { Prelude } from "./prelude.ts";
import { DeliveryCounts, Subscriber } from "./subscriber.ts";
import type { SubscriberEnd, SubscriberSink } from "./subscriber-sink.ts";
import { Timeline } from "./timeline.ts";
import { TrackTable } from "./track-table.ts";
import type { WireForm } from "./wire-form.ts";

export interface LiveStreamOptions {
  readonly key: StreamKey;
  readonly clock: Clock;
  readonly window: DeliveryWindow;
  readonly gop: GopLimits;
  readonly lag: LagLimits;
  readonly limits: StreamLimits;
  /** Of the node: counts what this stream holds, and may drop its cached GOP. */
  readonly memory: HeldMemory;
  /** Returns uninitialised bytes that nothing else refers to. */
  readonly allocate: (byteCount: number) => Uint8Array;
}

export class LiveStream {
  readonly key: StreamKey;
  readonly delivery = new DeliveryCounts();
  readonly tracks = new TrackTable();
  readonly gop: GopCache;
  /** When viewers are written to, and how long the publisher may be left unread. */
  readonly flushes: FlushScheduler;
  readonly #options: LiveStreamOptions;
  readonly #timeline = new Timeline();
  readonly #filter: IngestFilter;
  readonly #distribution: Distribution;
  readonly #account: MemoryAccount;
  #publication = 0;
  #sequence = 0;
  #isNewPublication = false;

  constructor(options: LiveStreamOptions) {
    this.key = options.key;
    this.#options = options;
    this.flushes = new FlushScheduler(options.clock, options.window);
    this.gop = new GopCache(options.gop, options.allocate);
    this.#account = options.memory.open({
      gopBytes: () => this.gop.bytes + this.#distribution.heldBytes,
      dropGop: () => this.#dropGop(),
    });
    this.#filter = new IngestFilter({
      tracks: this.tracks,
      limits: options.limits,
      hasRoomForSetUp: (byteCount) => this.#account.hasRoomForSetUp(byteCount),
    });
    this.#distribution = new Distribution({
      clock: options.clock,
      flushes: this.flushes,
      lag: options.lag,
      maxCohorts: options.limits.cohorts,
      maxGopBytes: options.limits.cohortGopBytes,
      keyPatience: options.gop.maxDuration,
      allocate: options.allocate,
      counts: this.delivery,
      prelude: (dts) => this.#prelude(dts),
      expected: () => this.tracks.expected(options.clock.now()),
      held: (byteCount) => this.#account.hold("encoded", byteCount),
      gop: this.gop,
    });
  }

  get ingest(): IngestCounts {
    return this.#filter.counts;
  }

  get subscriberCount(): number {
    return this.#distribution.subscriberCount;
  }

  get cohortCount(): number {
    return this.#distribution.cohortCount;
  }

  /** Bytes of memory that encoded frames take, for joiners and for those that lag. */
  get heldBytes(): number {
    return this.#distribution.heldBytes;
  }

  /** Count of publications so far; also the stamp of the current one. */
  get publication(): number {
    return this.#publication;
  }

  get head(): Timestamp | undefined {
    return this.#timeline.head;
  }

  /**
   * Frames from here on belong to a new publication; until its first frame joiners get the old one's.
   *
   * @param connection  what is held counts for it; `undefined`: for none
   */
  startPublication(connection?: string): void {
    this.#publication++;
    this.#sequence = 0;
    this.#isNewPublication = true;
    this.#filter.startPublication();
    this.#timeline.startPublication();
    this.#account.assign(connection);
  }

  /** Takes one unit; `deliver` after the last one of an arrival. The body belongs to the stream from here on. */
  push(unit: PublishedUnit): void {
    if (this.#isNewPublication) this.forgetPublication();
    if (!this.#filter.takes(unit)) return;
    const now = this.#options.clock.now();
    const dts = this.#timeline.place(unit, now);
    if (isCoded(unit)) this.#wake(unit, dts, now);
    this.#append(unit, dts, now);
  }

  /** Drops the metadata: joiners from the next key frame on get none. */
  clearMetadata(): void {
    this.tracks.dropMetadata();
  }

  /** The units of one arrival are pushed: viewers get them now or within their window. */
  deliver(): void {
    this.#distribution.deliver();
  }

  /** @returns `undefined` when the stream has reached its subscriber limit */
  subscribe(options: {
    readonly sink: SubscriberSink;
    readonly form: WireForm;
    readonly isPatient: boolean;
    readonly startAt: "cached-gop" | "next-key";
    /** `alone` for a further view of one peer: its cohort keeps nothing for joiners. */
    readonly sharing?: "cohort" | "alone";
  }): Subscriber | undefined {
    if (this.subscriberCount >= this.#options.limits.subscribers) return undefined;
    const subscriber = new Subscriber(options.sink, options.isPatient, options.sharing);
    this.#distribution.join(subscriber, options.form, options.startAt);
    return subscriber;
  }

  unsubscribe(subscriber: Subscriber): void {
    this.#distribution.leave(subscriber);
  }

  /** Continues in another form: at once where it only loses a track, at the next key frame where video comes back. */
  switchForm(subscriber: Subscriber, form: WireForm, startAt: "live-edge" | "next-key"): void {
    const { at } = subscriber.state;
    if (at === "left") return;
    this.#distribution.leave(subscriber);
    this.#distribution.join(subscriber, form, at === "in-step" ? startAt : "next-key");
  }

  setPatience(subscriber: Subscriber, isPatient: boolean): void {
    this.#distribution.setPatience(subscriber, isPatient);
  }

  notify(notice: "published" | "unpublished"): void {
    this.#distribution.notify(notice);
  }

  endSubscribers(reason: SubscriberEnd): void {
    this.#distribution.endAll(reason);
  }

  /** There is no publisher, at least for now: what is held counts for no connection. */
  releaseConnection(): void {
    this.#account.assign(undefined);
  }

  /** The publication is over: joiners wait for the next one. */
  forgetPublication(): void {
    this.#isNewPublication = false;
    this.tracks.clear();
    this.gop.clear();
    this.#distribution.endGop();
    this.#account.hold("gop", 0);
    this.#account.hold("set-up", 0);
  }

  /** The stream is forgotten. */
  close(): void {
    this.#account.close();
  }

  #append(unit: PublishedUnit, dts: Timestamp, now: Millis): void {
    const frame: Frame = { ...unit, dts, publication: this.#publication, sequence: this.#sequence++ };
    this.tracks.note(frame, now);
    if (!isCoded(frame)) this.#account.hold("set-up", this.tracks.keptBytes);
    const step = this.#cache(frame);
    if (step !== "continued") this.tracks.noteGop(step === "opened" ? now : undefined);
    this.#distribution.append(frame, step);
  }

  #cache(frame: Frame): GopStep {
    const step = this.gop.add(frame);
    this.#account.hold("gop", this.gop.bytes);
    return step === "continued" && this.gop.frames.length === 0 ? "none" : step; // dropped to save memory
  }

  /** Viewers that joined while the track was not expected were not sent its set-up. */
  #wake(unit: PublishedUnit, dts: Timestamp, now: Millis): void {
    if (unit.kind === "data" || this.tracks.expects(unit.kind, unit.trackId, now)) return;
    for (const setUp of this.tracks.setUpOf(unit.kind, unit.trackId)) this.#append(setUp, dts, now);
  }

  #dropGop(): void {
    this.gop.drop();
    this.#account.hold("gop", 0);
    this.tracks.noteGop(undefined);
    this.#distribution.dropGop();
  }

  /** The current set-up, for a joiner whose first frame is at `dts`. */
  #prelude(dts: Timestamp): Prelude {
    return {
      parts: this.tracks.prelude().map((frame) => ({
        frame,
        dts: this.#timeline.setUpTime(frame.kind, frame.trackId, dts),
      })),
    };
  }
}
