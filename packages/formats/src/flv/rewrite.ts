/** Makes bodies for clients that can parse less: without ModEx, of one track only, or with a legacy header (E12). */
import type { ByteAllocator } from "@sluice/bytes/allocator";
import { AUDIO_FORM, ENHANCED_SOUND_FORMAT } from "./audio-body.ts";
import {
  type EnhancedForm,
  type EnhancedHeader,
  MOD_EX,
  MULTITRACK_ONE,
  openEnhancedHeader,
  readCodecPart,
  type Track,
} from "./enhanced-header.ts";
import { fourCcNumber } from "./four-cc.ts";
import { aacHead, avcHead, mp3Head } from "./legacy-body.ts";
import { VIDEO_FORM } from "./video-body.ts";

export type MediaKind = "audio" | "video";

/** Where new bodies come from. Answers that need no change are the given body itself, never a copy. */
export interface RewriteOptions {
  readonly allocator?: ByteAllocator;
}

const FOUR_CC_BYTES = 4;
const FRAME_TYPE_COMMAND = 5;
const METADATA = 4;

/** Whether the body opens with ModEx packets (E8). */
export function hasModEx(body: Uint8Array, kind: MediaKind): boolean {
  return isEnhanced(body, kind) && ((body[0] as number) & 0x0f) === MOD_EX;
}

/** The body without its ModEx chain; the same body when it has none, or when the chain is cut short. */
export function stripModEx(body: Uint8Array, kind: MediaKind, options?: RewriteOptions): Uint8Array {
  if (!hasModEx(body, kind)) return body;
  const header = openEnhancedHeader(body);
  if (header.malformed) return body;
  const stripped = allocate(options, 1 + body.length - header.dataOffset);
  stripped[0] = ((body[0] as number) & 0xf0) | header.packetType;
  stripped.set(body.subarray(header.dataOffset), 1);
  return stripped;
}

/**
 * A plain body for one track: ModEx chain if any, enhanced header, FourCC, the track's bytes.
 * A body that is not multitrack belongs to track 0 and is answered as it is; `undefined` when the track is not in it.
 */
export function selectTrack(
  body: Uint8Array,
  kind: MediaKind,
  trackId: number,
  options?: RewriteOptions,
): Uint8Array | undefined {
  const form = formOf(kind);
  const header = isEnhanced(body, kind) ? readHeader(body, kind) : undefined;
  if (header === undefined || !header.isMultitrack) return trackId === 0 ? body : undefined;
  const track = header.tracks.find((one) => one.trackId === trackId);
  if (track === undefined) return undefined;
  const payload = payloadOf(body, header, track, form);
  const prefixBytes = header.packetTypeAt + 1;
  const plain = allocate(options, prefixBytes + FOUR_CC_BYTES + payload.length);
  plain.set(body.subarray(0, prefixBytes));
  plain[header.packetTypeAt] = ((body[header.packetTypeAt] as number) & 0xf0) | header.packetType;
  putFourCc(plain, prefixBytes, track.codec);
  plain.set(payload, prefixBytes + FOUR_CC_BYTES);
  return plain;
}

/**
 * A OneTrack body that says which track a plain enhanced body belongs to: for cached headers of single tracks.
 * `undefined` when the body is legacy, in a command frame, already multitrack, or not readable.
 */
export function wrapTrack(
  body: Uint8Array,
  kind: MediaKind,
  trackId: number,
  options?: RewriteOptions,
): Uint8Array | undefined {
  const header = isEnhanced(body, kind) ? readHeader(body, kind) : undefined;
  if (header === undefined || header.isMultitrack || header.codec === "") return undefined;
  if (isCommandFrame(body, kind)) return undefined; // metadata in one: as multitrack it would read as a command (E3)
  const prefixBytes = header.packetTypeAt + 1;
  const rest = body.subarray(prefixBytes); // FourCC and payload
  const wrapped = allocate(options, prefixBytes + 1 + FOUR_CC_BYTES + 1 + rest.length - FOUR_CC_BYTES);
  wrapped.set(body.subarray(0, prefixBytes));
  wrapped[header.packetTypeAt] = ((body[header.packetTypeAt] as number) & 0xf0) | formOf(kind).multitrackType;
  wrapped[prefixBytes] = (MULTITRACK_ONE << 4) | header.packetType;
  wrapped.set(rest.subarray(0, FOUR_CC_BYTES), prefixBytes + 1);
  wrapped[prefixBytes + 1 + FOUR_CC_BYTES] = trackId;
  wrapped.set(rest.subarray(FOUR_CC_BYTES), prefixBytes + 1 + FOUR_CC_BYTES + 1);
  return wrapped;
}

