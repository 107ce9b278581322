/** H.264: the decoder configuration record and what its sequence parameter set says of the picture. */
import { ByteReader } from "@sluice/bytes/byte-reader";
import { BitReader } from "./bit-reader.ts";
import { removeEmulationPrevention } from "./nal-unit.ts";

export interface AvcConfig {
  readonly profile: number;
  /** The six constraint flags, from the top bit down. */
  readonly compatibility: number;
  readonly level: number;
  /** Bytes of the length before each NAL unit: 1, 2 or 4. */
  readonly nalLengthBytes: number;
  /** Views of the record. */
  readonly sps: readonly Uint8Array[];
  readonly pps: readonly Uint8Array[];
}

export interface AvcSps {
  /** Pixels after cropping. */
  readonly width: number;
  readonly height: number;
  /** Pictures per second when the stream states its timing. */
  readonly fps?: number;
}

/**
 * AVCDecoderConfigurationRecord.
 *
 * | offset | field         | form | meaning                                     |
 * | ------ | ------------- | ---- | ------------------------------------------- |
 * | 0      | version       | u8   | 1                                           |
 * | 1      | profile       | u8   |                                             |
 * | 2      | compatibility | u8   |                                             |
 * | 3      | level         | u8   | times ten                                   |
 * | 4      | length size   | u8   | low two bits, plus one                      |
 * | 5      | SPS count     | u8   | low five bits; then u16 length and bytes each |
 * | …      | PPS count     | u8   | then u16 length and bytes each              |
 *
 * @throws {ShortReadError}  ISO 14496-15 §5.3.3.1
 */
export function parseAvcConfig(record: Uint8Array): AvcConfig {
  const r = new ByteReader(record);
  r.skip(1);
  const profile = r.u8();
  const compatibility = r.u8();
  const level = r.u8();
  const nalLengthBytes = (r.u8() & 0x03) + 1;
  const sps = readUnits(r, r.u8() & 0x1f);
  const pps = readUnits(r, r.u8());
  return { profile, compatibility, level, nalLengthBytes, sps, pps };
}

/** RFC 6381 §3.3 */
export function avcCodecString(config: Pick<AvcConfig, "profile" | "compatibility" | "level">): string {
  return `avc1.${hexByte(config.profile)}${hexByte(config.compatibility)}${hexByte(config.level)}`;
}

/** @param unit  a whole NAL unit with its header byte. @throws {ShortReadError}  H.264 §7.3.2.1.1 */
export function parseAvcSps(unit: Uint8Array): AvcSps {
  const bits = new BitReader(removeEmulationPrevention(unit));
  bits.skip(8); // NAL unit header
  const profile = bits.bits(8);
  bits.skip(16); // constraints, level
  bits.ue(); // parameter set id
  const chromaFormat = HIGH_PROFILES.has(profile) ? readHighProfileFields(bits) : 1;
  bits.ue(); // log2_max_frame_num
  skipPictureOrder(bits);
  bits.ue(); // reference frames
  bits.skip(1);
  const { width, height } = readPictureSize(bits, chromaFormat);
  const fps = bits.flag() ? readVuiFps(bits) : undefined;
  return fps === undefined ? { width, height } : { width, height, fps };
}

/** Profiles whose parameter sets carry a chroma format, and so on. H.264 §7.3.2.1.1 */
const HIGH_PROFILES: ReadonlySet<number> = new Set([100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135]);
const EXTENDED_ASPECT_RATIO = 255;

function readUnits(r: ByteReader, count: number): Uint8Array[] {
  const units: Uint8Array[] = [];
  for (let i = 0; i < count; i++) units.push(r.bytes(r.u16()));
  return units;
}

/** @returns the chroma format: 0 monochrome, 1 4:2:0, 2 4:2:2, 3 4:4:4; 0 too for separate planes */
function readHighProfileFields(bits: BitReader): number {
  const chromaFormat = bits.ue();
  const hasSeparatePlanes = chromaFormat === 3 && bits.flag();
  bits.ue(); // luma bit depth
  bits.ue(); // chroma bit depth
  bits.skip(1);
  if (bits.flag()) skipScalingLists(bits, chromaFormat === 3 ? 12 : 8);
  return hasSeparatePlanes ? 0 : chromaFormat;
}

function skipScalingLists(bits: BitReader, count: number): void {
  for (let i = 0; i < count; i++) {
    if (!bits.flag()) continue;
    let last = 8;
    let next = 8;
    for (let j = 0; j < (i < 6 ? 16 : 64) && next !== 0; j++) {
      next = (last + bits.se() + 256) % 256;
      if (next !== 0) last = next;
    }
  }
}

function skipPictureOrder(bits: BitReader): void {
  const type = bits.ue();
  if (type === 0) bits.ue();
  if (type !== 1) return;
  bits.skip(1);
  bits.se();
  bits.se();
  for (let left = bits.ue(); left > 0; left--) bits.se();
}

function readPictureSize(bits: BitReader, chromaFormat: number): { width: number; height: number } {
  const widthInBlocks = bits.ue() + 1;
  const heightInUnits = bits.ue() + 1;
  const hasFramesOnly = bits.flag();
  if (!hasFramesOnly) bits.skip(1);
  bits.skip(1);
  const fieldFactor = hasFramesOnly ? 1 : 2;
  const cropX = chromaFormat === 1 || chromaFormat === 2 ? 2 : 1;
  const cropY = (chromaFormat === 1 ? 2 : 1) * fieldFactor;
  const crop = bits.flag() ? { left: bits.ue(), right: bits.ue(), top: bits.ue(), bottom: bits.ue() } : NO_CROP;
  return {
    width: Math.max(0, widthInBlocks * 16 - (crop.left + crop.right) * cropX),
    height: Math.max(0, heightInUnits * 16 * fieldFactor - (crop.top + crop.bottom) * cropY),
  };
}

const NO_CROP = { left: 0, right: 0, top: 0, bottom: 0 } as const;

/** Walks the usability information up to its timing; a frame is two ticks. H.264 §E.1.1 */
function readVuiFps(bits: BitReader): number | undefined {
  if (bits.flag() && bits.bits(8) === EXTENDED_ASPECT_RATIO) bits.skip(32);
  if (bits.flag()) bits.skip(1); // overscan
  if (bits.flag()) {
    bits.skip(4); // video format and range
    if (bits.flag()) bits.skip(24); // colours
  }
  if (bits.flag()) {
    bits.ue(); // chroma sample places
    bits.ue();
  }
  if (!bits.flag()) return undefined;
  const unitsInTick = bits.bits(32);
  const timeScale = bits.bits(32);
  return unitsInTick === 0 || timeScale === 0 ? undefined : timeScale / (2 * unitsInTick);
}

function hexByte(value: number): string {
  return value.toString(16).padStart(2, "0");
}
