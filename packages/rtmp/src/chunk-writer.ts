/** Cuts messages into chunks: always the long header with the absolute time, so that no chunk needs its forerunner. */
import type { ChunkStreamId, MessageStreamId } from "./ids.ts";

/** Format 0 with a one-byte basic header; RTMP 1.0 §5.3.1.2.1. */
const HEADER_BYTES = 12;
const EXTENDED = 0xffffff;

export interface OutboundMessage {
  /** 2 to 63. */
  readonly chunkStreamId: ChunkStreamId;
  readonly typeId: number;
  /** Milliseconds, absolute, 0 to 2³² − 1. */
  readonly timestamp: number;
  readonly messageStreamId: MessageStreamId;
  /** Up to 16,777,215 bytes; copied. */
  readonly body: Uint8Array;
  /** Bytes of body per chunk. */
  readonly chunkSize: number;
}

/** Bytes that `encodeMessageInto` will write. */
export function messageByteCount(bodyLength: number, timestamp: number, chunkSize: number): number {
  const extendedBytes = timestamp >= EXTENDED ? 4 : 0;
  const continuations = bodyLength === 0 ? 0 : Math.ceil(bodyLength / chunkSize) - 1;
  return HEADER_BYTES + extendedBytes + bodyLength + continuations * (1 + extendedBytes);
}

/** Writes the whole message at `offset`; answers the offset behind it. Allocates nothing for bodies of one chunk. */
export function encodeMessageInto(target: Uint8Array, offset: number, message: OutboundMessage): number {
  const { chunkStreamId, timestamp, messageStreamId, body, chunkSize } = message;
  const isExtended = timestamp >= EXTENDED;
  target[offset] = chunkStreamId;
  writeU24(target, offset + 1, isExtended ? EXTENDED : timestamp);
  writeU24(target, offset + 4, body.length);
  target[offset + 7] = message.typeId;
  target[offset + 8] = messageStreamId;
  target[offset + 9] = messageStreamId >>> 8;
  target[offset + 10] = messageStreamId >>> 16;
  target[offset + 11] = messageStreamId >>> 24;
  let at = offset + HEADER_BYTES;
  if (isExtended) at = writeU32(target, at, timestamp);
  if (body.length <= chunkSize) {
    target.set(body, at);
    return at + body.length;
  }
  for (let from = 0; from < body.length; from += chunkSize) {
    if (from > 0) {
      target[at++] = 0xc0 | chunkStreamId;
      if (isExtended) at = writeU32(target, at, timestamp);
    }
    const part = body.subarray(from, from + chunkSize);
    target.set(part, at);
    at += part.length;
  }
  return at;
}

function writeU24(target: Uint8Array, at: number, value: number): void {
  target[at] = value >>> 16;
  target[at + 1] = value >>> 8;
  target[at + 2] = value;
}

function writeU32(target: Uint8Array, at: number, value: number): number {
  target[at] = value >>> 24;
  writeU24(target, at + 1, value);
  return at + 4;
}
