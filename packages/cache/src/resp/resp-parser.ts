/** Parses RESP requests from bytes in any split: arrays of bulk strings, and inline commands. */
import { latin1 } from "../state/integer-text.ts";
import { ArrivalBuffer } from "./arrival-buffer.ts";
import { OtherProtocolError, RespProtocolError } from "./errors.ts";
import { splitInline } from "./inline.ts";
import type { RespLimits } from "./limits.ts";
import { isHttpLine, TLS_HANDSHAKE } from "./other-protocol.ts";
import { RespRequest } from "./request.ts";

const STAR = 0x2a;
const DOLLAR = 0x24;
const CR = 0x0d;
const LF = 0x0a;
const MINUS = 0x2d;
/** The limit of Redis before authentication. */
const STRANGER_ARGUMENTS = 10;
const STRANGER_BULK_BYTES = 16_384;
/** A longer length line exceeds any limit. */
const MAX_LENGTH_DIGITS = 15;
/** More arguments than Redis can count. */
const MAX_COUNT = 2 ** 31 - 1;
const LINE_END_BYTES = 2;

export class RespParser {
  /** Whether the full limits apply; before authentication they are small. */
  isTrusted = true;
  readonly #limits: RespLimits;
  readonly #request = new RespRequest();
  readonly #arrived = new ArrivalBuffer();
  /** Up to here the request was parsed. */
  #cursor = 0;
  /** Number of arguments of the request; -1 before it is known. */
  #wanted = -1;
  /** Length of the bulk string being read; -1 before it is known. */
  #bulkLength = -1;
  #isWhole = false;
  /** The words of an inline command are in separate bytes. */
  #isInline = false;
  /** The request exceeds a limit: the rest is discarded as it arrives. */
  #isSkipping = false;
  /** Discarded arguments, and bytes of the present one. */
  #skippedCount = 0;
  #leftToSkip = 0;
  #skippedBytes = 0;
  #consumedBytes = 0;

  constructor(limits: RespLimits) {
    this.#limits = limits;
  }

  /** Buffered bytes, including those of an unfinished request. */
  get bufferedBytes(): number {
    return this.#arrived.length;
  }

  /** Of all bytes received: up to the end of the request that `next` returned. */
  get consumedBytes(): number {
    return this.#consumedBytes + (this.#cursor - this.#arrived.start);
  }

  /** Bytes received in total. */
  get arrivedBytes(): number {
    return this.#consumedBytes + this.#arrived.length;
  }

  /** Bytes of an incomplete request. */
  get unfinishedBytes(): number {
    return this.#isWhole ? 0 : this.#cursor - this.#arrived.start + Math.max(0, this.#bulkLength);
  }

