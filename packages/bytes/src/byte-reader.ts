/** A cursor over complete bytes: reads fixed-width numbers, text and views, big-endian unless stated. */
import { ShortReadError } from "./wire-error.ts";

const UTF8 = new TextDecoder("utf-8", { ignoreBOM: true });

/** Every read advances the cursor; a read past the end throws `ShortReadError` and leaves the cursor where it was. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #view: DataView | undefined;
  #offset: number;

  /** @param bytes  read in place, never copied or changed */
  constructor(bytes: Uint8Array, offset = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#offset = offset;
    this.#end = end;
  }

  get offset(): number {
    return this.#offset;
  }

  get remaining(): number {
    return this.#end - this.#offset;
  }

  u8(): number {
    return this.#bytes[this.#advance(1)] as number;
  }

  u16(): number {
    const at = this.#advance(2);
    const b = this.#bytes;
    return ((b[at] as number) << 8) | (b[at + 1] as number);
  }

  u24(): number {
    const at = this.#advance(3);
    const b = this.#bytes;
    return ((b[at] as number) << 16) | ((b[at + 1] as number) << 8) | (b[at + 2] as number);
  }

  /** Two's complement, −8 388 608 to 8 388 607. */
  i24(): number {
    return (this.u24() << 8) >> 8;
  }

  u32(): number {
    const at = this.#advance(4);
    const b = this.#bytes;
    return (
      (((b[at] as number) << 24) |
        ((b[at + 1] as number) << 16) |
        ((b[at + 2] as number) << 8) |
        (b[at + 3] as number)) >>>
      0
    );
  }

  u32le(): number {
    const at = this.#advance(4);
    const b = this.#bytes;
    return (
      ((b[at] as number) |
        ((b[at + 1] as number) << 8) |
        ((b[at + 2] as number) << 16) |
        ((b[at + 3] as number) << 24)) >>>
      0
    );
  }

  /** IEEE 754 double. */
  f64(): number {
    const at = this.#advance(8);
    this.#view ??= new DataView(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.byteLength);
    return this.#view.getFloat64(at);
  }

  /** A view of the next `count` bytes; it pins the whole buffer, so copy it before keeping it past the call. */
  bytes(count: number): Uint8Array {
    const at = this.#advance(count);
    return this.#bytes.subarray(at, at + count);
  }

  /** Text of `byteCount` bytes; ill-formed UTF-8 becomes U+FFFD, since a bad title must not end a session. */
  utf8(byteCount: number): string {
    return decodeUtf8(this.bytes(byteCount));
  }

  skip(count: number): void {
    this.#advance(count);
  }

  /** The next byte without advancing, or `undefined` at the end. */
  peekU8(): number | undefined {
    return this.#offset < this.#end ? this.#bytes[this.#offset] : undefined;
  }

  /** A view of everything left; the cursor goes to the end. */
  rest(): Uint8Array {
    return this.bytes(this.remaining);
  }

  #advance(count: number): number {
    const at = this.#offset;
    if (count < 0 || at + count > this.#end)
      throw new ShortReadError({ offset: at, wanted: count, available: this.#end - at });
    this.#offset = at + count;
    return at;
  }
}

/** Below this length a loop over ASCII is faster than the decoder's call into the runtime. */
const SHORT_TEXT_BYTES = 24;

export function decodeUtf8(bytes: Uint8Array): string {
  if (bytes.length > SHORT_TEXT_BYTES) return UTF8.decode(bytes);
  let text = "";
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] as number;
    if (byte > 0x7f) return UTF8.decode(bytes);
    text += String.fromCharCode(byte);
  }
  return text;
}
