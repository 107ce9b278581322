/** Plain data to MessagePack, with one form for each value. */
import { SLUICE_V1_LIMITS } from "./limits.ts";
import type { PlainObject, PlainValue } from "./plain-value.ts";

/** Extension for `undefined`, which has no word of its own: one byte, 0. */
export const UNDEFINED = 0;
/** Extension of the specification. */
export const TIMESTAMP = 0xff;
/** Levels of a message around its values. */
export const ENVELOPE_DEPTH = 4;

const NANOS = 1_000_000;
const UINT32 = 0x1_0000_0000;

const ENCODER = new TextEncoder();

/** @throws {RangeError} beyond the depth that readers accept, as cycles are */
export function encodeMessagePack(value: PlainValue, depth = SLUICE_V1_LIMITS.depth + ENVELOPE_DEPTH): Uint8Array {
  const writer = new Writer();
  writer.write(value, depth);
  return writer.bytes();
}

class Writer {
  #bytes = new Uint8Array(256);
  #view = new DataView(this.#bytes.buffer);
  #at = 0;

  bytes(): Uint8Array {
    return this.#bytes.slice(0, this.#at);
  }

  write(value: PlainValue, depth: number): void {
    if (value === null) this.#byte(0xc0);
    else if (value === undefined) this.#raw([0xd4, UNDEFINED, 0]);
    else if (typeof value === "boolean") this.#byte(value ? 0xc3 : 0xc2);
    else if (typeof value === "number") this.#number(value);
    else if (typeof value === "string") this.#text(value);
    else if (value instanceof Uint8Array) this.#binary(value);
    else if (value instanceof Date) this.#date(value.getTime());
    else if (depth <= 0) throw new RangeError("Cannot encode a value: too deep");
    else if (Array.isArray(value)) this.#list(value, depth - 1);
    else this.#map(value as PlainObject, depth - 1);
  }

  #list(list: readonly PlainValue[], depth: number): void {
    this.#head(list.length, 0x90, 16, [undefined, 0xdc, 0xdd]);
    for (const one of list) this.write(one, depth);
  }

  #map(map: PlainObject, depth: number): void {
    const names = Object.keys(map);
    this.#head(names.length, 0x80, 16, [undefined, 0xde, 0xdf]);
    for (const name of names) {
      this.#text(name);
      this.write(map[name], depth);
    }
  }

  #number(value: number): void {
    if (!Number.isSafeInteger(value) || Object.is(value, -0)) return this.#double(value);
    if (value >= 0) {
      if (value < 0x80) this.#byte(value);
      else if (value < 0x100) this.#raw([0xcc, value]);
      else if (value < 0x1_0000) this.#sized(0xcd, 2, (at) => this.#view.setUint16(at, value));
      else if (value < UINT32) this.#sized(0xce, 4, (at) => this.#view.setUint32(at, value));
      else this.#double(value);
    } else if (value >= -32) this.#byte(value & 0xff);
    else if (value >= -0x80) this.#sized(0xd0, 1, (at) => this.#view.setInt8(at, value));
    else if (value >= -0x8000) this.#sized(0xd1, 2, (at) => this.#view.setInt16(at, value));
    else if (value >= -0x8000_0000) this.#sized(0xd2, 4, (at) => this.#view.setInt32(at, value));
    else this.#double(value);
  }

  #double(value: number): void {
    this.#sized(0xcb, 8, (at) => this.#view.setFloat64(at, value));
  }

  #text(text: string): void {
    if (text.length < 11) {
      this.#reserve(1 + text.length * 3); // below 32 bytes, whatever the characters
      const { written } = ENCODER.encodeInto(text, this.#bytes.subarray(this.#at + 1));
      this.#bytes[this.#at] = 0xa0 | written;
      this.#at += 1 + written;
      return;
    }
    const bytes = ENCODER.encode(text);
    this.#head(bytes.length, 0xa0, 32, [0xd9, 0xda, 0xdb]);
    this.#raw(bytes);
  }

  #binary(bytes: Uint8Array): void {
    this.#head(bytes.length, 0, 0, [0xc4, 0xc5, 0xc6]);
    this.#raw(bytes);
  }

  /** In the shortest of the three forms. A date without a time is null. */
  #date(time: number): void {
    if (Number.isNaN(time)) return this.#byte(0xc0);
    const seconds = Math.floor(time / 1_000);
    const nanos = (time - seconds * 1_000) * NANOS;
    if (nanos === 0 && seconds >= 0 && seconds < UINT32) {
      this.#raw([0xd6, TIMESTAMP]);
      return this.#field(4, (at) => this.#view.setUint32(at, seconds));
    }
    if (seconds >= 0 && seconds < UINT32 * 4) {
      this.#raw([0xd7, TIMESTAMP]);
      const high = nanos * 4 + Math.floor(seconds / UINT32);
      this.#field(4, (at) => this.#view.setUint32(at, high));
      return this.#field(4, (at) => this.#view.setUint32(at, seconds % UINT32));
    }
    this.#raw([0xc7, 12, TIMESTAMP]);
    this.#field(4, (at) => this.#view.setUint32(at, nanos));
    this.#field(8, (at) => this.#view.setBigInt64(at, BigInt(seconds)));
  }

  /** Of `count` things. @param wide  markers with a length of 8, 16 and 32 bits */
  #head(count: number, short: number, shortCount: number, wide: readonly (number | undefined)[]): void {
    const [of8, of16, of32] = wide as [number | undefined, number, number];
    if (count < shortCount) this.#byte(short | count);
    else if (of8 !== undefined && count < 0x100) this.#raw([of8, count]);
    else if (count < 0x1_0000) this.#sized(of16, 2, (at) => this.#view.setUint16(at, count));
    else this.#sized(of32, 4, (at) => this.#view.setUint32(at, count));
  }

  #sized(marker: number, byteCount: number, put: (at: number) => void): void {
    this.#byte(marker);
    this.#field(byteCount, put);
  }

  #field(byteCount: number, put: (at: number) => void): void {
    this.#reserve(byteCount);
    put(this.#at);
    this.#at += byteCount;
  }

  #byte(byte: number): void {
    this.#reserve(1);
    this.#bytes[this.#at++] = byte;
  }

  #raw(bytes: ArrayLike<number>): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  #reserve(byteCount: number): void {
    const wanted = this.#at + byteCount;
    if (wanted <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(wanted, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}
