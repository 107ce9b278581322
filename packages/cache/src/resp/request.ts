/** One request in the buffer in which it arrived: a name and arguments, read in place. */
import { latin1 } from "../state/integer-text.ts";

const KEPT_PLACES = 64;

/** Reused for every request of a session; its results are valid until the next one. */
export class RespRequest {
  /** Set by the parser only. */
  bytes: Uint8Array = new Uint8Array(0);
  readonly starts: number[] = [];
  readonly ends: number[] = [];
  /** Number of words, including the name; later positions are left over from earlier requests. */
  count = 0;
  /** The error to reply with: the request exceeded a limit, and was discarded. */
  refusal: string | undefined;

  /** For the parser only. */
  add(start: number, end: number): void {
    this.starts[this.count] = start;
    this.ends[this.count++] = end;
  }

  /** For the parser only. Does not keep long lists. */
  clear(): void {
    if (this.count > KEPT_PLACES) this.starts.length = this.ends.length = 0;
    this.count = 0;
    this.refusal = undefined;
  }

  /** From the first word to the end of the last. */
  get byteCount(): number {
    return this.count === 0 ? 0 : (this.ends[this.count - 1] as number) - (this.starts[0] as number);
  }

  /** A copy that stays valid. */
  detach(): RespRequest {
    const copy = new RespRequest();
    const first = this.starts[0] ?? 0;
    copy.bytes = this.bytes.slice(first, first + this.byteCount);
    for (let i = 0; i < this.count; i++) copy.add(this.startOf(i) - first, (this.ends[i] as number) - first);
    return copy;
  }

  startOf(index: number): number {
    return this.starts[index] as number;
  }

  lengthOf(index: number): number {
    return (this.ends[index] as number) - (this.starts[index] as number);
  }

  /** A view. */
  argument(index: number): Uint8Array {
    return this.bytes.subarray(this.starts[index], this.ends[index]);
  }

  /** A copy, valid after the call. */
  copy(index: number): Uint8Array {
    return this.bytes.slice(this.starts[index], this.ends[index]);
  }

  /** Bytes as characters of U+0000 to U+00FF. */
  text(index: number): string {
    return latin1(this.argument(index));
  }

  /** @param word  in lower case */
  isWord(index: number, word: string): boolean {
    if (this.lengthOf(index) !== word.length) return false;
    const start = this.startOf(index);
    for (let i = 0; i < word.length; i++) {
      const byte = this.bytes[start + i] as number;
      if ((byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte) !== word.charCodeAt(i)) return false;
    }
    return true;
  }

  /** At most `limit` characters, in lower case. */
  word(index: number, limit = 64): string {
    const start = this.startOf(index);
    const end = Math.min(this.ends[index] as number, start + limit);
    let text = "";
    for (let at = start; at < end; at++) {
      const byte = this.bytes[at] as number;
      text += String.fromCharCode(byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte);
    }
    return text;
  }
}
