/** Synthetic frames with a stamp inside, byte for byte those of the bench (bench/native/frame.h has the layout). */
import { crc32 } from "node:zlib";
import { aacHead, avcHead, encodeAacBody, encodeAvcBody } from "@sluice/formats/flv/legacy-body";

/** 720p30 with a key frame every 2 s and 48 kHz AAC: about 1 Mbit/s in all. */
export const STREAM_SHAPE = {
  videoFps: 30,
  audioFps: 46.875,
  framesPerGop: 60,
  keyBytes: 40_000,
  deltaBytes: 3_020,
  audioBytes: 340,
} as const;

const STAMP_BYTES = 22;
const AUDIO_HEAD = aacHead(1);
const KEYFRAME_HEAD = avcHead(1, 1, 0);
const INTER_FRAME_HEAD = avcHead(2, 1, 0);
/** Including the length and the header of the one NAL unit. */
const VIDEO_HEAD_BYTES = KEYFRAME_HEAD.length + 5;
const MAGIC = [0xd5, 0x9c] as const;
const POOL_BYTES = 1 << 17;

export interface FrameStamp {
  readonly isKeyframe: boolean;
  /** Monotonic nanoseconds (`process.hrtime.bigint()`) when the frame was handed to the socket. */
  readonly sent: bigint;
  /** Counts per track from 0. */
  readonly sequence: number;
}

export interface FrameIdentity {
  readonly isAudio: boolean;
  readonly sequence: number;
  readonly sent: bigint;
}

export type FrameVerdict =
  | { readonly kind: "good"; readonly stamp: FrameStamp }
  /** A sequence header: decoder set-up, no stamp. */
  | { readonly kind: "header" }
  /** Not one of our frames, or some byte differs from what was published. */
  | { readonly kind: "damaged" };

const MASK = (1n << 64n) - 1n;

/** Filler for all frames: xorshift64, top bit set so that no start code can occur. */
function fillPool(): Uint8Array {
  const pool = new Uint8Array(POOL_BYTES);
  let x = 0x5eed5eed5eed5eedn;
  for (let i = 0; i < POOL_BYTES; i++) {
    x ^= (x << 13n) & MASK;
    x ^= x >> 7n;
    x ^= (x << 17n) & MASK;
    pool[i] = Number((x >> 32n) & 0xffn) | 0x80;
  }
  return pool;
}

/** Writes and checks frames; filling its pool is slow, so create one per process. */
export class FrameMint {
  readonly #pool = fillPool();

  sizeOf(isAudio: boolean, sequence: number): number {
    if (isAudio) return STREAM_SHAPE.audioBytes;
    return sequence % STREAM_SHAPE.framesPerGop === 0 ? STREAM_SHAPE.keyBytes : STREAM_SHAPE.deltaBytes;
  }

  /** The body of an RTMP or FLV message; fresh bytes that the caller owns. */
  write({ isAudio, sequence, sent }: FrameIdentity): Uint8Array {
    const body = Buffer.alloc(this.sizeOf(isAudio, sequence));
    const head = isAudio ? AUDIO_HEAD.length : VIDEO_HEAD_BYTES;
    if (isAudio) body.set(AUDIO_HEAD);
    else writeVideoHead(body, sequence % STREAM_SHAPE.framesPerGop === 0);
    body.set(MAGIC, head);
    writeGroups(body, head + 2, 10, sent);
    writeGroups(body, head + 12, 5, BigInt(sequence));
    const from = ((sequence * 7919) >>> 0) % (POOL_BYTES - STREAM_SHAPE.keyBytes);
    const filler = body.length - head - STAMP_BYTES;
    body.set(this.#pool.subarray(from, from + filler), head + STAMP_BYTES);
    writeGroups(body, head + 17, 5, BigInt(crc32(body)));
    return body;
  }

  check(body: Uint8Array, isAudio: boolean): FrameVerdict {
    const head = isAudio ? AUDIO_HEAD.length : VIDEO_HEAD_BYTES;
    if (body[1] === 0) return { kind: "header" };
    if (body.length < head + STAMP_BYTES) return { kind: "damaged" };
    const sent = readGroups(body, head + 2, 10);
    const sequence = Number(readGroups(body, head + 12, 5));
    if (this.sizeOf(isAudio, sequence) !== body.length) return { kind: "damaged" };
    if (Buffer.compare(this.write({ isAudio, sequence, sent }), body) !== 0) return { kind: "damaged" };
    return { kind: "good", stamp: { isKeyframe: !isAudio && (body[0] ?? 0) >> 4 === 1, sent, sequence } };
  }
}

/** AVC tag header, length of the one NAL unit, NAL unit header. */
function writeVideoHead(body: Buffer, isKeyframe: boolean): void {
  body.set(isKeyframe ? KEYFRAME_HEAD : INTER_FRAME_HEAD);
  body.writeUInt32BE(body.length - 9, 5);
  body[9] = isKeyframe ? 0x65 : 0x41;
}

function writeGroups(body: Uint8Array, offset: number, count: number, value: bigint): void {
  for (let i = count - 1, rest = value; i >= 0; i--, rest >>= 7n) body[offset + i] = 0x80 | Number(rest & 0x7fn);
}

function readGroups(body: Uint8Array, offset: number, count: number): bigint {
  let value = 0n;
  for (let i = 0; i < count; i++) value = (value << 7n) | BigInt((body[offset + i] ?? 0) & 0x7f);
  return value;
}

/** AVC 1280×720 High 3.1 and AAC-LC 48 kHz stereo. */
export const SEQUENCE_HEADERS = {
  video: encodeAvcBody(
    "sequence-start",
    Buffer.from("0164001fffe1001a6764001facd9405005bb0110000003001000000303c0f183196001000668ebe3cb22c0", "hex"),
  ),
  audio: encodeAacBody("sequence-start", Buffer.of(0x11, 0x90)),
} as const;
