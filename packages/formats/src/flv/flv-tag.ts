/** FLV as a byte stream: the file header, and tags with their headers and back pointers. */
import type { ByteQueue } from "@sluice/bytes/byte-queue";
import { FlvHeaderError, FlvTagTooLongError, FlvTagTypeError } from "./flv-errors.ts";

export type FlvTagType = "audio" | "video" | "script";

export interface FlvHeader {
  readonly hasAudio: boolean;
  readonly hasVideo: boolean;
}

export interface FlvTag {
  readonly type: FlvTagType;
  /** Milliseconds, 0 to 2³² − 1. */
  readonly timestamp: number;
  /** A view when the tag arrived in one piece: copy it to keep it. */
  readonly body: Uint8Array;
  /** Script tags only: type 15, whose body is one zero byte and then AMF0 that may switch to AMF3. */
  readonly isAmf3: boolean;
  /** False when the back pointer after the tag is wrong; nothing else depends on it. */
  readonly isBackPointerRight: boolean;
}

/** What one FLV stream may make this process hold. */
export interface FlvLimits {
  /** Bytes of one tag's body; the format itself allows 16 777 215. */
  readonly tagBytes: number;
}

export const DEFAULT_FLV_LIMITS: FlvLimits = { tagBytes: 8 * 1024 * 1024 };

/** File header and the first back pointer, which is always zero. */
export const FLV_HEADER_BYTES = 13;
const TAG_HEADER_BYTES = 11;
const BACK_POINTER_BYTES = 4;
/** The longest file header that is accepted; no known file has a longer one. */
const MAX_DATA_OFFSET = 1024;
const SIGNATURE = [0x46, 0x4c, 0x56, 0x01] as const; // "FLV", version 1

const AUDIO = 8;
const VIDEO = 9;
const SCRIPT_AMF3 = 15;
const SCRIPT = 18;

/**
 * Takes the file header and the back pointer after it. `undefined`: more bytes needed, nothing consumed.
 *
 * | offset | field       | form | meaning                                    |
 * | ------ | ----------- | ---- | ------------------------------------------ |
 * | 0      | signature   | 3    | "FLV"                                      |
 * | 3      | version     | u8   | 1                                          |
 * | 4      | flags       | u8   | 0x04 audio, 0x01 video; often wrong        |
 * | 5      | data offset | u32  | bytes of this header, 9                    |
 * | 9      | back pointer| u32  | 0, from the data offset on                 |
 *
 * @throws {FlvHeaderError} as soon as no further byte could make it valid.  FLV 10.1 Annex E.2
 */
export function takeFlvHeader(queue: ByteQueue): FlvHeader | undefined {
  for (let i = 0; i < SIGNATURE.length; i++) {
    const byte = queue.peekU8(i);
    if (byte === undefined) return undefined;
    if (byte !== SIGNATURE[i]) throw new FlvHeaderError({ field: i < 3 ? "signature" : "version", value: byte });
  }
  const head = queue.peek(9);
  if (head === undefined) return undefined;
  const dataOffset = u32At(head, 5);
  if (dataOffset < 9 || dataOffset > MAX_DATA_OFFSET)
    throw new FlvHeaderError({ field: "dataOffset", value: dataOffset });
  if (queue.length < dataOffset + BACK_POINTER_BYTES) return undefined;
  queue.skip(dataOffset + BACK_POINTER_BYTES);
  const flags = head[4] as number;
  return { hasAudio: (flags & 0x04) !== 0, hasVideo: (flags & 0x01) !== 0 };
}

/**
 * Takes one whole tag and the back pointer after it. `undefined`: more bytes needed, nothing consumed.
 *
 * | offset | field              | form | meaning                                     |
 * | ------ | ------------------ | ---- | ------------------------------------------- |
 * | 0      | filter and type    | u8   | 0x20 encrypted; low five bits 8, 9, 15, 18  |
 * | 1      | data size          | u24  | bytes of the body                           |
 * | 4      | timestamp          | u24  | ms, the low 24 bits                         |
 * | 7      | timestamp extended | u8   | the high 8 bits                             |
 * | 8      | stream id          | u24  | 0                                           |
 * | 11     | body               |      |                                             |
 * | 11 + n | back pointer       | u32  | 11 + n                                      |
 *
 * @throws {FlvTagTypeError} @throws {FlvTagTooLongError}  FLV 10.1 Annex E.4.1
 */
