/** AV1: the codec configuration record and what its sequence header says of the picture. */
import { ShortReadError } from "@sluice/bytes/wire-error";
import { BitReader } from "./bit-reader.ts";

export interface Av1Config {
  /** 0 main, 1 high, 2 professional. */
  readonly profile: number;
  /** 0 to 31: level 2.0 is 0, 5.1 is 13. */
  readonly level: number;
  readonly isHighTier: boolean;
  readonly bitDepth: 8 | 10 | 12;
  /** Open bitstream units; a view of the record, often a single sequence header, sometimes empty. */
  readonly configObus: Uint8Array;
}

export interface Av1SequenceHeader {
  readonly width: number;
  readonly height: number;
  /** Pictures per second when the stream states a constant rate. */
  readonly fps?: number;
}

const SEQUENCE_HEADER = 1;

/**
 * AV1CodecConfigurationRecord.
 *
 * | offset | bits                                                                          |
 * | ------ | ----------------------------------------------------------------------------- |
 * | 0      | 1 marker, 7 version                                                           |
 * | 1      | 3 profile, 5 level                                                            |
 * | 2      | 1 tier, 1 high bit depth, 1 twelve bit, 1 mono, 2 subsampling, 2 sample place |
 * | 3      | presentation delay                                                            |
 * | 4      | OBUs to the end                                                               |
 *
 * @throws {ShortReadError}  AV1 in ISO BMFF §2.3.3
 */
export function parseAv1Config(record: Uint8Array): Av1Config {
  const bits = new BitReader(record);
  bits.skip(8);
  const profile = bits.bits(3);
  const level = bits.bits(5);
  const isHighTier = bits.flag();
  const isDeep = bits.flag();
  const isTwelve = bits.flag();
  bits.skip(5 + 8);
  const bitDepth = !isDeep ? 8 : isTwelve ? 12 : 10;
  return { profile, level, isHighTier, bitDepth, configObus: record.subarray(4) };
}

/** Profile, level and tier, bit depth. AV1 in ISO BMFF §5 */
export function av1CodecString(config: Av1Config): string {
  const level = String(config.level).padStart(2, "0");
  return `av01.${config.profile}.${level}${config.isHighTier ? "H" : "M"}.${String(config.bitDepth).padStart(2, "0")}`;
}

/** The payload of the first sequence header among the units, or `undefined`. @throws {ShortReadError}  AV1 §5.3 */
export function findAv1SequenceHeader(obus: Uint8Array): Uint8Array | undefined {
  for (let at = 0; at < obus.length; ) {
    const head = obus[at++] as number;
    if ((head & 0x04) !== 0) at++; // extension
    let size = obus.length - at;
    if ((head & 0x02) !== 0) ({ size, at } = readLeb128(obus, at));
    if (((head >> 3) & 0x0f) === SEQUENCE_HEADER) return obus.subarray(at, at + size);
    at += size;
  }
  return undefined;
}

/** Seven bits per byte, lowest first, at most eight bytes. AV1 §4.10.5 */
function readLeb128(bytes: Uint8Array, start: number): { size: number; at: number } {
  let size = 0;
  for (let i = 0; i < 8; i++) {
    const byte = bytes[start + i];
    if (byte === undefined) break;
    size += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return { size, at: start + i + 1 };
  }
  throw new ShortReadError({ offset: start, wanted: 1, available: 0 });
}

/** @throws {ShortReadError}  AV1 §5.5.1 */
export function parseAv1SequenceHeader(payload: Uint8Array): Av1SequenceHeader {
  const bits = new BitReader(payload);
  bits.skip(3 + 1); // profile, still picture
  const isReduced = bits.flag();
  const fps = isReduced ? skipReducedPoint(bits) : readTimingAndPoints(bits);
  const widthBits = bits.bits(4) + 1;
  const heightBits = bits.bits(4) + 1;
  const size = { width: bits.bits(widthBits) + 1, height: bits.bits(heightBits) + 1 };
  return fps === undefined ? size : { ...size, fps };
}

function skipReducedPoint(bits: BitReader): undefined {
  bits.skip(5);
}

/** Timing, decoder model and operating points: all that stands before the picture's size. */
function readTimingAndPoints(bits: BitReader): number | undefined {
  const hasTiming = bits.flag();
  const fps = hasTiming ? readTiming(bits) : undefined;
  const delayBits = hasTiming && bits.flag() ? readDecoderModel(bits) : 0;
  const hasDisplayDelay = bits.flag();
  for (let points = bits.bits(5) + 1; points > 0; points--) {
    bits.skip(12);
    if (bits.bits(5) > 7) bits.skip(1); // tier, of levels above 3.3 only
    if (delayBits > 0 && bits.flag()) bits.skip(2 * delayBits + 1);
    if (hasDisplayDelay && bits.flag()) bits.skip(4);
  }
  return fps;
}

function readTiming(bits: BitReader): number | undefined {
  const unitsInTick = bits.bits(32);
  const timeScale = bits.bits(32);
  if (!bits.flag()) return undefined;
  const ticks = bits.ue() + 1; // AV1 calls this code uvlc
  return unitsInTick === 0 || timeScale === 0 ? undefined : timeScale / (unitsInTick * ticks);
}

/** @returns how many bits each delay of an operating point has */
function readDecoderModel(bits: BitReader): number {
  const delayBits = bits.bits(5) + 1;
  bits.skip(32 + 5 + 5);
  return delayBits;
}
