/** The unit that live streams carry: one coded picture, audio unit or data message, as its publisher sent it. */
import type { Brand, Millis } from "@sluice/base/brand";

/** Milliseconds on a stream's timeline, 0 to 2³² − 1; wraps, so compare through `serial-number`. */
export type Timestamp = Brand<number, "Timestamp">;

/** One publication of a stream: 64 random bits as 16 hexadecimal digits. */
export type PublicationId = Brand<string, "PublicationId">;

export type FrameKind = "video" | "audio" | "data";

/**
 * What a frame means to a joiner:
 * - `config`: decoder set-up of its track, kept for joiners;
 * - `key`: decoding may start here;
 * - `delta`: needs what came before it;
 * - `metadata`: describes the stream, the last one is kept for joiners;
 * - `side`: relayed in order and not kept (commands, cue points, end of sequence).
 */
export type FrameRole = "config" | "key" | "delta" | "metadata" | "side";

/** What a publisher's session hands in. */
export interface PublishedUnit {
  readonly kind: FrameKind;
  readonly role: FrameRole;
  /** 0 is the default track of its kind. */
  readonly trackId: number;
  /** FourCC or legacy name; empty for data. */
  readonly codec: string;
  /** The publisher's own clock, 0 to 2³² − 1. */
  readonly timestamp: number;
  /** From decoding to presentation, signed; 0 where the body says none, and for audio and data. */
  readonly compositionTime: Millis;
  /** FLV-family body, header included, so that a relay changes no bit. The stream owns it from here on. */
  readonly body: Uint8Array;
  /** The coded data inside `body`; for `config` the decoder configuration record. */
  readonly data: Uint8Array;
  /** The body holds several tracks, or one that is not the default. */
  readonly isMultitrack: boolean;
  /** The body opens with ModEx packets. */
  readonly hasModEx: boolean;
  /** Of stream metadata. */
  readonly announces?: Announcement;
  /** Of set-up and stream metadata: it has no content, or cannot be read to its end. */
  readonly flaw?: "empty" | "broken";
}

/** One picture or audio unit, as against set-up, metadata and messages. */
export function isCoded({ role }: Pick<PublishedUnit, "role">): boolean {
  return role === "key" || role === "delta";
}

/** What a publisher's metadata says of the tracks that will come; a number is 0 where it does not say. */
export interface Announcement {
  readonly audio: boolean;
  readonly video: boolean;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  /** Hz. */
  readonly sampleRate: number;
  readonly channels: number;
  /** Offset in the body of the byte 1 that announces sound, or pictures; 0 where there is none. */
  readonly audioFlagAt: number;
  readonly videoFlagAt: number;
}

/** A unit with its place on the stream's timeline. */
export interface Frame extends PublishedUnit {
  /** Place on the timeline; never goes back within a track. */
  readonly dts: Timestamp;
  /** The publication that it belongs to. */
  readonly publication: PublicationId;
  /** Place within the publication, from 0, without holes. */
  readonly sequence: number;
}
