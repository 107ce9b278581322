/** What a joiner must hear first: the stream's metadata and each track's decoder set-up, always the latest. */
import type { Announcement, Frame, FrameKind } from "./frame.ts";

const STREAM_METADATA = "data:0:metadata";

export class TrackTable {
  readonly #kept = new Map<string, Frame>();
  /** Track ids seen, with their codec. */
  readonly #tracks = { video: new Map<number, string>(), audio: new Map<number, string>() };
  #version = 0;

  /** Rises whenever `prelude` would differ. */
  get version(): number {
    return this.#version;
  }

  /** By the stream's own metadata, where there is any. */
  get announced(): Announcement | undefined {
    return this.#kept.get(STREAM_METADATA)?.announces;
  }

  /** Seen, or announced by metadata. */
  get hasAudio(): boolean {
    return this.#has("audio");
  }

  /** Seen, or announced by metadata. */
  get hasVideo(): boolean {
    return this.#has("video");
  }

  /** Ids seen of one kind. */
  trackIds(kind: "audio" | "video"): readonly number[] {
    return [...this.#tracks[kind].keys()];
  }

  /** FourCC or legacy name of the default track, or of the first seen where there is no default. */
  codecOf(kind: "audio" | "video"): string | undefined {
    const codecs = this.#tracks[kind];
    return codecs.get(0) ?? codecs.values().next().value;
  }

  findConfig(kind: FrameKind, trackId: number): Frame | undefined {
    return this.#kept.get(`${kind}:${trackId}:config`);
  }

  /** Notes the frame's track; keeps it when joiners need it. */
  note(frame: Frame): void {
    if (frame.kind !== "data" && frame.codec !== "") this.#tracks[frame.kind].set(frame.trackId, frame.codec);
    if (frame.role !== "config" && frame.role !== "metadata") return;
    const name = `${frame.kind}:${frame.trackId}:${frame.role}`;
    this.#kept.delete(name);
    if (frame.data.length > 0 || frame.role === "config") this.#kept.set(name, frame);
    this.#version++;
  }

  /** The stream's own metadata is void; what it announced is no longer expected. */
  dropMetadata(): void {
    if (this.#kept.delete(STREAM_METADATA)) this.#version++;
  }

  /** Metadata first, then set-up by track, video before audio. */
  prelude(): readonly Frame[] {
    return [...this.#kept.values()].sort((a, b) => rank(a) - rank(b) || a.trackId - b.trackId);
  }

  #has(kind: "audio" | "video"): boolean {
    return this.announced?.[kind] === true || this.#tracks[kind].size > 0;
  }

  clear(): void {
    this.#kept.clear();
    this.#tracks.video.clear();
    this.#tracks.audio.clear();
    this.#version++;
  }
}

const RANKS: Readonly<Record<FrameKind, number>> = { data: 0, video: 1, audio: 3 };

function rank(frame: Frame): number {
  return RANKS[frame.kind] + (frame.kind === "video" && frame.role === "metadata" ? 1 : 0);
}