/**
 * The body with a legacy header, for clients that know no FourCC: AVC, AAC and MP3 can be said so, ModEx is lost.
 * A body that is legacy already is answered as it is; `undefined` when the codec or packet has no legacy form.
 */
export function toLegacy(body: Uint8Array, kind: MediaKind, options?: RewriteOptions): Uint8Array | undefined {
  if (!isEnhanced(body, kind)) return body;
  const header = readHeader(body, kind);
  if (header === undefined || header.isMultitrack) return undefined;
  const head = kind === "video" ? legacyVideoHead(body, header) : legacyAudioHead(header);
  if (head === undefined) return undefined;
  const data = body.subarray(header.dataOffset);
  const legacy = allocate(options, head.length + data.length);
  legacy.set(head);
  legacy.set(data, head.length);
  return legacy;
}

/** AVC: coded frames come as packet type 1 or 3 and leave as 1. */
function legacyVideoHead(body: Uint8Array, header: EnhancedHeader): readonly number[] | undefined {
  if (header.codec !== "avc1" || header.packetType < 0 || header.packetType > 3) return undefined;
  const packetType = header.packetType === 3 ? 1 : header.packetType;
  return avcHead(((body[0] as number) >> 4) & 0x07, packetType, header.compositionTime);
}

function legacyAudioHead(header: EnhancedHeader): readonly number[] | undefined {
  if (header.codec === ".mp3" && header.packetType === 1) return mp3Head();
  if (header.codec === "mp4a" && (header.packetType === 0 || header.packetType === 1))
    return aacHead(header.packetType);
  return undefined;
}

function isEnhanced(body: Uint8Array, kind: MediaKind): boolean {
  const head = body[0];
  if (head === undefined) return false;
  return kind === "video" ? (head & 0x80) !== 0 : head >> 4 === ENHANCED_SOUND_FORMAT;
}

function isCommandFrame(body: Uint8Array, kind: MediaKind): boolean {
  return kind === "video" && (((body[0] as number) >> 4) & 0x07) === FRAME_TYPE_COMMAND;
}

/** `undefined` for commands, and for what cannot be read. */
function readHeader(body: Uint8Array, kind: MediaKind): EnhancedHeader | undefined {
  const header = openEnhancedHeader(body);
  if (isCommandFrame(body, kind) && header.packetType !== METADATA) return undefined;
  readCodecPart(body, header, formOf(kind));
  return header.malformed || header.packetType < 0 ? undefined : header;
}

/** The track's bytes with the composition time that `offset` lies behind. */
function payloadOf(body: Uint8Array, header: EnhancedHeader, track: Track, form: EnhancedForm): Uint8Array {
  const start = form.hasCompositionTime(header.packetType, track.codec) ? track.offset - 3 : track.offset;
  return body.subarray(start, track.offset + track.length);
}

function formOf(kind: MediaKind): EnhancedForm {
  return kind === "video" ? VIDEO_FORM : AUDIO_FORM;
}

function putFourCc(into: Uint8Array, at: number, codec: string): void {
  const value = fourCcNumber(codec);
  into[at] = value >>> 24;
  into[at + 1] = value >>> 16;
  into[at + 2] = value >>> 8;
  into[at + 3] = value;
}

function allocate(options: RewriteOptions | undefined, byteCount: number): Uint8Array {
  return options?.allocator?.allocate(byteCount) ?? new Uint8Array(byteCount);
}
