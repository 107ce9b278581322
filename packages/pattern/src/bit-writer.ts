/** A growing buffer that is written bit by bit, most significant first: H.264 and AAC payloads are made with it. */

/** One word of a variable-length code: the low `length` bits of `bits`. */
export interface Codeword {
  readonly bits: number;
  /** 1 to 24. */
  readonly length: number;
}

/** Reads a code word as the specifications print it, such as `"000101"`. */
export function codeword(digits: string): Codeword {
  return { bits: Number.parseInt(digits, 2), length: digits.length };
}

/** Chainable; `finish` hands over a copy of what was written and starts anew, so that one writer serves many pictures. */
export class BitWriter {
  #bytes: Uint8Array;
  #length = 0;
  /** Bits not yet in `#bytes`; only the low `#pendingBits` (0 to 7) count. */
  #pending = 0;
  #pendingBits = 0;

  /** @param capacity  first allocation in bytes; it doubles when full */
  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(capacity);
  }

  /** @param bitCount  0 to 24 */
  put(value: number, bitCount: number): this {
    this.#pending = (this.#pending << bitCount) | (value & ((1 << bitCount) - 1));
    this.#pendingBits += bitCount;
    while (this.#pendingBits >= 8) {
      this.#pendingBits -= 8;
      if (this.#length === this.#bytes.length) this.#grow();
      this.#bytes[this.#length++] = this.#pending >>> this.#pendingBits;
    }
    return this;
  }

  code(word: Codeword): this {
    return this.put(word.bits, word.length);
  }

  u32(value: number): this {
    return this.put(value >>> 16, 16).put(value & 0xffff, 16);
  }

  /** Unsigned Exp-Golomb, 0 to 16 777 214. H.264 §9.1 */
  ue(value: number): this {
    const bitCount = 31 - Math.clz32(value + 1);
    return this.put(0, bitCount).put(value + 1, bitCount + 1);
  }

  /** Signed Exp-Golomb, ±8 388 607. H.264 §9.1.1 */
  se(value: number): this {
    return this.ue(value > 0 ? 2 * value - 1 : -2 * value);
  }

  /** Fills the last byte with zero bits. */
  align(): this {
    return this.put(0, (8 - this.#pendingBits) & 7);
  }

  /** The stop bit and the zeros after it that end every NAL unit's payload. H.264 §7.3.2.11 */
  rbspTrailingBits(): this {
    return this.put(1, 1).align();
  }

  /** A copy of the bytes written since the last call; call it on a byte boundary. */
  finish(): Uint8Array<ArrayBuffer> {
    const written = this.#bytes.slice(0, this.#length) as Uint8Array<ArrayBuffer>;
    this.#length = 0;
    this.#pending = 0;
    this.#pendingBits = 0;
    return written;
  }

  #grow(): void {
    const grown = new Uint8Array(this.#bytes.length * 2);
    grown.set(this.#bytes);
    this.#bytes = grown;
  }
}
