/** Writes replies of RESP 2 and 3 into consecutive buffers that are handed over whole. */
import { encodeUtf8 } from "@sluice/bytes/byte-writer";

/** Large enough to join replies of a pipeline; small enough that an idle client costs little. */
const BUFFER_BYTES = 16 * 1024;
/** Each filled buffer is followed by one of twice its size, up to this. */
const MOST_BUFFER_BYTES = 256 * 1024;
/** With less room than this, the next reply begins in a new buffer. */
const LEAST_ROOM = 512;
/** Longer values get a separate piece. */
const SHARED_BYTES = 64 * 1024;
/** Maximum of a type byte, a length and two line ends. */
const HEAD_BYTES = 32;
const CR = 0x0d;
const LF = 0x0a;

export class RespWriter {
  protocol: 2 | 3 = 2;
  /** Bytes that may wait, values included; writing a value beyond it calls `overflow`. */
  ceiling = Number.POSITIVE_INFINITY;
  readonly #overflow: (bytes: number) => never;
  /** Oldest first; `#bytes` follows them. */
  #full: Uint8Array[] = [];
  #fullBytes = 0;
  #bytes = new Uint8Array(0);
  #start = 0;
  #end = 0;
  #nextBytes = BUFFER_BYTES;

  /** @param overflow  throws the error for a reply of that many bytes */
  constructor(overflow: (bytes: number) => never) {
    this.#overflow = overflow;
  }

  /** Bytes not taken yet. */
  get length(): number {
    return this.#fullBytes + this.#end - this.#start;
  }

  /** The oldest output, up to `most` bytes; `undefined` for none. The caller owns the bytes. */
  take(most = Number.POSITIVE_INFINITY): Uint8Array | undefined {
    const first = this.#full[0];
    if (first !== undefined) return this.#takeFull(first, most);
    if (this.#start === this.#end) return undefined;
    const end = Math.min(this.#end, this.#start + most);
    const taken = this.#bytes.subarray(this.#start, end);
    this.#start = end;
    if (this.#start < this.#end) return taken;
    this.#nextBytes = BUFFER_BYTES;
    if (this.#bytes.length - this.#end < LEAST_ROOM) this.#begin(0);
    return taken;
  }

  /** Undoes what was written since `length` had this value; the bytes must not have been taken. */
  rewind(length: number): void {
    let excess = this.length - length;
    const here = Math.min(excess, this.#end - this.#start);
    this.#end -= here;
    excess -= here;
    while (excess > 0) {
      const last = this.#full.pop() as Uint8Array;
      const kept = last.subarray(0, Math.max(0, last.length - excess));
      if (kept.length > 0) this.#full.push(kept);
      this.#fullBytes += kept.length - last.length;
      excess -= last.length - kept.length;
    }
  }

  /** Appends everything in `other`, which is empty afterwards. */
  append(other: RespWriter): void {
    for (let bytes = other.take(); bytes !== undefined; bytes = other.take()) this.#push(bytes);
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

  bulk(bytes: Uint8Array): void {
    this.bulkOf(bytes, 0, bytes.length);
  }

  /** `length` bytes of `bytes` from `start`. */
  bulkOf(bytes: Uint8Array, start: number, length: number): void {
    if (this.length + length > this.ceiling) this.#overflow(this.length + length);
    if (length >= SHARED_BYTES) return this.#largeBulk(bytes.slice(start, start + length));
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

  /** Text for people: a verbatim string if the protocol has one. */
  verbatim(text: string): void {
    if (this.protocol === 2) return this.bulkText(text);
    const bytes = encodeUtf8(`txt:${text}`);
    this.#line("=", String(bytes.length));
    this.whole(bytes);
    this.#line("", "");
  }

  /** Null in place of a value. */
  none(): void {
    this.#line(this.protocol === 2 ? "$-1" : "_", "");
  }

  /** Null in place of a list. */
  noList(): void {
    this.#line(this.protocol === 2 ? "*-1" : "_", "");
  }

  array(count: number): void {
    this.#room(HEAD_BYTES);
    this.#head(0x2a, count);
  }

  /** @param count  pairs that follow: keys and values alternate */
  map(count: number): void {
    if (this.protocol === 2) this.array(2 * count);
    else this.#line("%", String(count));
  }

  set(count: number): void {
    if (this.protocol === 2) this.array(count);
    else this.#line("~", String(count));
  }

  /** A message without a request. */
  push(count: number): void {
    if (this.protocol === 2) this.array(count);
    else this.#line(">", String(count));
  }

  /** Bytes of complete replies. */
  whole(bytes: Uint8Array): void {
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

  /** Lines hold bytes as characters; other characters occur only in our own texts. */
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
    if (this.#end + count > this.#bytes.length) this.#begin(count);
  }

  #largeBulk(own: Uint8Array): void {
    this.#room(HEAD_BYTES);
    this.#head(0x24, own.length);
    this.#push(own);
    this.#line("", "");
  }

  /** Appends a separate buffer. */
  #push(bytes: Uint8Array): void {
    this.#keepWritten();
    this.#full.push(bytes);
    this.#fullBytes += bytes.length;
  }

  #keepWritten(): void {
    if (this.#start === this.#end) return;
    this.#full.push(this.#bytes.subarray(this.#start, this.#end));
    this.#fullBytes += this.#end - this.#start;
    this.#start = this.#end;
  }

  /** Begins a buffer with room for `count` bytes; what was written before waits to be taken. */
  #begin(count: number): void {
    this.#keepWritten();
    const capacity = Math.max(this.#nextBytes, count);
    if (count > 0) this.#nextBytes = Math.min(MOST_BUFFER_BYTES, 2 * this.#nextBytes);
    this.#bytes = new Uint8Array(count === 0 ? 0 : capacity);
    this.#start = 0;
    this.#end = 0;
  }

  #takeFull(first: Uint8Array, most: number): Uint8Array {
    const taken = first.subarray(0, most);
    this.#fullBytes -= taken.length;
    if (taken.length === first.length) this.#full.shift();
    else this.#full[0] = first.subarray(taken.length);
    return taken;
  }
}