export function takeTag(queue: ByteQueue, limits: FlvLimits = DEFAULT_FLV_LIMITS): FlvTag | undefined {
  const typeByte = queue.peekU8();
  if (typeByte === undefined) return undefined;
  const type = typeOf(typeByte);
  const head = queue.peek(TAG_HEADER_BYTES);
  if (head === undefined) return undefined;
  const bodyLength = u32At(head, 0) & 0xffffff;
  if (bodyLength > limits.tagBytes) throw new FlvTagTooLongError({ declared: bodyLength, limit: limits.tagBytes });
  const whole = queue.take(flvTagByteCount(bodyLength));
  if (whole === undefined) return undefined;
  const bodyEnd = TAG_HEADER_BYTES + bodyLength;
  return {
    type,
    timestamp: ((u32At(whole, 3) & 0xffffff) | ((whole[7] as number) << 24)) >>> 0,
    body: whole.subarray(TAG_HEADER_BYTES, bodyEnd),
    isAmf3: (typeByte & 0x1f) === SCRIPT_AMF3,
    isBackPointerRight: u32At(whole, bodyEnd) === bodyEnd,
  };
}

/** The 13 bytes that open a stream: header and first back pointer. */
export function writeFlvHeader(hasAudio: boolean, hasVideo: boolean): Uint8Array {
  const flags = (hasAudio ? 0x04 : 0) | (hasVideo ? 0x01 : 0);
  return Uint8Array.of(...SIGNATURE, flags, 0, 0, 0, 9, 0, 0, 0, 0);
}

/** Bytes of a tag with its header and the back pointer after it. */
export function flvTagByteCount(bodyLength: number): number {
  return TAG_HEADER_BYTES + bodyLength + BACK_POINTER_BYTES;
}

/**
 * Writes header, body and back pointer into `target` at `offset`; allocates nothing.
 *
 * @param timestamp  ms modulo 2³²
 * @param body  at most 16 777 215 bytes, copied
 * @returns the offset after the tag
 */
export function encodeFlvTagInto(
  target: Uint8Array,
  offset: number,
  type: FlvTagType,
  timestamp: number,
  body: Uint8Array,
): number {
  const length = body.length;
  target[offset] = type === "video" ? VIDEO : type === "audio" ? AUDIO : SCRIPT;
  target[offset + 1] = length >>> 16;
  target[offset + 2] = length >>> 8;
  target[offset + 3] = length;
  target[offset + 4] = timestamp >>> 16;
  target[offset + 5] = timestamp >>> 8;
  target[offset + 6] = timestamp;
  target[offset + 7] = timestamp >>> 24;
  target[offset + 8] = 0;
  target[offset + 9] = 0;
  target[offset + 10] = 0;
  target.set(body, offset + TAG_HEADER_BYTES);
  const end = offset + TAG_HEADER_BYTES + length;
  const size = TAG_HEADER_BYTES + length;
  target[end] = size >>> 24;
  target[end + 1] = size >>> 16;
  target[end + 2] = size >>> 8;
  target[end + 3] = size;
  return end + BACK_POINTER_BYTES;
}

/** The two top bits are reserved and ignored; the filter bit (encrypted) is not. */
function typeOf(typeByte: number): FlvTagType {
  switch (typeByte & 0x3f) {
    case AUDIO:
      return "audio";
    case VIDEO:
      return "video";
    case SCRIPT:
    case SCRIPT_AMF3:
      return "script";
    default:
      throw new FlvTagTypeError({ typeByte });
  }
}

function u32At(bytes: Uint8Array, at: number): number {
  const b = bytes;
  return (
    (((b[at] as number) << 24) |
      ((b[at + 1] as number) << 16) |
      ((b[at + 2] as number) << 8) |
      (b[at + 3] as number)) >>>
    0
  );
}
