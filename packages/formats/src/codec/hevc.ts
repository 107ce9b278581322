/** H.265: the decoder configuration record and what its sequence parameter set says of the picture. */
import { ByteReader } from "@sluice/bytes/byte-reader";
import { BitReader } from "./bit-reader.ts";
import { removeEmulationPrevention } from "./nal-unit.ts";

export interface HevcConfig {
  /** 0 to 3; 0 in every known stream. */
  readonly profileSpace: number;
  readonly isHighTier: boolean;
  readonly profile: number;
  /** One bit per profile, profile 0 at the top. */
  readonly profileCompatibility: number;
  /** Six bytes of flags; a view of the record. */
  readonly constraints: Uint8Array;
  /** Thirty times the level. */
  readonly level: number;
  /** Bytes of the length before each NAL unit: 1, 2 or 4. */
  readonly nalLengthBytes: number;
  /** Pictures per second; 0 when the record leaves it open. */
  readonly averageFps: number;
  /** Views of the record, by NAL unit type. */
  readonly vps: readonly Uint8Array[];
  readonly sps: readonly Uint8Array[];
  readonly pps: readonly Uint8Array[];
}

const VPS = 32;
const SPS = 33;
const PPS = 34;

/**
 * HEVCDecoderConfigurationRecord.
 *
 * | offset | field                    | form | meaning                                          |
 * | ------ | ------------------------ | ---- | ------------------------------------------------ |
 * | 0      | version                  | u8   | 1                                                |
 * | 1      | space, tier, profile     | u8   | two bits, one, five                              |
 * | 2      | profile compatibility    | u32  |                                                  |
 * | 6      | constraints              | 6    |                                                  |
 * | 12     | level                    | u8   |                                                  |
 * | 13     | segmentation … bit depths| 6    | not needed here                                  |
 * | 19     | average frame rate       | u16  | per 256 seconds                                  |
 * | 21     | layers, length size      | u8   | low two bits, plus one                           |
 * | 22     | array count              | u8   | each: u8 unit type, u16 count; u16 length, bytes |
 *
 * @throws {ShortReadError}  ISO 14496-15 §8.3.3.1
 */
export function parseHevcConfig(record: Uint8Array): HevcConfig {
  const r = new ByteReader(record);
  r.skip(1);
  const head = r.u8();
  const profileCompatibility = r.u32();
  const constraints = r.bytes(6);
  const level = r.u8();
  r.skip(6);
  const averageFps = r.u16() / 256;
  const nalLengthBytes = (r.u8() & 0x03) + 1;
  return {
    profileSpace: head >> 6,
    isHighTier: (head & 0x20) !== 0,
    profile: head & 0x1f,
    profileCompatibility,
    constraints,
    level,
    nalLengthBytes,
    averageFps,
    ...readParameterSets(r),
  };
}

function readParameterSets(r: ByteReader): Pick<HevcConfig, "vps" | "sps" | "pps"> {
  const sets = { vps: [] as Uint8Array[], sps: [] as Uint8Array[], pps: [] as Uint8Array[] };
  for (let arrays = r.u8(); arrays > 0; arrays--) {
    const type = r.u8() & 0x3f;
    for (let units = r.u16(); units > 0; units--) {
      const unit = r.bytes(r.u16());
      if (type === VPS) sets.vps.push(unit);
      if (type === SPS) sets.sps.push(unit);
      if (type === PPS) sets.pps.push(unit);
    }
  }
  return sets;
}

/** Profile, compatibility with its bits reversed, tier and level, constraints up to the last that is not zero. ISO 14496-15 §E.3 */
export function hevcCodecString(config: HevcConfig): string {
  const space = ["", "A", "B", "C"][config.profileSpace] ?? "";
  const tier = config.isHighTier ? "H" : "L";
  let constraintBytes = config.constraints.length;
  while (constraintBytes > 0 && config.constraints[constraintBytes - 1] === 0) constraintBytes--;
  const parts = [
    "hvc1",
    `${space}${config.profile}`,
    reverseBits(config.profileCompatibility).toString(16).toUpperCase(),
    `${tier}${config.level}`,
  ];
  for (const byte of config.constraints.subarray(0, constraintBytes)) parts.push(byte.toString(16).toUpperCase());
  return parts.join(".");
}

/** @param unit  a whole NAL unit with its header. @throws {ShortReadError}  H.265 §7.3.2.2.1 */
export function parseHevcSps(unit: Uint8Array): { readonly width: number; readonly height: number } {
  const bits = new BitReader(removeEmulationPrevention(unit));
  bits.skip(16 + 4); // NAL unit header, video parameter set id
  const subLayers = bits.bits(3);
  bits.skip(1);
  skipProfileTierLevel(bits, subLayers);
  bits.ue(); // parameter set id
  const chromaFormat = bits.ue();
  const hasSeparatePlanes = chromaFormat === 3 && bits.flag();
  const width = bits.ue();
  const height = bits.ue();
  if (!bits.flag()) return { width, height };
  const unitX = !hasSeparatePlanes && (chromaFormat === 1 || chromaFormat === 2) ? 2 : 1;
  const unitY = !hasSeparatePlanes && chromaFormat === 1 ? 2 : 1;
  const crop = { left: bits.ue(), right: bits.ue(), top: bits.ue(), bottom: bits.ue() };
  return {
    width: Math.max(0, width - (crop.left + crop.right) * unitX),
    height: Math.max(0, height - (crop.top + crop.bottom) * unitY),
  };
}

/** 88 bits of profile and 8 of level in general, then for each sub-layer what its two flags announce. H.265 §7.3.3 */
function skipProfileTierLevel(bits: BitReader, subLayers: number): void {
  bits.skip(88 + 8);
  if (subLayers === 0) return;
  let announced = 0;
  for (let i = 0; i < subLayers; i++) announced += (bits.flag() ? 88 : 0) + (bits.flag() ? 8 : 0);
  bits.skip((8 - subLayers) * 2 + announced);
}

function reverseBits(value: number): number {
  let reversed = 0;
  for (let i = 0; i < 32; i++) reversed = (reversed << 1) | ((value >>> i) & 1);
  return reversed >>> 0;
}
