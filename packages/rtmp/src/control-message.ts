/** Bodies of the protocol control messages: chunk size, abort, acknowledgement, window, bandwidth. RTMP 1.0 §5.4. */
import { ByteReader } from "@sluice/bytes/byte-reader";
import { ByteWriter } from "@sluice/bytes/byte-writer";
import { RtmpMessageError } from "./errors.ts";

const LARGEST_CHUNK_SIZE = 0xffffff;

/** One unsigned 32-bit number: chunk stream id of Abort, byte count of Acknowledgement, window size. */
export function decodeU32Body(bytes: Uint8Array): number {
  return new ByteReader(bytes).u32();
}

/** The same number to bytes. @param value  0 to 2³² − 1 */
export function encodeU32Body(value: number): Uint8Array {
  return new ByteWriter(4).u32(value).finish();
}

/**
 * Bytes of body per chunk. Values over 16,777,215 mean that number, since no message is longer.
 * @throws {RtmpMessageError} zero, or the top bit set
 */
export function decodeSetChunkSize(bytes: Uint8Array): number {
  const value = decodeU32Body(bytes);
  if (value === 0 || value > 0x7fffffff)
    throw new RtmpMessageError({ message: "set chunk size", detail: `size ${value} is not from 1 to 2147483647` });
  return Math.min(value, LARGEST_CHUNK_SIZE);
}

/** Hard: use this window. Soft: the smaller of this and the one in use. Dynamic: hard if the last was hard, else ignore. */
export type BandwidthLimit = "hard" | "soft" | "dynamic";

export interface SetPeerBandwidth {
  readonly windowAckSize: number;
  readonly limit: BandwidthLimit;
}

const BANDWIDTH_LIMITS: readonly BandwidthLimit[] = ["hard", "soft", "dynamic"];

/** RTMP 1.0 §5.4.5. A limit type of its own invention, or none, reads as dynamic, which asks for nothing. */
export function decodeSetPeerBandwidth(bytes: Uint8Array): SetPeerBandwidth {
  const r = new ByteReader(bytes);
  return { windowAckSize: r.u32(), limit: BANDWIDTH_LIMITS[r.remaining > 0 ? r.u8() : 2] ?? "dynamic" };
}

export function encodeSetPeerBandwidth(value: SetPeerBandwidth): Uint8Array {
  return new ByteWriter(5).u32(value.windowAckSize).u8(BANDWIDTH_LIMITS.indexOf(value.limit)).finish();
}
