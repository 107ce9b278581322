/** Patterns of KEYS, SCAN and PSUBSCRIBE: `*`, `?`, `[a-z]`, `[^a]`, and a backslash before what is meant literally. */

const STAR = 0x2a;
const QUESTION = 0x3f;
const OPEN = 0x5b;
const CLOSE = 0x5d;
const CARET = 0x5e;
const DASH = 0x2d;
const BACKSLASH = 0x5c;

/** Time is at most the product of both lengths: stars are tried again from the last one only. */
export function matchesGlob(pattern: Uint8Array, bytes: Uint8Array): boolean {
  let at = 0;
  let place = 0;
  let starPlace = -1;
  let starAt = 0;
  while (at < bytes.length) {
    if (pattern[place] === STAR) {
      starPlace = ++place;
      starAt = at;
      continue;
    }
    const after = place < pattern.length ? matchOne(pattern, place, bytes[at] as number) : -1;
    if (after >= 0) {
      place = after;
      at++;
    } else if (starPlace >= 0) {
      place = starPlace;
      at = ++starAt;
    } else return false;
  }
  while (pattern[place] === STAR) place++;
  return place === pattern.length;
}

/** @returns where the pattern goes on, or -1 when the byte does not match */
function matchOne(pattern: Uint8Array, place: number, byte: number): number {
  switch (pattern[place]) {
    case QUESTION:
      return place + 1;
    case OPEN:
      return matchClass(pattern, place + 1, byte);
    case BACKSLASH:
      if (place + 1 < pattern.length) return pattern[place + 1] === byte ? place + 2 : -1;
      return byte === BACKSLASH ? place + 1 : -1;
    default:
      return pattern[place] === byte ? place + 1 : -1;
  }
}

/** From behind the bracket. A class that is not closed ends with the pattern. */
function matchClass(pattern: Uint8Array, start: number, byte: number): number {
  const isNegated = pattern[start] === CARET;
  let place = isNegated ? start + 1 : start;
  let isIn = false;
  for (; place < pattern.length && pattern[place] !== CLOSE; place++) {
    if (pattern[place] === BACKSLASH && place + 1 < pattern.length) {
      place++;
      isIn ||= pattern[place] === byte;
    } else if (pattern[place + 1] === DASH && place + 2 < pattern.length) {
      const from = pattern[place] as number;
      const to = pattern[place + 2] as number;
      isIn ||= byte >= Math.min(from, to) && byte <= Math.max(from, to);
      place += 2;
    } else isIn ||= pattern[place] === byte;
  }
  return isIn === isNegated ? -1 : Math.min(place + 1, pattern.length);
}
