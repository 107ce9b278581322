/** How a stream's frames become a protocol's bytes: the same form gives every viewer the same bytes. */
import type { Frame, FrameKind, Timestamp } from "./frame.ts";

/** A port, filled by sessions. Pure: no call changes it, so that one form serves a whole cohort. */
export interface WireForm {
  /** Forms with the same id give the same bytes: framing, message stream id, tracks and capabilities, mute. */
  readonly id: string;
  /** The body to send for a frame, or `undefined` to withhold it (muted, or beyond what the viewer can parse). */
  carry(frame: Frame): Uint8Array | undefined;
  /** Bytes that `encodeInto` will write. */
  byteCount(kind: FrameKind, dts: Timestamp, bodyByteCount: number): number;
  /** Writes the framed body at `offset`; answers the offset behind it. */
  encodeInto(target: Uint8Array, offset: number, kind: FrameKind, dts: Timestamp, body: Uint8Array): number;
  /** What precedes everything (the FLV file header), or `undefined`. */
  opening(tracks: { readonly hasAudio: boolean; readonly hasVideo: boolean }): Uint8Array | undefined;
}
