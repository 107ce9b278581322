/** Replies of RESP 2 and 3, one behind the other in buffers that are handed over whole. */
import { encodeUtf8 } from "@sluice/bytes/byte-writer";
import { refuse } from "./errors.ts";

/** Large enough that replies of a pipeline are joined; small enough that an idle client costs little. */
const BUFFER_BYTES = 16 * 1024;
/** With less room than this, the next reply begins in a new buffer. */
const LEAST_ROOM = 512;
/** What a type byte, a length and two line ends take at most. */
const HEAD_BYTES = 32;
const CR = 0x0d;
const LF = 0x0a;

export class RespWriter {
  protocol: 2 | 3 = 2;
  /** Bytes that may wait, values included; whoever writes a value beyond it is refused. */
  ceiling = Number.POSITIVE_INFINITY;
  #bytes = new Uint8Array(0);
  #start = 0;
  #end = 0;

  /** Bytes that were not taken yet. */
  get length(): number {
    return this.#end - this.#start;
  }

  /** All that was written since the last call; `undefined` for nothing. The bytes are the caller's. */
  take(): Uint8Array | undefined {
    if (this.#start === this.#end) return undefined;
    const taken = this.#bytes.subarray(this.#start, this.#end);
    this.#start = this.#end;
    if (this.#bytes.length - this.#end < LEAST_ROOM) this.#replace(0);
    return taken;
  }

  /** Takes back what was written since `length` was so; the bytes must not have been taken meanwhile. */
  rewind(length: number): void {
    if (length === this.length) return;
    this.#end = this.#start + length;
    this.#replace(0);
  }

  simple(text: string): void {
    this.#line("+", text);
  }

  /** @param text  code word first; line ends become spaces */
  error(text: string): void {
    this.#line("-", text.replace(/[\r\n]/g, " "));
  }

  integer(value: number | string): void {
    this.#line(":", String(value));
  }

  /** @throws {CommandRefusal} above the ceiling */
  bulk(bytes: Uint8Array): void {
    this.bulkOf(bytes, 0, bytes.length);
  }

  /** `length` bytes of `bytes` from `start`. @throws {CommandRefusal} above the ceiling */
  bulkOf(bytes: Uint8Array, start: number, length: number): void {
    if (this.length + length > this.ceiling) refuse(`ERR the reply is larger than ${this.ceiling} bytes`);
    this.#room(length + HEAD_BYTES);
    this.#head(0x24, length);
    const to = this.#bytes;
    if (length > 48) to.set(bytes.subarray(start, start + length), this.#end);
    else for (let i = 0; i < length; i++) to[this.#end + i] = bytes[start + i] as number;
    this.#end += length;
    to[this.#end++] = CR;
    to[this.#end++] = LF;
  }

  bulkText(text: string): void {
    this.bulk(encodeUtf8(text));
  }

  /** Text for people: a verbatim string where the protocol has one. */
  verbatim(text: string): void {
    if (this.protocol === 2) return this.bulkText(text);
    const bytes = encodeUtf8(`txt:${text}`);
    this.#line("=", String(bytes.length));
    this.#raw(bytes);
    this.#line("", "");
  }

  /** No value, where one could be. */
  none(): void {
    this.#line(this.protocol === 2 ? "$-1" : "_", "");
  }

  /** No list, where one could be. */
  noList(): void {
    this.#line(this.protocol === 2 ? "*-1" : "_", "");
  }

  array(count: number): void {
    this.#room(HEAD_BYTES);
    this.#head(0x2a, count);
  }

  /** @param count  pairs that follow: keys and values in turn */
  map(count: number): void {
    if (this.protocol === 2) this.array(2 * count);
    else this.#line("%", String(count));
  }

  set(count: number): void {
    if (this.protocol === 2) this.array(count);
    else this.#line("~", String(count));
  }

  /** A message that answers no request. */
  push(count: number): void {
    if (this.protocol === 2) this.array(count);
    else this.#line(">", String(count));
  }

  /** Bytes that are a whole reply already. */
  #raw(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  #line(type: string, text: string): void {
    this.#room(type.length + 3 * text.length + 2);
    const to = this.#bytes;
    for (let i = 0; i < type.length; i++) to[this.#end++] = type.charCodeAt(i);
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code < 0x100) to[this.#end++] = code;
      else this.#wide(code);
    }
    to[this.#end++] = CR;
    to[this.#end++] = LF;
  }

  /** Lines hold bytes as characters; anything else can only be our own text. */
  #wide(code: number): void {
    for (const byte of encodeUtf8(String.fromCharCode(code))) this.#bytes[this.#end++] = byte;
  }

  #head(type: number, value: number): void {
    const to = this.#bytes;
    to[this.#end++] = type;
    let digits = 1;
    for (let rest = value; rest >= 10; rest = Math.floor(rest / 10)) digits++;
    this.#end += digits;
    for (let at = this.#end - 1, rest = value; at >= this.#end - digits; at--, rest = Math.floor(rest / 10)) {
      to[at] = 0x30 + (rest % 10);
    }
    to[this.#end++] = CR;
    to[this.#end++] = LF;
  }

  #room(count: number): void {
    if (this.#end + count > this.#bytes.length) this.#replace(count);
  }

  /** Keeps what was not taken, in front of a buffer that has room for `count` bytes more. */
  #replace(count: number): void {
    const length = this.length;
    const capacity = Math.max(BUFFER_BYTES, 2 * (length + count));
    const before = this.#bytes.subarray(this.#start, this.#end);
    this.#bytes = new Uint8Array(length + count === 0 ? 0 : capacity);
    this.#bytes.set(before);
    this.#start = 0;
    this.#end = length;
  }
}
