/** Writes one block of transform coefficient levels in H.264's context-adaptive variable-length code (§7.3.5.3.2, §9.2). */
import type { BitWriter, Codeword } from "./bit-writer.ts";
import { type BlockCodes, RUN_BEFORE } from "./cavlc-tables.ts";

/** @param levels  in scan order, each −2 063 to 2 063; at most four not zero, all within the first five positions */
export function writeResidualBlock(w: BitWriter, codes: BlockCodes, levels: readonly number[]): void {
  const total = countNonZero(levels, levels.length);
  const ones = countTrailingOnes(levels);
  w.code(at(codes.coeffToken, total, ones));
  if (total === 0) return;
  writeLevels(w, levels, ones);
  const zeros = countZerosBeforeLast(levels, total);
  if (total < codes.positions) w.code(at(codes.totalZeros, total, zeros));
  writeRuns(w, levels, total, zeros);
}

function at(table: readonly (readonly Codeword[])[], row: number, column: number): Codeword {
  const word = table[row]?.[column];
  if (word === undefined) throw new RangeError(`Cannot code block: no word in row ${row}, column ${column}`);
  return word;
}

function countNonZero(levels: readonly number[], end: number): number {
  let count = 0;
  for (let i = 0; i < end; i++) if (levels[i] !== 0) count++;
  return count;
}

/** Levels of ±1 at the high-frequency end, with nothing larger after them; three at most count. */
function countTrailingOnes(levels: readonly number[]): number {
  let ones = 0;
  for (let i = levels.length - 1; i >= 0 && ones < 3; i--) {
    const level = levels[i] as number;
    if (level === 0) continue;
    if (level !== 1 && level !== -1) break;
    ones++;
  }
  return ones;
}

function countZerosBeforeLast(levels: readonly number[], total: number): number {
  let last = levels.length - 1;
  while (levels[last] === 0) last--;
  return last + 1 - total;
}

/** Signs of the trailing ones, then the other levels, highest frequency first. §9.2.2 */
function writeLevels(w: BitWriter, levels: readonly number[], ones: number): void {
  let suffixLength = 0;
  let written = 0;
  for (let i = levels.length - 1; i >= 0; i--) {
    const level = levels[i] as number;
    if (level === 0) continue;
    if (written++ < ones) {
      w.put(level < 0 ? 1 : 0, 1);
      continue;
    }
    // A first level after fewer than three ones cannot be ±1, so its code starts at ±2.
    const skipped = written === ones + 1 && ones < 3 ? 2 : 0;
    writeLevel(w, (level > 0 ? 2 * level - 2 : -2 * level - 1) - skipped, suffixLength);
    if (suffixLength === 0) suffixLength = 1;
    if (Math.abs(level) > 3 << (suffixLength - 1) && suffixLength < 6) suffixLength++;
  }
}

/** level_prefix (that many zeros and a one) and level_suffix. §9.2.2.1 */
function writeLevel(w: BitWriter, levelCode: number, suffixLength: number): void {
  const escape = suffixLength === 0 ? 30 : 15 << suffixLength;
  if (levelCode >= escape) w.put(1, 16).put(levelCode - escape, 12);
  else if (suffixLength > 0) w.put(1, (levelCode >> suffixLength) + 1).put(levelCode, suffixLength);
  else if (levelCode < 14) w.put(1, levelCode + 1);
  else w.put(1, 15).put(levelCode - 14, 4);
}

/** The zeros before each coefficient, highest frequency first, until none are left. §9.2.3 */
function writeRuns(w: BitWriter, levels: readonly number[], total: number, zeros: number): void {
  let zerosLeft = zeros;
  let position = total + zeros - 1;
  for (let remaining = total; remaining > 1 && zerosLeft > 0; remaining--) {
    let run = 0;
    while (levels[position - 1 - run] === 0) run++;
    w.code(at(RUN_BEFORE, zerosLeft, run));
    zerosLeft -= run;
    position -= run + 1;
  }
}
