/** Decides which of a publisher's units a stream takes: none that players could not show, and none beyond its limits. */
import { type FrameKind, isCoded, type PublishedUnit } from "./frame.ts";
import type { StreamLimits } from "./limits.ts";
import type { TrackTable } from "./track-table.ts";

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
  /** Set-up and metadata without content, or with less than what it would replace. */
  poorSetUp = 0;
  /** Set-up and metadata beyond the limit of what is kept. */
  beyondSetUp = 0;
}

/** Codecs that nothing can decode before their configuration record. */
const NEEDS_CONFIG: ReadonlySet<string> = new Set(["avc1", "hvc1", "vvc1", "av01", "mp4a"]);

/** A publication that never sends a key frame (gradual refresh) is passed on after this many frames. */
const KEY_HOPE_FRAMES = 300;

export interface IngestFilterOptions {
  readonly tracks: TrackTable;
  readonly limits: StreamLimits;
  /** Whether the node and the connection have room for so much more set-up. */
  readonly hasRoomForSetUp: (byteCount: number) => boolean;
}

export class IngestFilter {
  readonly counts = new IngestCounts();
  readonly #options: IngestFilterOptions;
  #deltasBeforeKey = 0;

  constructor(options: IngestFilterOptions) {
    this.#options = options;
  }

  startPublication(): void {
    this.#deltasBeforeKey = 0;
  }

  /** Counts the unit, and the reason where it is not taken. */
  takes(unit: PublishedUnit): boolean {
    const { counts } = this;
    counts.bytesIn += unit.body.length;
    counts.frames++;
    if (unit.kind === "video" && isCoded(unit)) counts.videoFrames++;
    const why = this.#refusal(unit);
    if (why !== undefined) counts[why]++;
    return why === undefined;
  }

  #refusal(unit: PublishedUnit): keyof IngestCounts | undefined {
    const { tracks } = this.#options;
    if (unit.kind !== "data" && !this.#isTrackWithin(unit.kind, unit.trackId)) return "beyondTracks";
    if (unit.role === "config" || unit.role === "metadata") {
      if (tracks.isPoor(unit)) return "poorSetUp";
      return this.#hasRoomFor(unit) ? undefined : "beyondSetUp";
    }
    if (unit.kind === "data" || !isCoded(unit)) return undefined;
    if (NEEDS_CONFIG.has(unit.codec) && tracks.configCodecOf(unit.kind, unit.trackId) !== unit.codec)
      return "withoutConfig";
    return this.#isBeforeKey(unit) ? "beforeKey" : undefined;
  }

  #isTrackWithin(kind: Exclude<FrameKind, "data">, trackId: number): boolean {
    const ids = this.#options.tracks.trackIds(kind);
    return trackId === 0 || ids.length < this.#options.limits.tracksPerKind || ids.includes(trackId);
  }

  #hasRoomFor(unit: PublishedUnit): boolean {
    const { tracks, limits, hasRoomForSetUp } = this.#options;
    const byteCount = tracks.keptBytesWith(unit);
    return byteCount <= limits.setUpBytes && hasRoomForSetUp(byteCount - tracks.keptBytes);
  }

  /** A hole before the first key frame, as when a publisher comes back mid-GOP, is not shown. */
  #isBeforeKey(unit: PublishedUnit): boolean {
    if (unit.kind !== "video" || this.#deltasBeforeKey >= KEY_HOPE_FRAMES) return false;
    if (unit.role === "key") {
      this.#deltasBeforeKey = KEY_HOPE_FRAMES;
      return false;
    }
    this.#deltasBeforeKey++;
    return true;
  }
}
