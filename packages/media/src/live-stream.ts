/** One named live thing: its publisher's frames in, its timeline and caches, and its viewers. */
import type { Millis } from "@sluice/base/brand";
import type { Clock } from "@sluice/base/clock";
import { DeliveryCounts } from "./delivery-counts.ts";
import type { DeliveryWindow } from "./delivery-window.ts";
import { Distribution } from "./distribution.ts";
import type { Frame, FrameKind, PublishedUnit, Timestamp } from "./frame.ts";
import { GopCache } from "./gop-cache.ts";
import type { GopLimits, LagLimits, StreamLimits } from "./limits.ts";
import type { StreamKey } from "./stream-key.ts";
import type { Prelude } from "./prelude.ts";
import { Subscriber } from "./subscriber.ts";
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
  /** Hands out uninitialised bytes that nobody else holds. */
  readonly allocate: (byteCount: number) => Uint8Array;
}

/** A publisher's session that leaves frames in the kernel until the stream is about to write: fewer wakes of the loop. */
export interface FrameSource {
  /** @returns whether it held back; then what has arrived is pushed and delivered in the next round of the loop */
  pull(): boolean;
}

/** What came in, since the stream was opened. */
export class IngestCounts {
  bytesIn = 0;
  frames = 0;
  videoFrames = 0;
  /** Coded frames of a track whose decoder set-up had not come: no player could show them. */
  withoutConfig = 0;
  /** Video before the first key frame of a publication. */
  beforeKey = 0;
  /** Frames of tracks beyond the limit. */
  beyondTracks = 0;
}

/** Codecs that nothing can decode before their configuration record. */
const NEEDS_CONFIG: ReadonlySet<string> = new Set(["avc1", "hvc1", "vvc1", "av01", "mp4a"]);

/** A publication that never sends a key frame (gradual refresh) is passed on after this many frames. */
const KEY_HOPE_FRAMES = 300;

export class LiveStream {
  readonly key: StreamKey;
  readonly ingest = new IngestCounts();
  readonly delivery = new DeliveryCounts();
  readonly tracks = new TrackTable();
  readonly gop: GopCache;
  /** Of the present publication, where it can hold frames back. */
  source: FrameSource | undefined;
  readonly #options: LiveStreamOptions;
  readonly #timeline = new Timeline();
  readonly #distribution: Distribution;
  #publication = 0;
  #sequence = 0;
  #deltasBeforeKey = 0;
  #isNewPublication = false;

  constructor(options: LiveStreamOptions) {
    this.key = options.key;
    this.#options = options;
    this.gop = new GopCache(options.gop);
    this.#distribution = new Distribution({
      clock: options.clock,
      window: options.window,
      lag: options.lag,
      maxCohorts: options.limits.cohorts,
      maxGopBytes: options.limits.cohortGopBytes,
      keyPatience: options.gop.maxDuration,
      allocate: options.allocate,
      counts: this.delivery,
      prelude: (dts) => this.#prelude(dts),
      gop: this.gop,
      pull: () => this.source?.pull() ?? false,
    });
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

  /** Frames from here on belong to another publication; what joiners get stays the old until its first frame. */
  startPublication(): void {
    this.#publication++;
    this.#sequence = 0;
    this.#deltasBeforeKey = 0;
    this.#isNewPublication = true;
    this.#timeline.startPublication();
  }

  /** Takes one unit; `deliver` after the last one of an arrival. The body belongs to the stream from here on. */
  push(unit: PublishedUnit): void {
    this.ingest.bytesIn += unit.body.length;
    this.ingest.frames++;
    if (unit.kind === "video" && (unit.role === "key" || unit.role === "delta")) this.ingest.videoFrames++;
    if (this.#isNewPublication) this.forgetPublication();
    if (!this.#isWanted(unit)) return;
    const frame: Frame = {
      ...unit,
      dts: this.#timeline.place(unit, this.#options.clock.now()),
      publication: this.#publication,
      sequence: this.#sequence++,
    };
    this.tracks.note(frame);
    this.#distribution.append(frame, this.gop.add(frame));
  }

  /** How long the source may hold the next frames back unless pulled; 0 when somebody would get them later. */
  get pullWithin(): Millis {
    return this.#distribution.pullWithin;
  }

  /** The publisher takes its metadata back: who joins from the next key frame on hears none. */
  clearMetadata(): void {
    this.tracks.dropMetadata();
  }

  /** The units of one arrival are pushed: viewers get them now or within their window. */
  deliver(): void {
    this.#distribution.deliver();
  }

  /** @returns `undefined` when the stream has as many subscribers as its limit allows */
  subscribe(options: {
    readonly sink: SubscriberSink;
    readonly form: WireForm;
    readonly isPatient: boolean;
    readonly startAt: "cached-gop" | "next-key";
    /** `alone` for a further view of one peer: nothing is kept for others that would want the same bytes. */
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

  /** Goes on in another form: at once where it only loses something, at the next key frame where video comes back. */
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

  /** The publication is over for good: who joins from here on waits for the next one. */
  forgetPublication(): void {
    this.#isNewPublication = false;
    this.tracks.clear();
    this.gop.clear();
    this.#distribution.endGop();
  }

  /** The set-up as it stands, for whoever starts with a frame at `dts`. */
  #prelude(dts: Timestamp): Prelude {
    const { hasAudio, hasVideo } = this.tracks;
    const parts = this.tracks.prelude().map((frame) => ({
      frame,
      dts: this.#timeline.setUpTime(frame.kind, frame.trackId, dts),
    }));
    return { parts, hasAudio, hasVideo };
  }

  #isWanted(unit: PublishedUnit): boolean {
    if (unit.kind === "data") return true;
    if (!this.#isTrackWithin(unit.kind, unit.trackId)) {
      this.ingest.beyondTracks++;
      return false;
    }
    if (unit.role !== "key" && unit.role !== "delta") return true;
    if (NEEDS_CONFIG.has(unit.codec) && this.tracks.findConfig(unit.kind, unit.trackId) === undefined) {
      this.ingest.withoutConfig++;
      return false;
    }
    return !this.#isBeforeKey(unit);
  }

  #isTrackWithin(kind: Exclude<FrameKind, "data">, trackId: number): boolean {
    const ids = this.tracks.trackIds(kind);
    return trackId === 0 || ids.length < this.#options.limits.tracksPerKind || ids.includes(trackId);
  }

  /** A hole before the first key frame, as when a publisher comes back mid-GOP, is not shown. */
  #isBeforeKey(unit: PublishedUnit): boolean {
    if (unit.kind !== "video" || this.#deltasBeforeKey >= KEY_HOPE_FRAMES) return false;
    if (unit.role === "key") {
      this.#deltasBeforeKey = KEY_HOPE_FRAMES;
      return false;
    }
    this.#deltasBeforeKey++;
    this.ingest.beforeKey++;
    return true;
  }
}