  /** Discards the incomplete request as it arrives; `next` then returns it with the refusal. */
  abandon(refusal: string): void {
    if (!this.#isWhole && !this.#isInline && this.#wanted > 0) this.#skip(refusal);
  }

  /** Drops all input. */
  clear(): void {
    this.#cursor = this.#arrived.end;
    this.release();
  }

  /** The parser owns the bytes from now on. */
  offer(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    const expected = this.#bulkLength < 0 ? 0 : this.#cursor - this.#arrived.start + this.#bulkLength + 2;
    const moved = this.#arrived.offer(bytes, expected);
    const { starts, ends, count } = this.#request;
    this.#cursor += moved;
    if (this.#isWhole && this.#isInline) return;
    this.#request.bytes = this.#arrived.bytes;
    if (moved === 0) return;
    for (let i = 0; i < count; i++) {
      starts[i] = (starts[i] as number) + moved;
      ends[i] = (ends[i] as number) + moved;
    }
  }

  /**
   * The first request, the same until `release`; `undefined`: more bytes are needed.
   * @throws {RespProtocolError} @throws {OtherProtocolError}
   */
  next(): RespRequest | undefined {
    while (!this.#isWhole && this.#arrived.length > 0) {
      if (!this.#advance()) return undefined;
      if (this.#isWhole && this.#request.count === 0 && this.#request.refusal === undefined) this.release();
    }
    return this.#isWhole ? this.#request : undefined;
  }

  /** The request is done. */
  release(): void {
    this.#consumedBytes += this.#cursor - this.#arrived.start;
    this.#arrived.consumeTo(this.#cursor);
    this.#cursor = this.#arrived.start;
    this.#wanted = -1;
    this.#bulkLength = -1;
    this.#isWhole = false;
    this.#isSkipping = false;
    this.#request.clear();
  }

  /** @returns false when more bytes are needed */
  #advance(): boolean {
    this.#request.bytes = this.#arrived.bytes;
    if (this.#wanted < 0) {
      this.#isInline = this.#arrived.bytes[this.#arrived.start] !== STAR;
      if (this.#isInline) return this.#readInline();
      if (!this.#readCount()) return false;
    }
    while (this.#request.count < this.#wanted && !this.#isSkipping) if (!this.#readBulk()) return false;
    while (this.#isSkipping && this.#skippedCount < this.#wanted) if (!this.#skipBulk()) return false;
    this.#isWhole = true;
    return true;
  }

  #readCount(): boolean {
    const length = this.#readLength("too big mbulk count string");
    if (length === undefined) return false;
    if (Number.isNaN(length) || length > MAX_COUNT) this.#fail("invalid multibulk length");
    if (!this.isTrusted && length > STRANGER_ARGUMENTS) this.#fail("unauthenticated multibulk length");
    this.#wanted = Math.max(0, length);
    const { argumentCount } = this.#limits;
    if (length > argumentCount)
      this.#skip(`ERR ${length} arguments are more than the limit of ${argumentCount}: nothing was done`);
    return true;
  }

  #readBulk(): boolean {
    if (this.#bulkLength < 0 && !this.#readBulkLength()) return false;
    if (this.#isSkipping) return true;
    const end = this.#cursor + this.#bulkLength;
    if (end + LINE_END_BYTES > this.#arrived.end) return false;
    this.#request.add(this.#cursor, end);
    this.#cursor = end + LINE_END_BYTES;
    this.#bulkLength = -1;
    return true;
  }

  #readBulkLength(): boolean {
    const first = this.#arrived.bytes[this.#cursor] as number;
    if (this.#cursor >= this.#arrived.end) return false;
    if (first !== DOLLAR) this.#fail(`expected '$', got '${String.fromCharCode(first)}'`);
    const length = this.#readLength("too big bulk count string");
    if (length === undefined) return false;
    const { bulkBytes, requestBytes, skippedBytes } = this.#limits;
    if (!(length >= 0 && length <= skippedBytes)) this.#fail("invalid bulk length");
    if (!this.isTrusted && length > STRANGER_BULK_BYTES) this.#fail("unauthenticated bulk length");
    this.#bulkLength = length;
    if (this.#isSkipping) return true;
    const isTooMuch = this.#cursor - this.#arrived.start + length > requestBytes;
    if (length > bulkBytes)
      this.#skip(`ERR an argument of ${length} bytes is larger than the limit of ${bulkBytes}: nothing was done`);
    else if (isTooMuch)
      this.#skip(`ERR the request is larger than the limit of ${requestBytes} bytes: nothing was done`);
    return true;
  }

  /** From here on nothing of the request is kept. @param refusal  error that `next` returns with it */
  #skip(refusal: string): void {
    const { count } = this.#request;
    this.#request.clear();
    this.#request.refusal = refusal;
    this.#isSkipping = true;
    this.#skippedCount = count;
    this.#skippedBytes = 0;
    this.#leftToSkip = this.#bulkLength < 0 ? 0 : this.#bulkLength + LINE_END_BYTES;
    this.#bulkLength = -1;
    this.#drop(0);
  }

  /** @returns false when more bytes are needed */
  #skipBulk(): boolean {
    if (this.#leftToSkip === 0) {
      if (!this.#readBulkLength()) return false;
      this.#leftToSkip = this.#bulkLength + LINE_END_BYTES;
      this.#bulkLength = -1;
    }
    const now = Math.min(this.#leftToSkip, this.#arrived.end - this.#cursor);
    this.#drop(now);
    this.#leftToSkip -= now;
    if (this.#leftToSkip > 0) return false;
    this.#skippedCount++;
    return true;
  }

  /** Discards up to `count` bytes after the cursor. */
  #drop(count: number): void {
    const place = this.#cursor + count;
    const dropped = place - this.#arrived.start;
    this.#skippedBytes += dropped;
    if (this.#skippedBytes > this.#limits.skippedBytes) this.#fail("request is too large");
    this.#consumedBytes += dropped;
    this.#arrived.consumeTo(place);
    this.#cursor = this.#arrived.start;
  }

  /** The number after a type byte; `undefined` for an incomplete line, NaN for anything but a number. */
  #readLength(tooLong: string): number | undefined {
    const { bytes, end } = this.#arrived;
    let at = this.#cursor + 1;
    const isNegative = bytes[at] === MINUS && at < end;
    if (isNegative) at++;
    const first = at;
    let value = 0;
    for (; at < end && bytes[at] !== CR; at++) {
      const digit = (bytes[at] as number) - 0x30;
      value = digit >= 0 && digit <= 9 && at - first < MAX_LENGTH_DIGITS ? value * 10 + digit : Number.NaN;
      if (at - this.#cursor > this.#limits.inlineBytes) this.#fail(tooLong);
    }
    if (at + 1 >= end) return undefined;
    const hasBadForm = at === first || (bytes[first] === 0x30 && (at > first + 1 || isNegative));
    this.#cursor = at + 2;
    return hasBadForm ? Number.NaN : isNegative ? -value : value;
  }

  /** A line without a type byte. Its words, unquoted, become the request. */
  #readInline(): boolean {
    const { bytes, start, end } = this.#arrived;
    if (bytes[start] === TLS_HANDSHAKE) throw new OtherProtocolError({ protocol: "TLS" });
    const lineEnd = bytes.indexOf(LF, this.#cursor);
    const isWhole = lineEnd >= 0 && lineEnd < end;
    this.#cursor = isWhole ? lineEnd + 1 : end;
    if (this.#cursor - start > this.#limits.inlineBytes) this.#fail("too big inline request");
    if (!isWhole) return false;
    const line = latin1(bytes.subarray(start, bytes[lineEnd - 1] === CR ? lineEnd - 1 : lineEnd));
    if (isHttpLine(line)) throw new OtherProtocolError({ protocol: "HTTP" });
    const words = splitInline(line);
    if (words === undefined) this.#fail("unbalanced quotes in request");
    this.#setWords(words);
    return true;
  }

  #setWords(words: readonly Uint8Array[]): void {
    const joined = new Uint8Array(words.reduce((sum, word) => sum + word.length, 0));
    let at = 0;
    for (const word of words) {
      joined.set(word, at);
      this.#request.add(at, (at += word.length));
    }
    this.#request.bytes = joined;
    this.#isWhole = true;
  }

  #fail(problem: string): never {
    throw new RespProtocolError({ problem });
  }
}
