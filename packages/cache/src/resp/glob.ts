/** Patterns of KEYS, SCAN and PSUBSCRIBE: `*`, `?`, `[a-z]`, `[^a]`, and a backslash before a literal character. */

const STAR = 0x2a;
const QUESTION = 0x3f;
const OPEN = 0x5b;
const CLOSE = 0x5d;
const CARET = 0x5e;
const DASH = 0x2d;
const BACKSLASH = 0x5c;
const WORD_BITS = 32;

/**
 * Follows all ways to match at once, one bit each: bit `i` says that the first `i` elements
 * match what was read. So a byte costs one step per 32 elements, whatever the pattern; stars are not elements.
 */
export class Glob {
  /** Elements of the pattern; each matches one byte. */
  #count = 0;
  #wordCount = 1;
  /** By byte: the elements that it matches. */
  #matches = new Uint32Array(0);
  /** Elements preceded by a star. */
  #stars = new Uint32Array(1);
  #now = new Uint32Array(1);

  /** Takes time in proportion to its length, which the caller limits. */
  constructor(pattern: Uint8Array) {
    this.#wordCount = Math.ceil((pattern.length + 1) / WORD_BITS);
    this.#matches = new Uint32Array(256 * this.#wordCount);
    this.#stars = new Uint32Array(this.#wordCount);
    this.#now = new Uint32Array(this.#wordCount);
    for (let place = 0; place < pattern.length; ) place = this.#read(pattern, place);
  }

  /** Steps of `matches` for each byte. */
  get stepsPerByte(): number {
    return this.#wordCount;
  }

  matches(bytes: Uint8Array): boolean {
    const isOpenEnded = this.#hasBit(this.#stars, this.#count);
    if (bytes.length < this.#count) return false;
    const now = this.#now;
    now.fill(0);
    now[0] = 1;
    for (let at = 0; at < bytes.length; at++) {
      if (isOpenEnded && this.#hasBit(now, this.#count)) return true;
      if (!this.#step(bytes[at] as number)) return false;
    }
    return this.#hasBit(now, this.#count);
  }

  /** @returns false when no way to match is left */
  #step(byte: number): boolean {
    const now = this.#now;
    const row = byte * this.#wordCount;
    let carry = 0;
    let left = 0;
    for (let word = 0; word < this.#wordCount; word++) {
      const before = now[word] as number;
      const matched = before & (this.#matches[row + word] as number);
      const after = (matched << 1) | carry | (before & (this.#stars[word] as number));
      carry = matched >>> (WORD_BITS - 1);
      now[word] = after;
      left |= after;
    }
    return left !== 0;
  }

  /** Reads one star or element. @returns the position after it */
  #read(pattern: Uint8Array, place: number): number {
    switch (pattern[place]) {
      case STAR:
        this.#setBit(this.#stars, 0);
        return place + 1;
      case QUESTION:
        for (let byte = 0; byte < 256; byte++) this.#allow(byte);
        this.#count++;
        return place + 1;
      case OPEN:
        return this.#readClass(pattern, place + 1);
      case BACKSLASH:
        return this.#readByte(pattern, place + 1 < pattern.length ? place + 1 : place);
      default:
        return this.#readByte(pattern, place);
    }
  }

  #readByte(pattern: Uint8Array, place: number): number {
    this.#allow(pattern[place] as number);
    this.#count++;
    return place + 1;
  }

  /** Starts after the bracket. An unclosed class ends with the pattern. */
  #readClass(pattern: Uint8Array, start: number): number {
    const isNegated = pattern[start] === CARET;
    const named = new Uint8Array(256);
    let place = isNegated ? start + 1 : start;
    for (; place < pattern.length && pattern[place] !== CLOSE; place++) {
      const first = pattern[place] as number;
      if (first === BACKSLASH && place + 1 < pattern.length) named[pattern[++place] as number] = 1;
      else if (pattern[place + 1] === DASH && place + 2 < pattern.length) {
        const last = pattern[(place += 2)] as number;
        named.fill(1, Math.min(first, last), Math.max(first, last) + 1);
      } else named[first] = 1;
    }
    for (let byte = 0; byte < 256; byte++) if ((named[byte] === 1) !== isNegated) this.#allow(byte);
    this.#count++;
    return Math.min(place + 1, pattern.length);
  }

  /** The element at `#count` matches the byte. */
  #allow(byte: number): void {
    this.#setBit(this.#matches, byte * this.#wordCount);
  }

  /** Of the element at `#count`. @param first  word that element 0 has its bit in */
  #setBit(words: Uint32Array, first: number): void {
    const word = first + Math.floor(this.#count / WORD_BITS);
    words[word] = (words[word] as number) | (1 << (this.#count % WORD_BITS));
  }

  #hasBit(words: Uint32Array, index: number): boolean {
    return (((words[Math.floor(index / WORD_BITS)] as number) >>> (index % WORD_BITS)) & 1) === 1;
  }
}
