/**
 * Writes AAC-LC raw data blocks of a stereo pair that sound the same on both sides.
 *
 * Only two words of the spectral code are needed: a pair of lines is either silent, or both are at least 16 and then
 * sent by their escape values. Raising a faint line to 16 costs nothing to hear, as the loud ones are in the thousands.
 */
import { BitWriter, type Codeword, codeword } from "./bit-writer.ts";

/** Spectral lines that a frame may carry: the first 17 scalefactor bands at 44.1 and 48 kHz, 0 to about 2.2 kHz. */
export const LINE_COUNT = 96;
const BAND_COUNT = 17;

/** Channel pair element and end of the block. ISO/IEC 14496-3 Table 4.71 */
const ID_CPE = 1;
const ID_END = 7;
const MS_USED_EVERYWHERE = 2;
const ESCAPE_CODEBOOK = 11;
const ZERO_CODEBOOK = 0;
/** The codebook's words for the pairs (0, 0) and (escape, escape). */
const SILENT_PAIR = codeword("0000");
const ESCAPE_PAIR = codeword("00100");
/** Scalefactor difference of 0. */
const SAME_SCALE: Codeword = { bits: 0, length: 1 };

const MIN_ESCAPED = 16;
const MAX_ESCAPED = 8_191;
/** Gain at which a level stands for level^(4/3) unscaled; four more double it. §4.6.2.3.3 */
const UNITY_GAIN = 100;
/** 32 times unity, so that a line up to 5 200 000 fits: half as much again as a tone at a tenth of full scale needs. */
const GAIN = UNITY_GAIN + 20;
const STEP = 2 ** ((GAIN - UNITY_GAIN) / 4);

/** @param lines  `LINE_COUNT` of them, on the scale of 16-bit samples; `undefined` for silence */
export function encodeAacFrame(lines: Float64Array | undefined): Uint8Array<ArrayBuffer> {
  const levels = lines === undefined ? undefined : quantise(lines);
  const w = new BitWriter();
  w.put(ID_CPE, 3).put(0, 4);
  w.put(1, 1); // common_window
  w.put(0, 1).put(0, 2).put(0, 1); // reserved, ONLY_LONG_SEQUENCE, sine window
  w.put(levels === undefined ? 0 : BAND_COUNT, 6).put(0, 1); // max_sfb, no prediction
  // Both channels come from the first; the second carries their difference, which is nothing.
  w.put(levels === undefined ? 0 : MS_USED_EVERYWHERE, 2);
  writeChannel(w, levels, ESCAPE_CODEBOOK);
  writeChannel(w, levels === undefined ? undefined : [], ZERO_CODEBOOK);
  return w.put(ID_END, 3).align().finish();
}

/** individual_channel_stream. Table 4.50 */
function writeChannel(w: BitWriter, levels: readonly number[] | undefined, codebook: number): void {
  w.put(GAIN, 8);
  if (levels !== undefined) w.put(codebook, 4).put(BAND_COUNT, 5); // one section for all bands
  if (codebook === ESCAPE_CODEBOOK && levels !== undefined) for (let i = 0; i < BAND_COUNT; i++) w.code(SAME_SCALE);
  w.put(0, 3); // no pulse data, no TNS, no gain control
  for (let i = 0; i < (levels?.length ?? 0); i += 2) writePair(w, levels?.[i] as number, levels?.[i + 1] as number);
}

function writePair(w: BitWriter, first: number, second: number): void {
  if (first === 0) {
    w.code(SILENT_PAIR);
    return;
  }
  w.code(ESCAPE_PAIR)
    .put(first < 0 ? 1 : 0, 1)
    .put(second < 0 ? 1 : 0, 1);
  writeEscape(w, Math.abs(first));
  writeEscape(w, Math.abs(second));
}

/** N ones and a zero, then N + 4 bits: value − 2^(N+4). §4.6.3.3 */
function writeEscape(w: BitWriter, value: number): void {
  const bitCount = 31 - Math.clz32(value);
  w.put((1 << (bitCount - 3)) - 2, bitCount - 3).put(value, bitCount);
}

/** Pairs whose lines both round to less than the smallest escape become silent. */
function quantise(lines: Float64Array): readonly number[] {
  const levels = Array.from(lines, (line) => Math.sign(line) * Math.round((Math.abs(line) / STEP) ** 0.75));
  for (let i = 0; i < levels.length; i += 2) {
    const [first, second] = [levels[i] as number, levels[i + 1] as number];
    const isHeard = Math.max(Math.abs(first), Math.abs(second)) >= MIN_ESCAPED;
    levels[i] = isHeard ? escapable(first) : 0;
    levels[i + 1] = isHeard ? escapable(second) : 0;
  }
  return levels;
}

function escapable(level: number): number {
  const size = Math.min(MAX_ESCAPED, Math.max(MIN_ESCAPED, Math.abs(level)));
  return level < 0 ? -size : size;
}
