/** MessagePack to plain data: bounded, whatever the bytes. */
import { SLUICE_V1_LIMITS } from "./limits.ts";
import { MalformedMessageError } from "./message-error.ts";
import { ENVELOPE_DEPTH, TIMESTAMP, UNDEFINED } from "./message-pack-encode.ts";
import type { PlainObject, PlainValue } from "./plain-value.ts";

const NANOS = 1_000_000;
const UINT32 = 0x1_0000_0000;
const SHORT_TEXT = 32;

/**
 * One value that fills `bytes`; byte arrays in it are copies.
 * @param values  that there may be, nested ones included
 * @throws {MalformedMessageError} and nothing else, whatever the bytes
 */
export function decodeMessagePack(bytes: Uint8Array, values: number): PlainValue {
  const reader = new Reader(bytes, values);
  const value = reader.read(SLUICE_V1_LIMITS.depth + ENVELOPE_DEPTH);
  if (reader.left > 0) malformed("bytes behind the value");
  return value;
}

class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  #at = 0;
  #valuesLeft: number;

  constructor(bytes: Uint8Array, values: number) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#valuesLeft = values;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  read(depth: number): PlainValue {
    if (this.#valuesLeft-- <= 0) malformed("too many values");
    const marker = this.#uint(1);
    if (marker < 0x80) return marker;
    if (marker < 0x90) return this.#map(marker & 0x0f, depth);
    if (marker < 0xa0) return this.#list(marker & 0x0f, depth);
    if (marker < 0xc0) return this.#text(marker & 0x1f);
    if (marker >= 0xe0) return marker - 0x100;
    return this.#marked(marker, depth);
  }

  #marked(marker: number, depth: number): PlainValue {
    switch (marker) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xc4:
      case 0xc5:
      case 0xc6:
        return this.#take(this.#uint(1 << (marker - 0xc4))).slice();
      case 0xc7:
      case 0xc8:
      case 0xc9:
        return this.#extension(this.#uint(1 << (marker - 0xc7)));
      case 0xca:
        return this.#view.getFloat32(this.#skip(4));
      case 0xcb:
        return this.#view.getFloat64(this.#skip(8));
      case 0xcc:
      case 0xcd:
      case 0xce:
        return this.#uint(1 << (marker - 0xcc));
      case 0xcf:
        return safe(this.#view.getBigUint64(this.#skip(8)));
      case 0xd0:
        return this.#view.getInt8(this.#skip(1));
      case 0xd1:
        return this.#view.getInt16(this.#skip(2));
      case 0xd2:
        return this.#view.getInt32(this.#skip(4));
      case 0xd3:
        return safe(this.#view.getBigInt64(this.#skip(8)));
      case 0xd4:
      case 0xd5:
      case 0xd6:
      case 0xd7:
      case 0xd8:
        return this.#extension(1 << (marker - 0xd4));
      case 0xd9:
      case 0xda:
      case 0xdb:
        return this.#text(this.#uint(1 << (marker - 0xd9)));
      case 0xdc:
      case 0xdd:
        return this.#list(this.#uint(2 << (marker - 0xdc)), depth);
      case 0xde:
      case 0xdf:
        return this.#map(this.#uint(2 << (marker - 0xde)), depth);
      default:
        return malformed("the marker 0xc1");
    }
  }

  #list(count: number, depth: number): PlainValue[] {
    this.#expect(count, depth);
    const list: PlainValue[] = [];
    for (let i = 0; i < count; i++) list.push(this.read(depth - 1));
    return list;
  }

  /** Of equal names the last counts, as in JSON. */
  #map(count: number, depth: number): PlainObject {
    this.#expect(count * 2, depth);
    const map = Object.create(null) as Record<string, PlainValue>;
    for (let i = 0; i < count; i++) {
      const name = this.read(0);
      if (typeof name !== "string") malformed("a name that is no text");
      map[name] = this.read(depth - 1);
    }
    return map;
  }

  /** Nothing of a declared count is made before there can be so much. */
  #expect(count: number, depth: number): void {
    if (depth <= 0) malformed("too deep");
    if (count > this.left || count > this.#valuesLeft) malformed("fewer values than declared, or too many");
  }

  #text(byteCount: number): string {
    return (byteCount < SHORT_TEXT ? this.#ascii(byteCount) : undefined) ?? this.#utf8(byteCount);
  }

  /** Names and short texts, nearly all of them ASCII, cost less without the decoder. */
  #ascii(byteCount: number): string | undefined {
    const end = this.#at + byteCount;
    let text = "";
    for (let at = this.#at; at < end; at++) {
      const code = this.#bytes[at] ?? 0x80;
      if (code >= 0x80) return undefined;
      text += String.fromCharCode(code);
    }
    this.#at = end;
    return text;
  }

  #utf8(byteCount: number): string {
    try {
      return this.#decoder.decode(this.#take(byteCount));
    } catch (error) {
      if (error instanceof MalformedMessageError) throw error;
      return malformed("text that is no UTF-8");
    }
  }

  #extension(byteCount: number): PlainValue {
    const type = this.#uint(1);
    if (type === UNDEFINED && byteCount === 1) {
      if (this.#uint(1) === UNDEFINED) return undefined;
    } else if (type === TIMESTAMP) return new Date(this.#time(byteCount));
    return malformed("an extension of an unknown type");
  }

  /** In milliseconds; what is finer is cut off. */
  #time(byteCount: number): number {
    let seconds: number;
    let nanos = 0;
    if (byteCount === 4) seconds = this.#uint(4);
    else if (byteCount === 8) {
      const high = this.#uint(4);
      nanos = Math.floor(high / 4);
      seconds = (high % 4) * UINT32 + this.#uint(4);
    } else if (byteCount === 12) {
      nanos = this.#uint(4);
      seconds = safe(this.#view.getBigInt64(this.#skip(8)));
    } else return malformed("a timestamp of a wrong length");
    const time = seconds * 1_000 + Math.floor(nanos / NANOS);
    return Number.isNaN(new Date(time).getTime()) ? malformed("a time out of range") : time;
  }

  #uint(byteCount: number): number {
    const at = this.#skip(byteCount);
    if (byteCount === 1) return this.#view.getUint8(at);
    return byteCount === 2 ? this.#view.getUint16(at) : this.#view.getUint32(at);
  }

  #take(byteCount: number): Uint8Array {
    const at = this.#skip(byteCount);
    return this.#bytes.subarray(at, at + byteCount);
  }

  #skip(byteCount: number): number {
    if (byteCount > this.left) malformed("it ends too early");
    const at = this.#at;
    this.#at += byteCount;
    return at;
  }
}

function safe(value: bigint): number {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : malformed("a whole number beyond 2^53");
}

function malformed(problem: string): never {
  throw new MalformedMessageError({ problem: `MessagePack: ${problem}` });
}
