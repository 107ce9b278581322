/** AAC: the AudioSpecificConfig that stands in sequence headers. */
import { BitReader } from "./bit-reader.ts";

export interface AacConfig {
  /** As signalled first: 2 low complexity, 5 with SBR, 29 with SBR and PS. */
  readonly objectType: number;
  /** Hz that come out of the decoder, SBR counted in when it is signalled. */
  readonly sampleRate: number;
  /** That come out of the decoder, PS counted in when it is signalled. */
  readonly channels: number;
  readonly hasSbr: boolean;
  readonly hasPs: boolean;
}

const SBR = 5;
const PS = 29;
const ESCAPE_OBJECT_TYPE = 31;
const ESCAPE_RATE = 15;
/** ISO 14496-3 table 1.18 */
const RATES: readonly number[] = [
  96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350,
];
/** By channel configuration; 0 means that a program config element tells. ISO 14496-3 table 1.19 */
const CHANNELS: readonly number[] = [0, 1, 2, 3, 4, 5, 6, 8, 0, 0, 0, 7, 8, 0, 8];
/** Object types whose own part is a GASpecificConfig. */
const GENERAL_AUDIO: ReadonlySet<number> = new Set([1, 2, 3, 4, 6, 7, 17, 19, 20, 21, 22, 23]);
/** Marks of the backward compatible extension behind the main part. ISO 14496-3 §1.6.2.1 */
const SBR_SYNC = 0x2b7;
const PS_SYNC = 0x548;

/** @throws {ShortReadError}  ISO 14496-3 §1.6.2.1 */
export function parseAacConfig(record: Uint8Array): AacConfig {
  const bits = new BitReader(record);
  const objectType = readObjectType(bits);
  let sampleRate = readRate(bits);
  const channelConfig = bits.bits(4);
  let coreType = objectType;
  if (objectType === SBR || objectType === PS) {
    sampleRate = readRate(bits);
    coreType = readObjectType(bits);
  }
  const isGeneral = GENERAL_AUDIO.has(coreType);
  const elementChannels = isGeneral ? readGeneralAudio(bits, channelConfig, coreType) : 0;
  const explicit = { hasSbr: objectType === SBR || objectType === PS, hasPs: objectType === PS, sampleRate };
  const found = explicit.hasSbr || !isGeneral ? explicit : readExtension(bits, sampleRate);
  const coreChannels = channelConfig === 0 ? elementChannels : (CHANNELS[channelConfig] ?? 0);
  return { objectType, ...found, channels: found.hasPs && coreChannels === 1 ? 2 : coreChannels };
}

/** RFC 6381 §3.3 */
export function aacCodecString(config: Pick<AacConfig, "objectType">): string {
  return `mp4a.40.${config.objectType}`;
}

function readObjectType(bits: BitReader): number {
  const type = bits.bits(5);
  return type === ESCAPE_OBJECT_TYPE ? 32 + bits.bits(6) : type;
}

function readRate(bits: BitReader): number {
  const index = bits.bits(4);
  return index === ESCAPE_RATE ? bits.bits(24) : (RATES[index] ?? 0);
}

/** Walks GASpecificConfig. @returns the channels of its program config element; 0 without one. ISO 14496-3 §4.4.1 */
function readGeneralAudio(bits: BitReader, channelConfig: number, coreType: number): number {
  if (bits.remaining < 3) return 0; // cut off by some encoders, with nothing lost
  bits.skip(1); // frame length
  if (bits.flag()) bits.skip(14); // core coder delay
  const hasExtension = bits.flag();
  const channels = channelConfig === 0 ? readProgramChannels(bits) : 0;
  if (coreType === 6 || coreType === 20) bits.skip(3);
  if (hasExtension && coreType === 22) bits.skip(16);
  if (hasExtension && [17, 19, 20, 23].includes(coreType)) bits.skip(3);
  if (hasExtension) bits.skip(1);
  return channels;
}

/** ISO 14496-3 table 4.2 */
function readProgramChannels(bits: BitReader): number {
  bits.skip(4 + 2 + 4);
  const elements = bits.bits(4) + bits.bits(4) + bits.bits(4); // front, side, back
  const lowFrequency = bits.bits(2);
  const skippedTags = bits.bits(3) * 4 + bits.bits(4) * 5; // associated data, coupling
  for (const mixdownBits of [4, 4, 3]) if (bits.flag()) bits.skip(mixdownBits);
  let channels = lowFrequency;
  for (let i = 0; i < elements; i++) {
    channels += bits.flag() ? 2 : 1;
    bits.skip(4);
  }
  bits.skip(lowFrequency * 4 + skippedTags);
  return channels;
}

/** The extension that older decoders do not see: SBR behind its sync word, PS behind another. */
function readExtension(bits: BitReader, coreRate: number): Pick<AacConfig, "hasSbr" | "hasPs" | "sampleRate"> {
  const none = { hasSbr: false, hasPs: false, sampleRate: coreRate };
  if (bits.remaining < 16 || bits.bits(11) !== SBR_SYNC || readObjectType(bits) !== SBR || !bits.flag()) return none;
  const sampleRate = readRate(bits);
  const hasPs = bits.remaining >= 12 && bits.bits(11) === PS_SYNC && bits.flag();
  return { hasSbr: true, hasPs, sampleRate };
}
