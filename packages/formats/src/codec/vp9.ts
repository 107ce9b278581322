/** VP9 and VP8: the codec configuration record. It says nothing of the picture's size. */
import { ByteReader } from "@sluice/bytes/byte-reader";

export interface VpConfig {
  readonly profile: number;
  /** Ten times the level, 0 unknown. */
  readonly level: number;
  readonly bitDepth: number;
}

/**
 * VPCodecConfigurationRecord: u8 profile, u8 level, then bit depth in the top four bits.
 * Some senders put the four bytes of its MP4 box before it (version 1, no flags): those are skipped,
 * which is safe since a record that began so would have a bit depth of zero.
 *
 * @throws {ShortReadError}  VP codec in ISO BMFF §4
 */
export function parseVpConfig(record: Uint8Array): VpConfig {
  const r = new ByteReader(record);
  const hasBoxHead = record.length > 6 && record[0] === 1 && record[1] === 0 && record[2] === 0 && record[3] === 0;
  if (hasBoxHead) r.skip(4);
  return { profile: r.u8(), level: r.u8(), bitDepth: r.u8() >> 4 };
}

/** @param codec  "vp09" or "vp08" */
export function vpCodecString(codec: string, config: VpConfig): string {
  return [codec, twoDigits(config.profile), twoDigits(config.level), twoDigits(config.bitDepth)].join(".");
}

function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}
