/** Opus: the identification header that stands in sequence headers. */
import { ByteReader } from "@sluice/bytes/byte-reader";

export interface OpusConfig {
  readonly channels: number;
  /** Samples at 48 kHz to throw away at the start. */
  readonly preSkip: number;
  /** Hz of the original, for information; decoders always give 48000. */
  readonly inputSampleRate: number;
}

export const OPUS_SAMPLE_RATE = 48_000;
const MAGIC_BYTES = 8;

/** "OpusHead", u8 version, u8 channels, then little-endian u16 pre-skip and u32 rate. @throws {ShortReadError}  RFC 7845 §5.1 */
export function parseOpusHead(record: Uint8Array): OpusConfig {
  const r = new ByteReader(record);
  r.skip(MAGIC_BYTES + 1);
  const channels = r.u8();
  const preSkip = r.u8() | (r.u8() << 8);
  return { channels, preSkip, inputSampleRate: r.u32le() };
}
