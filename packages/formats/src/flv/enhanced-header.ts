/** The part that enhanced audio and video bodies share: ModEx chain, multitrack head, FourCC and track list (E1–E8). */
import { fourCcAt } from "./four-cc.ts";

/** One track's share of a multitrack body. */
export interface Track {
  readonly trackId: number;
  readonly codec: string;
  /** Where the track's coded bytes begin in the body: after its composition time, when it has one. */
  readonly offset: number;
  /** Bytes from `offset` on. */
  readonly length: number;
  /** Signed milliseconds; 0 when absent, and for audio. */
  readonly compositionTime: number;
}

/** What was read before the codec's own bytes. Filled step by step, hence mutable while it is built. */
export interface EnhancedHeader {
  /** The real packet type, behind ModEx and multitrack; −1 when the bytes ended before it was known. */
  packetType: number;
  codec: string;
  compositionTime: number;
  /** First byte of the codec's own data: that of the first track in multitrack bodies. */
  dataOffset: number;
  /** 0 to 999 999, to be added to the message's timestamp for presentation only (E8). */
  nanosecondOffset: number;
  /** Where the byte lies whose low nibble is the packet type that follows the ModEx chain. */
  packetTypeAt: number;
  isMultitrack: boolean;
  multitrackType: number;
  tracks: readonly Track[];
  malformed: boolean;
}

export interface EnhancedForm {
  /** The packet type that means multitrack: 5 in audio, 6 in video. */
  readonly multitrackType: number;
  /** Packet types that carry codec bytes. Of any other, the layout is not guessed (E9). */
  isKnown(packetType: number): boolean;
  /** Whether a signed 24-bit composition time stands before the data (E2). */
  hasCompositionTime(packetType: number, codec: string): boolean;
}

/** ModEx has the same number in audio and video. */
export const MOD_EX = 7;
export const MULTITRACK_ONE = 0;
export const MULTITRACK_SAME_CODEC = 1;
export const MULTITRACK_MANY_CODECS = 2;

const NO_TRACKS: readonly Track[] = [];
const MOD_EX_NANOSECONDS = 0;
const MAX_NANOSECONDS = 999_999;

/** A header of which nothing is known yet, for a body whose first byte is enhanced. */
export function openEnhancedHeader(body: Uint8Array): EnhancedHeader {
  const header: EnhancedHeader = {
    packetType: (body[0] as number) & 0x0f,
    codec: "",
    compositionTime: 0,
    dataOffset: 1,
    nanosecondOffset: 0,
    packetTypeAt: 0,
    isMultitrack: false,
    multitrackType: 0,
    tracks: NO_TRACKS,
    malformed: false,
  };
  while (header.packetType === MOD_EX && !header.malformed) readModEx(body, header);
  return header;
}

/** Size byte + 1, or, when that gives 256, a 16-bit size + 1; that many bytes; ModEx type and next packet type (E8). */
function readModEx(body: Uint8Array, header: EnhancedHeader): void {
  let at = header.dataOffset;
  let size = (body[at++] ?? 0) + 1;
  if (size === 256) {
    size = (((body[at] ?? 0) << 8) | (body[at + 1] ?? 0)) + 1;
    at += 2;
  }
  const nibblesAt = at + size;
  const nibbles = body[nibblesAt];
  if (nibbles === undefined) {
    truncated(header, body);
    return;
  }
  if (nibbles >> 4 === MOD_EX_NANOSECONDS && size >= 3)
    header.nanosecondOffset = Math.min(u24At(body, at), MAX_NANOSECONDS);
  header.packetType = nibbles & 0x0f;
  header.packetTypeAt = nibblesAt;
  header.dataOffset = nibblesAt + 1;
}

/** Reads what follows the ModEx chain: FourCC and composition time, or the multitrack head and every track. */
export function readCodecPart(body: Uint8Array, header: EnhancedHeader, form: EnhancedForm): void {
  if (header.malformed) return;
  if (header.packetType === form.multitrackType) readMultitrack(body, header, form);
  else if (form.isKnown(header.packetType)) readSingle(body, header, form);
}

function readSingle(body: Uint8Array, header: EnhancedHeader, form: EnhancedForm): void {
  if (!readFourCc(body, header)) return;
  if (!form.hasCompositionTime(header.packetType, header.codec)) return;
  if (header.dataOffset + 3 > body.length) {
    truncated(header, body);
    return;
  }
  header.compositionTime = i24At(body, header.dataOffset);
  header.dataOffset += 3;
}

function readMultitrack(body: Uint8Array, header: EnhancedHeader, form: EnhancedForm): void {
  const nibbles = body[header.dataOffset++];
  header.isMultitrack = true;
  if (nibbles === undefined) {
    truncated(header, body);
    return;
  }
  header.multitrackType = nibbles >> 4;
  header.packetType = nibbles & 0x0f;
  if (header.multitrackType > MULTITRACK_MANY_CODECS || !form.isKnown(header.packetType)) {
    header.packetType = -1; // a form of the future, or one that E7 forbids: relayed, not understood
    return;
  }
  if (header.multitrackType !== MULTITRACK_MANY_CODECS && !readFourCc(body, header)) return;
  readTracks(body, header, form);
}

function readTracks(body: Uint8Array, header: EnhancedHeader, form: EnhancedForm): void {
  const tracks: Track[] = [];
  let at = header.dataOffset;
  while (at < body.length) {
    const track = readTrack(body, at, header, form);
    if (track === undefined) {
      truncated(header, body);
      return;
    }
    tracks.push(track);
    at = track.offset + track.length;
  }
  const first = tracks[0];
  if (first === undefined) {
    truncated(header, body);
    return;
  }
  header.tracks = tracks;
  header.codec = first.codec;
  header.compositionTime = first.compositionTime;
  header.dataOffset = first.offset;
}

/** One track from `at` on, or `undefined` when the body ends inside it. */
function readTrack(body: Uint8Array, start: number, header: EnhancedHeader, form: EnhancedForm): Track | undefined {
  let at = start;
  let codec = header.codec;
  if (header.multitrackType === MULTITRACK_MANY_CODECS) {
    if (at + 4 > body.length) return undefined;
    codec = fourCcAt(body, at);
    at += 4;
  }
  const trackId = body[at++];
  if (trackId === undefined) return undefined;
  let end = body.length;
  if (header.multitrackType !== MULTITRACK_ONE) {
    if (at + 3 > body.length) return undefined;
    end = at + 3 + u24At(body, at);
    at += 3;
  }
  const hasTime = form.hasCompositionTime(header.packetType, codec);
  const offset = hasTime ? at + 3 : at;
  if (end > body.length || offset > end) return undefined;
  return { trackId, codec, offset, length: end - offset, compositionTime: hasTime ? i24At(body, at) : 0 };
}

function readFourCc(body: Uint8Array, header: EnhancedHeader): boolean {
  if (header.dataOffset + 4 > body.length) {
    truncated(header, body);
    return false;
  }
  header.codec = fourCcAt(body, header.dataOffset);
  header.dataOffset += 4;
  return true;
}

function truncated(header: EnhancedHeader, body: Uint8Array): void {
  header.malformed = true;
  header.packetType = -1;
  header.dataOffset = body.length;
}

export function u24At(body: Uint8Array, at: number): number {
  return ((body[at] ?? 0) << 16) | ((body[at + 1] ?? 0) << 8) | (body[at + 2] ?? 0);
}

export function i24At(body: Uint8Array, at: number): number {
  return (u24At(body, at) << 8) >> 8;
}
