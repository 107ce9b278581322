/** One named live thing: its publisher's frames in, its timeline and caches, and its viewers. */
import type { Millis } from "@sluice/base/brand";
import type { Clock } from "@sluice/base/clock";
import type { DeliveryWindow } from "./delivery-window.ts";
import { Distribution } from "./distribution.ts";
import { FlushScheduler } from "./flush-scheduler.ts";
import { type Frame, isCoded, type PublicationId, type PublishedUnit, type Timestamp } from "./frame.ts";
import { GopCache, type GopStep } from "./gop-cache.ts";
import type { HeldMemory, MemoryAccount } from "./held-memory.ts";
import { IngestFilter, type IngestCounts } from "./ingest-filter.ts";
import type { GopLimits, LagLimits, StreamLimits } from "./limits.ts";
import type { StreamKey } from "./stream-key.ts";
import type { Prelude } from "./prelude.ts";
import { StampedFrames } from "./stamped-frames.ts";
import { DeliveryCounts, Subscriber } from "./subscriber.ts";
import type { SubscriberEnd, SubscriberSink } from "./subscriber-sink.ts";
import type { Tap } from "./tap.ts";
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
  /** 64 random bits. */
  readonly newPublication: () => PublicationId;
}

const NO_PUBLICATION = "0000000000000000" as PublicationId;
/** Set-up that came so few frames ago was sent again by the node with the publisher. */
const JUST_BEFORE = 4;
const NOTHING = new Uint8Array(0);

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
  readonly #stamped = new StampedFrames();
  readonly #taps = new Set<Tap>();
  #publicationCount = 0;
  #publication = NO_PUBLICATION;
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

  /** Count of publications so far. */
  get publicationCount(): number {
    return this.#publicationCount;
  }

  /** The current one, or the last. */
  get publication(): PublicationId {
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
    this.#openPublication(this.#options.newPublication(), connection);
    this.#stamped.reset();
    this.#sequence = 0;
    this.#isNewPublication = true;
  }

  /** Takes one unit; `deliver` after the last one of an arrival. The body belongs to the stream from here on. */
  push(unit: PublishedUnit): void {
    if (this.#isNewPublication) this.#forget();
    if (!this.#filter.takes(unit)) return;
    const now = this.#options.clock.now();
    const dts = this.#timeline.place(unit, now);
    if (isCoded(unit)) for (const setUp of this.#owed(unit, now)) this.#append(setUp, dts, now);
    this.#append(unit, dts, now);
  }

  /**
   * Takes a frame as another node stamped it; `deliver` after the last one of an arrival. What was taken before is
   * dropped, as are pictures behind a hole. The body belongs to the stream from here on.
   */
  take(frame: Frame): void {
    const verdict = this.#stamped.judge(frame);
    if (verdict === "seen") return;
    if (verdict === "opens") {
      this.#openPublication(frame.publication, undefined);
      this.#forget();
    }
    if (isClearing(frame)) return this.#clear(frame);
    if (!this.#filter.takes(frame) || verdict === "broken") return;
    const now = this.#options.clock.now();
    const dts = this.#timeline.adopt(frame, now);
    if (isCoded(frame))
      for (const setUp of this.#owed(frame, now))
        if (frame.sequence - setUp.sequence > JUST_BEFORE) this.#enter({ ...setUp, dts }, now);
    const placed = { ...frame, dts };
    this.#enter(placed, now);
    for (const tap of this.#taps) tap.take(placed);
  }

  /** Drops the metadata: joiners from the next key frame on get none. */
  clearMetadata(): void {
    if (this.#isNewPublication) return this.tracks.dropMetadata();
    const dts = this.head ?? (0 as Timestamp);
    const facts = { trackId: 0, codec: "", timestamp: dts, compositionTime: 0 as Millis, isMultitrack: false };
    const unit = { ...facts, kind: "data", role: "metadata", body: NOTHING, data: NOTHING, hasModEx: false } as const;
    this.#clear({ ...unit, dts, publication: this.#publication, sequence: this.#sequence++ });
  }

  /** The frames of one arrival are pushed or taken: viewers get them now or within their window. */
  deliver(): void {
    this.#distribution.deliver();
    for (const tap of this.#taps) tap.deliver();
  }

  /** Metadata, set-up and the cached GOP at once, then each frame. A tap is no viewer. */
  openTap(tap: Tap): Disposable {
    const first = this.gop.frames[0]?.sequence ?? Number.POSITIVE_INFINITY;
    const setUp = this.tracks.prelude().filter(({ sequence }) => sequence < first);
    for (const frame of setUp.sort((a, b) => a.sequence - b.sequence)) tap.take(frame);
    for (const frame of this.gop.frames) tap.take(frame);
    tap.deliver();
    this.#taps.add(tap);
    this.flushes.tapCount++;
    return {
      [Symbol.dispose]: () => {
        if (this.#taps.delete(tap)) this.flushes.tapCount--;
      },
    };
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
    for (const tap of [...this.#taps]) tap.notify(notice);
  }

  endSubscribers(reason: SubscriberEnd): void {
    this.#distribution.endAll(reason);
    for (const tap of [...this.#taps]) tap.end(reason);
  }

  /** There is no publisher, at least for now: what is held counts for no connection. */
  releaseConnection(): void {
    this.#account.assign(undefined);
  }

  /** The publication is over: joiners wait for the next one, or for its own set-up where it goes on after all. */
  forgetPublication(): void {
    this.#stamped.reset();
    this.#forget();
  }
  /** The stream is forgotten. */
  close(): void {
    this.#account.close();
  }

  #forget(): void {
    this.#isNewPublication = false;
    this.tracks.clear();
    this.gop.clear();
    this.#distribution.endGop();
    this.#account.hold("gop", 0);
    this.#account.hold("set-up", 0);
  }

  #openPublication(publication: PublicationId, connection: string | undefined): void {
    this.#publicationCount++;
    this.#publication = publication;
    this.#filter.startPublication();
    this.#timeline.startPublication();
    this.#account.assign(connection);
  }

  #append(unit: PublishedUnit, dts: Timestamp, now: Millis): void {
    const frame: Frame = { ...unit, dts, publication: this.#publication, sequence: this.#sequence++ };
    this.#enter(frame, now);
    for (const tap of this.#taps) tap.take(frame);
  }

  #clear(frame: Frame): void {
    this.tracks.dropMetadata();
    for (const tap of this.#taps) tap.take(frame);
  }

  #enter(frame: Frame, now: Millis): void {
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
  #owed({ kind, trackId }: PublishedUnit, now: Millis): readonly Frame[] {
    if (kind === "data" || this.tracks.expects(kind, trackId, now)) return [];
    return this.tracks.setUpOf(kind, trackId);
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

/** Stands for `clearMetadata` among frames. */
function isClearing({ kind, role, body }: Frame): boolean {
  return kind === "data" && role === "metadata" && body.length === 0;
}
