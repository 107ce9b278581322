/** Random numbers that can be repeated from a seed. */

/** Uniform in [0, 1), from a 32-bit seed (mulberry32: one add, three multiplications and shifts). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A whole number from 0 to `end` − 1. */
export function randomBelow(random: () => number, end: number): number {
  return Math.floor(random() * end);
}
