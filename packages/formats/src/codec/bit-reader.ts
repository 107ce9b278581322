/** A cursor over bits, most significant first, with the Exp-Golomb codes of the video standards. */
import { ShortReadError } from "@sluice/bytes/wire-error";

/** Every read past the end throws `ShortReadError`; its offsets count bits. */
export class BitReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  /** @param bytes  read in place, never copied or changed */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get remaining(): number {
    return this.#bytes.length * 8 - this.#at;
  }

  /** @param count  0 to 32 */
  bits(count: number): number {
    this.#need(count);
    let value = 0;
    for (let left = count; left > 0; ) {
      const inByte = 8 - (this.#at & 7);
      const taken = Math.min(inByte, left);
      const byte = this.#bytes[this.#at >> 3] as number;
      value = value * 2 ** taken + ((byte >> (inByte - taken)) & ((1 << taken) - 1));
      this.#at += taken;
      left -= taken;
    }
    return value;
  }

  flag(): boolean {
    return this.bits(1) === 1;
  }

  skip(count: number): void {
    this.#need(count);
    this.#at += count;
  }

  /** Unsigned Exp-Golomb, 0 to 2³² − 2: as many zeros as there are bits after the one. H.264 §9.1 */
  ue(): number {
    let zeros = 0;
    while (!this.flag()) if (++zeros > 31) throw new ShortReadError({ offset: this.#at, wanted: zeros, available: 31 });
    return 2 ** zeros - 1 + this.bits(zeros);
  }

  /** Signed Exp-Golomb: 0, 1, −1, 2, −2, … */
  se(): number {
    const code = this.ue();
    return code % 2 === 1 ? (code + 1) / 2 : -code / 2;
  }

  #need(count: number): void {
    if (count > this.remaining)
      throw new ShortReadError({ offset: this.#at, wanted: count, available: this.remaining });
  }
}
