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

/** Texts below this have a marker of one byte. */
const SHORT_TEXT = 32;

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
    const isShort = Number.isInteger(value) && value < UINT32 && value >= -0x8000_0000 && !Object.is(value, -0);
    this.#reserve(9);
    if (!isShort) this.#double(value);
    else if (value >= 0) this.#unsigned(value);
    else this.#negative(value);
  }

  #unsigned(value: number): void {
    if (value < 0x80) this.#put(value);
    else if (value < 0x100) {
      this.#put(0xcc);
      this.#put(value);
    } else if (value < 0x1_0000) {
      this.#put(0xcd);
      this.#view.setUint16(this.#advance(2), value);
    } else {
      this.#put(0xce);
      this.#view.setUint32(this.#advance(4), value);
    }
  }

  #negative(value: number): void {
    if (value >= -32) this.#put(value & 0xff);
    else if (value >= -0x80) {
      this.#put(0xd0);
      this.#view.setInt8(this.#advance(1), value);
    } else if (value >= -0x8000) {
      this.#put(0xd1);
      this.#view.setInt16(this.#advance(2), value);
    } else {
      this.#put(0xd2);
      this.#view.setInt32(this.#advance(4), value);
    }
  }

  #double(value: number): void {
    this.#put(0xcb);
    this.#view.setFloat64(this.#advance(8), value);
  }

  /** Names and short texts, nearly all of them ASCII, are written without the encoder. */
  #text(text: string): void {
    if (text.length < SHORT_TEXT && this.#ascii(text)) return;
    const bytes = ENCODER.encode(text);
    this.#head(bytes.length, 0xa0, SHORT_TEXT, [0xd9, 0xda, 0xdb]);
    this.#raw(bytes);
  }

  /** @returns false, and nothing was written, for other characters */
  #ascii(text: string): boolean {
    this.#reserve(SHORT_TEXT);
    const bytes = this.#bytes;
    const at = this.#at;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code >= 0x80) return false;
      bytes[at + 1 + i] = code;
    }
    bytes[at] = 0xa0 | text.length;
    this.#at = at + 1 + text.length;
    return true;
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
    this.#reserve(15);
    if (nanos === 0 && seconds >= 0 && seconds < UINT32) {
      this.#raw([0xd6, TIMESTAMP]);
      this.#view.setUint32(this.#advance(4), seconds);
    } else if (seconds >= 0 && seconds < UINT32 * 4) {
      this.#raw([0xd7, TIMESTAMP]);
      this.#view.setUint32(this.#advance(4), nanos * 4 + Math.floor(seconds / UINT32));
      this.#view.setUint32(this.#advance(4), seconds % UINT32);
    } else {
      this.#raw([0xc7, 12, TIMESTAMP]);
      this.#view.setUint32(this.#advance(4), nanos);
      this.#view.setBigInt64(this.#advance(8), BigInt(seconds));
    }
  }

  /** Of `count` things. @param wide  markers with a length of 8, 16 and 32 bits */
  #head(count: number, short: number, shortCount: number, wide: readonly (number | undefined)[]): void {
    const [of8, of16, of32] = wide as [number | undefined, number, number];
    this.#reserve(5);
    if (count < shortCount) this.#put(short | count);
    else if (of8 !== undefined && count < 0x100) this.#raw([of8, count]);
    else if (count < 0x1_0000) {
      this.#put(of16);
      this.#view.setUint16(this.#advance(2), count);
    } else {
      this.#put(of32);
      this.#view.setUint32(this.#advance(4), count);
    }
  }

  #byte(byte: number): void {
    this.#reserve(1);
    this.#put(byte);
  }

  /** Where there is room. */
  #put(byte: number): void {
    this.#bytes[this.#at++] = byte;
  }

  /** Past a field. @returns its place */
  #advance(byteCount: number): number {
    const at = this.#at;
    this.#at += byteCount;
    return at;
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
