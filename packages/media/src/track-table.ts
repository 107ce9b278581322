/** What a joiner is sent first, the stream's metadata and each track's decoder set-up; and which tracks it can expect. */
import type { Millis } from "@sluice/base/brand";
import { type Announcement, type Frame, type FrameKind, isCoded, type PublishedUnit } from "./frame.ts";
import { inOwnBytes } from "./own-bytes.ts";

const STREAM_METADATA = "data:0:metadata";

/** How long after the first frame an announced track is expected; above the skew of encoders at their start. */
const ANNOUNCED = 3_000 as Millis;

/** A track without frames for so long, and with none in the cached GOP, is no longer expected. */
const QUIET = 10_000 as Millis;

/** Tracks on which frames are expected. A player waits for each track that it is told of, and shows nothing meanwhile. */
export interface ExpectedTracks {
  readonly hasAudio: boolean;
  readonly hasVideo: boolean;
  /** Whether the frame's track is one of them; of data always. */
  expects(frame: Pick<Frame, "kind" | "trackId">): boolean;
}

interface Track {
  codec: string;
  /** When its last coded frame came. */
  codedAt: Millis | undefined;
  /** Of the decoder set-up that is kept for it; asked for each frame. */
  configCodec: string | undefined;
}

export class TrackTable {
  readonly #kept = new Map<string, Frame>();
  #keptBytes = 0;
  readonly #tracks = { video: new Map<number, Track>(), audio: new Map<number, Track>() };
  /** When the first coded frame came. */
  #flowingSince: Millis | undefined;
  #gopSince: Millis | undefined;

  /** Bytes of the set-up that is kept. */
  get keptBytes(): number {
    return this.#keptBytes;
  }

  /** By the stream's own metadata, where there is any. */
  get announced(): Announcement | undefined {
    return this.#kept.get(STREAM_METADATA)?.announces;
  }

  /** Ids seen of one kind. */
  trackIds(kind: "audio" | "video"): readonly number[] {
    return [...this.#tracks[kind].keys()];
  }

  /** FourCC or legacy name of the default track, or of the first seen where there is no default. */
  codecOf(kind: "audio" | "video"): string | undefined {
    const tracks = this.#tracks[kind];
    return (tracks.get(0) ?? tracks.values().next().value)?.codec;
  }

  findConfig(kind: FrameKind, trackId: number): Frame | undefined {
    return this.#kept.get(`${kind}:${trackId}:config`);
  }

  /** The codec that a track's kept decoder set-up is of. */
  configCodecOf(kind: "audio" | "video", trackId: number): string | undefined {
    return this.#tracks[kind].get(trackId)?.configCodec;
  }

  /** All that is kept of one track. */
  setUpOf(kind: FrameKind, trackId: number): readonly Frame[] {
    return this.prelude().filter((frame) => frame.kind === kind && frame.trackId === trackId);
  }

  /** Set-up with less content than what it would replace, or none. */
  isPoor(unit: PublishedUnit): boolean {
    if (unit.role !== "config" && (unit.role !== "metadata" || unit.kind !== "data")) return false;
    if (unit.role === "config" && unit.data.length === 0) return true;
    const kept = this.#kept.get(nameOf(unit));
    return kept !== undefined && kept.codec === unit.codec && worth(unit) < worth(kept);
  }

  /** Bytes that would be kept with it. */
  keptBytesWith(unit: PublishedUnit): number {
    return this.#keptBytes - (this.#kept.get(nameOf(unit))?.body.length ?? 0) + unit.body.length;
  }

  /** Notes the frame's track; keeps the frame, in bytes of its own, when joiners need it. */
  note(frame: Frame, now: Millis): void {
    if (frame.kind !== "data" && frame.codec !== "") this.#noteTrack(frame, now);
    if (frame.role !== "config" && frame.role !== "metadata") return;
    this.#drop(nameOf(frame));
    if (frame.data.length === 0) return;
    this.#kept.set(nameOf(frame), inOwnBytes(frame));
    this.#keptBytes += frame.body.length;
  }

  /** Tracks with frames in the GOP that joiners get are expected. `undefined`: there is none. */
  noteGop(since: Millis | undefined): void {
    this.#gopSince = since;
  }

  expected(now: Millis): ExpectedTracks {
    return {
      hasAudio: this.#expectsKind("audio", now),
      hasVideo: this.#expectsKind("video", now),
      expects: ({ kind, trackId }) => kind === "data" || this.expects(kind, trackId, now),
    };
  }

  expects(kind: "audio" | "video", trackId: number, now: Millis): boolean {
    const codedAt = this.#tracks[kind].get(trackId)?.codedAt;
    if (codedAt === undefined) return this.#isBeginning(now);
    return now - codedAt < QUIET || (this.#gopSince !== undefined && codedAt >= this.#gopSince);
  }

  /** Drops the stream's metadata; what it announced is no longer expected. */
  dropMetadata(): void {
    this.#drop(STREAM_METADATA);
  }

  /** Metadata first, then set-up by track, video before audio. */
  prelude(): readonly Frame[] {
    return [...this.#kept.values()].sort((a, b) => rank(a) - rank(b) || a.trackId - b.trackId);
  }

  clear(): void {
    this.#kept.clear();
    this.#keptBytes = 0;
    this.#tracks.video.clear();
    this.#tracks.audio.clear();
    this.#flowingSince = undefined;
    this.#gopSince = undefined;
  }

  #noteTrack(frame: Frame, now: Millis): void {
    const tracks = this.#tracks[frame.kind as "audio" | "video"];
    const track = tracks.get(frame.trackId) ?? { codec: frame.codec, codedAt: undefined, configCodec: undefined };
    tracks.set(frame.trackId, track);
    track.codec = frame.codec;
    if (frame.role === "config") track.configCodec = frame.codec;
    if (!isCoded(frame)) return;
    track.codedAt = now;
    this.#flowingSince ??= now;
  }

  #expectsKind(kind: "audio" | "video", now: Millis): boolean {
    if (this.announced?.[kind] === true && this.#isBeginning(now)) return true;
    return this.trackIds(kind).some((trackId) => this.expects(kind, trackId, now));
  }

  #isBeginning(now: Millis): boolean {
    return this.#flowingSince === undefined || now - this.#flowingSince < ANNOUNCED;
  }

  #drop(name: string): void {
    this.#keptBytes -= this.#kept.get(name)?.body.length ?? 0;
    this.#kept.delete(name);
  }
}

function nameOf({ kind, trackId, role }: PublishedUnit): string {
  return `${kind}:${trackId}:${role}`;
}

function worth({ flaw }: PublishedUnit): number {
  return flaw === undefined ? 2 : flaw === "broken" ? 1 : 0;
}

const RANKS: Readonly<Record<FrameKind, number>> = { data: 0, video: 1, audio: 3 };

function rank(frame: Frame): number {
  return RANKS[frame.kind] + (frame.kind === "video" && frame.role === "metadata" ? 1 : 0);
}
