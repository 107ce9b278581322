/** FLAC: the STREAMINFO block that stands in sequence headers. */
import { BitReader } from "./bit-reader.ts";

export interface FlacConfig {
  readonly sampleRate: number;
  readonly channels: number;
  readonly bitsPerSample: number;
}

const MARK = [0x66, 0x4c, 0x61, 0x43] as const; // "fLaC"
const STREAM_INFO_BYTES = 34;
const BLOCK_HEADER_BYTES = 4;

/** Takes the block bare, behind its four-byte header, or behind the mark "fLaC" too. @throws {ShortReadError}  RFC 9639 §8.2 */
export function parseFlacConfig(record: Uint8Array): FlacConfig {
  const hasMark = MARK.every((byte, i) => record[i] === byte);
  const start = hasMark ? MARK.length : 0;
  const hasHeader = record.length - start >= STREAM_INFO_BYTES + BLOCK_HEADER_BYTES;
  const bits = new BitReader(record.subarray(start + (hasHeader ? BLOCK_HEADER_BYTES : 0)));
  bits.skip(16 + 16 + 24 + 24); // block and frame sizes
  return { sampleRate: bits.bits(20), channels: bits.bits(3) + 1, bitsPerSample: bits.bits(5) + 1 };
}
