/** RESP requests out of bytes in any split: arrays of bulk strings, and inline commands. */
import { latin1 } from "../state/integer-text.ts";
import { ArrivalBuffer } from "./arrival-buffer.ts";
import { RespProtocolError } from "./errors.ts";
import { splitInline } from "./inline.ts";
import type { RespLimits } from "./limits.ts";
import { RespRequest } from "./request.ts";

const STAR = 0x2a;
const DOLLAR = 0x24;
const CR = 0x0d;
const LF = 0x0a;
const MINUS = 0x2d;
/** What Redis allows before a client has said its password. */
const STRANGER_ARGUMENTS = 10;
const STRANGER_BULK_BYTES = 16_384;
/** A length line that is longer stands for no length that any limit allows. */
const MAX_LENGTH_DIGITS = 15;

export class RespParser {
  /** Whether the full limits hold; a client that has yet to say its password gets small ones. */
  isTrusted = true;
  readonly #limits: RespLimits;
  readonly #request = new RespRequest();
  readonly #arrived = new ArrivalBuffer();
  /** Place up to which the request was read. */
  #cursor = 0;
  /** Arguments that the request will have; -1 before that is known. */
  #wanted = -1;
  /** Length of the bulk that is being read; -1 before that is known. */
  #bulkLength = -1;
  #isWhole = false;
  /** The words of an inline command lie in bytes of their own. */
  #isInline = false;
  #consumedBytes = 0;

  constructor(limits: RespLimits) {
    this.#limits = limits;
  }

  /** Bytes that wait, those of an unfinished request included. */
  get bufferedBytes(): number {
    return this.#arrived.length;
  }

  /** Of all that ever arrived: bytes up to the end of the request that `next` answered. */
  get consumedBytes(): number {
    return this.#consumedBytes + (this.#cursor - this.#arrived.start);
  }

  /** Bytes that ever arrived. */
  get arrivedBytes(): number {
    return this.#consumedBytes + this.#arrived.length;
  }

  /** The bytes belong to the parser from now on. */
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
   * The request at the front, the same again until `release`; `undefined`: more bytes are needed.
   * @throws {RespProtocolError}
   */
  next(): RespRequest | undefined {
    while (!this.#isWhole && this.#arrived.length > 0) {
      if (!this.#advance()) return undefined;
      if (this.#isWhole && this.#request.count === 0) this.release();
    }
    return this.#isWhole ? this.#request : undefined;
  }

  /** The request is done with. */
  release(): void {
    this.#consumedBytes += this.#cursor - this.#arrived.start;
    this.#arrived.consumeTo(this.#cursor);
    this.#cursor = this.#arrived.start;
    this.#wanted = -1;
    this.#bulkLength = -1;
    this.#isWhole = false;
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
    while (this.#request.count < this.#wanted) if (!this.#readBulk()) return false;
    this.#isWhole = true;
    return true;
  }

  #readCount(): boolean {
    const length = this.#readLength("too big mbulk count string");
    if (length === undefined) return false;
    const limit = this.isTrusted ? this.#limits.argumentCount : STRANGER_ARGUMENTS;
    if (Number.isNaN(length) || length > this.#limits.argumentCount) this.#fail("invalid multibulk length");
    if (length > limit) this.#fail("unauthenticated multibulk length");
    this.#wanted = Math.max(0, length);
    return true;
  }

  #readBulk(): boolean {
    if (this.#bulkLength < 0 && !this.#readBulkLength()) return false;
    const end = this.#cursor + this.#bulkLength;
    if (end + 2 > this.#arrived.end) return false;
    this.#request.add(this.#cursor, end);
    this.#cursor = end + 2;
    this.#bulkLength = -1;
    return true;
  }

  #readBulkLength(): boolean {
    const first = this.#arrived.bytes[this.#cursor] as number;
    if (this.#cursor >= this.#arrived.end) return false;
    if (first !== DOLLAR) this.#fail(`expected '$', got '${String.fromCharCode(first)}'`);
    const length = this.#readLength("too big bulk count string");
    if (length === undefined) return false;
    const { bulkBytes, requestBytes } = this.#limits;
    if (!(length >= 0 && length <= bulkBytes)) this.#fail("invalid bulk length");
    if (!this.isTrusted && length > STRANGER_BULK_BYTES) this.#fail("unauthenticated bulk length");
    if (this.#cursor - this.#arrived.start + length > requestBytes) this.#fail("request is too large");
    this.#bulkLength = length;
    return true;
  }

  /** The number behind a type byte; `undefined` for a line that is not all there, NaN for one that is no number. */
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
    const lineEnd = bytes.indexOf(LF, this.#cursor);
    const isWhole = lineEnd >= 0 && lineEnd < end;
    this.#cursor = isWhole ? lineEnd + 1 : end;
    if (this.#cursor - start > this.#limits.inlineBytes) this.#fail("too big inline request");
    if (!isWhole) return false;
    const words = splitInline(latin1(bytes.subarray(start, bytes[lineEnd - 1] === CR ? lineEnd - 1 : lineEnd)));
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
