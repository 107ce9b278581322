/** The rows of H.264's variable-length codes that blocks of at most four coefficients within the first five positions need. */
import { type Codeword, codeword } from "./bit-writer.ts";

/** What tells the two kinds of block apart. */
export interface BlockCodes {
  /** By total coefficients, then by trailing ones. Table 9-5 */
  readonly coeffToken: readonly (readonly Codeword[])[];
  /** By total coefficients, then by zeros before the last coefficient. Tables 9-7 and 9-9 */
  readonly totalZeros: readonly (readonly Codeword[])[];
  /** Positions in the block; a block with all of them filled has no total_zeros. */
  readonly positions: number;
}

const words = (rows: readonly string[]): readonly (readonly Codeword[])[] =>
  rows.map((row) => (row === "" ? [] : row.split(" ").map(codeword)));

/** Luma DC of a 16×16-predicted macroblock, with no coded neighbour (nC = 0). */
export const LUMA_DC: BlockCodes = {
  positions: 16,
  coeffToken: words([
    "1",
    "000101 01",
    "00000111 000100 001",
    "000000111 00000110 0000101 00011",
    "0000000111 000000110 00000101 000011",
  ]),
  totalZeros: words([
    "",
    "1 011 010 0011 0010",
    "111 110 101 100 011",
    "0101 111 110 101 0100",
    "00011 111 0101 0100 110",
  ]),
};

/** Chroma DC of 4:2:0 (nC = −1). */
export const CHROMA_DC: BlockCodes = {
  positions: 4,
  coeffToken: words([
    "01",
    "000111 1",
    "000100 000110 001",
    "000011 0000011 0000010 000101",
    "000010 00000011 00000010 0000000",
  ]),
  totalZeros: words(["", "1 01 001 000", "1 01 00", "1 0"]),
};

/** By zeros left (1 to 4), then by the run before the coefficient. Table 9-10 */
export const RUN_BEFORE = words(["", "1 0", "1 01 00", "11 10 01 00", "11 10 01 001 000"]);
