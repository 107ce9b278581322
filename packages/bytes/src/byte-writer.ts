/** A growing buffer for fixed-width numbers, text and views, big-endian unless stated. */

const UTF8 = new TextEncoder();
/** Up to this length a loop is faster than the call into the runtime. */
const SHORT_RUN_BYTES = 40;

/** Chainable; `finish` returns a view of exactly what was written. */
export class ByteWriter {
  #bytes: Uint8Array;
  #view: DataView | undefined;
  #length = 0;

  /** @param capacity  first allocation in bytes; it doubles when full */
  constructor(capacity = 64) {
    this.#bytes = new Uint8Array(capacity);
  }

  get length(): number {
    return this.#length;
  }

  u8(value: number): this {
    const at = this.#grow(1); // before `#bytes` is read: growing replaces it
    this.#bytes[at] = value;
    return this;
  }

  u16(value: number): this {
    const at = this.#grow(2);
    this.#bytes[at] = value >>> 8;
    this.#bytes[at + 1] = value;
    return this;
  }

  u24(value: number): this {
    const at = this.#grow(3);
    this.#bytes[at] = value >>> 16;
    this.#bytes[at + 1] = value >>> 8;
    this.#bytes[at + 2] = value;
    return this;
  }

  u32(value: number): this {
    const at = this.#grow(4);
    this.#bytes[at] = value >>> 24;
    this.#bytes[at + 1] = value >>> 16;
    this.#bytes[at + 2] = value >>> 8;
    this.#bytes[at + 3] = value;
    return this;
  }

  /** Replaces four bytes that were written before, such as a length that is known only now. */
  u32At(at: number, value: number): this {
    this.#bytes[at] = value >>> 24;
    this.#bytes[at + 1] = value >>> 16;
    this.#bytes[at + 2] = value >>> 8;
    this.#bytes[at + 3] = value;
    return this;
  }

  u32le(value: number): this {
    const at = this.#grow(4);
    this.#bytes[at] = value;
    this.#bytes[at + 1] = value >>> 8;
    this.#bytes[at + 2] = value >>> 16;
    this.#bytes[at + 3] = value >>> 24;
    return this;
  }

  /** IEEE 754 double. */
  f64(value: number): this {
    const at = this.#grow(8);
    this.#view ??= new DataView(this.#bytes.buffer);
    this.#view.setFloat64(at, value);
    return this;
  }

  /** Copies `bytes` in. */
  bytes(bytes: Uint8Array): this {
    return this.range(bytes, 0, bytes.length);
  }

  /** Copies `length` bytes of `bytes` from `start`, without a view; short runs need no call into the runtime. */
  range(bytes: Uint8Array, start: number, length: number): this {
    const at = this.#grow(length);
    const to = this.#bytes;
    if (length > SHORT_RUN_BYTES) to.set(length === bytes.length ? bytes : bytes.subarray(start, start + length), at);
    else for (let i = 0; i < length; i++) to[at + i] = bytes[start + i] as number;
    return this;
  }

  /** The text's UTF-8 bytes, without a length before them. */
  utf8(text: string): this {
    return this.bytes(encodeUtf8(text));
  }

  /** A view of what was written so far; further writing may move the bytes, so finish last. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Like `finish`, without the first `start` bytes. */
  from(start: number): Uint8Array {
    return this.#bytes.subarray(start, this.#length);
  }

  #grow(count: number): number {
    const at = this.#length;
    this.#length += count;
    if (this.#length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length));
      grown.set(this.#bytes.subarray(0, at));
      this.#bytes = grown;
      this.#view = undefined;
    }
    return at;
  }
}

export function encodeUtf8(text: string): Uint8Array {
  return UTF8.encode(text);
}
