/** Cuts bytes into pieces in every way a transport might, and checks that a reader gives the same result. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { toHex } from "./hex.ts";

/** Pieces of `size` bytes, the last one shorter. */
export function splitEvery(bytes: Uint8Array, size: number): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size));
  return pieces;
}

/** Cuts before each of `offsets`; ignores repeated ones and those outside the bytes. */
export function splitAt(bytes: Uint8Array, offsets: readonly number[]): Uint8Array[] {
  const cuts = [...new Set(offsets)].filter((at) => at > 0 && at < bytes.length).sort((a, b) => a - b);
  const starts = [0, ...cuts];
  return starts.map((start, i) => bytes.subarray(start, starts[i + 1] ?? bytes.length));
}

/** Every way to cut bytes into pieces, small cases first; includes empty pieces. */
export function splits(bytes: Uint8Array): fc.Arbitrary<Uint8Array[]> {
  const empty = fc.constantFrom(0, 1);
  return fc
    .tuple(fc.array(fc.integer({ min: 1, max: Math.max(1, bytes.length - 1) }), { maxLength: 24 }), empty)
    .map(([offsets, withEmpty]) => {
      const pieces = splitAt(bytes, offsets);
      return withEmpty === 1 ? pieces.flatMap((piece) => [piece, new Uint8Array(0)]) : pieces;
    });
}

export interface EverySplitOptions {
  /** Random splits in addition to the fixed ones. */
  readonly runs?: number;
  readonly seed?: number;
}

/**
 * Runs a fresh reader over the same bytes whole, byte by byte, cut in two at every place and cut at random; every run must
 * give the same result as the whole. Every run gets
 * its own copies, so that a reader that changes its input is noticed.
 *
 * @param run  feeds the pieces in order to a new reader and returns the result: events, or the error's name
 */
export function everySplitGives<T>(
  bytes: Uint8Array,
  run: (pieces: readonly Uint8Array[]) => T,
  options: EverySplitOptions = {},
): T {
  const whole = run([bytes.slice()]);
  const expect = (pieces: readonly Uint8Array[]): void => {
    const sizes = pieces.map((piece) => piece.length).join(",");
    assert.deepEqual(
      run(pieces.map((piece) => piece.slice())),
      whole,
      `pieces of ${sizes} bytes differ from the whole`,
    );
  };
  expect(splitEvery(bytes, 1));
  const step = Math.max(1, Math.floor(bytes.length / 256));
  for (let at = 1; at < bytes.length; at += step) expect(splitAt(bytes, [at]));
  fc.assert(
    fc.property(splits(bytes), (pieces) => expect(pieces)),
    { numRuns: options.runs ?? 100, ...(options.seed === undefined ? {} : { seed: options.seed }) },
  );
  return whole;
}

/** For messages: the first bytes and the length. */
export function briefly(bytes: Uint8Array, limit = 64): string {
  const shown = toHex(bytes.subarray(0, limit));
  return bytes.length > limit ? `${shown} … (${bytes.length} bytes)` : shown;
}
