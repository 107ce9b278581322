/** Turns the peer's chunks back into messages, however the bytes were split on their way. */
import type { ByteAllocator } from "@sluice/bytes/allocator";
import { type ChunkStream, ChunkStreamTable } from "./chunk-stream.ts";
import { RtmpLimitError } from "./errors.ts";
import type { RtmpLimits } from "./limits.ts";
import type { Message } from "./message.ts";
import { PartialMessages } from "./partial-messages.ts";
import { PartialPools, type PartialRole } from "./partial-pools.ts";

const NOTHING: Uint8Array = new Uint8Array(0);
/** Longest header: 3 bytes of chunk basic header, 11 of message header, 4 of extended timestamp. */
const LONGEST_HEADER = 18;
const EXTENDED = 0xffffff;
const INITIAL_CHUNK_SIZE = 128;

export interface ChunkReaderOptions {
  readonly limits: RtmpLimits;
  /** Gives each message its body; every byte is copied there once, from the bytes offered. */
  readonly allocator: ByteAllocator;
  /** Shared with other connections; of its own if left out. */
  readonly pools?: PartialPools;
}

/**
 * Offer bytes, then take messages until there is none; nothing offered is kept past that.
 *
 * | part                 | bytes        | meaning                                                        |
 * | -------------------- | ------------ | -------------------------------------------------------------- |
 * | basic header         | 1, 2 or 3    | two bits of format, then the chunk stream id                    |
 * | message header       | 11, 7, 3, 0  | by format 0 to 3: time, length and type, message stream id (LE) |
 * | extended timestamp   | 0 or 4       | when the 24-bit time is all ones                                |
 * | body                 | 1 to the chunk size | less at the message's end                                |
 *
 * RTMP 1.0 §5.3.1
 */
export class ChunkReader {
  readonly #limits: RtmpLimits;
  readonly #partials: PartialMessages;
  readonly #streams = new ChunkStreamTable();
  #chunkSize = INITIAL_CHUNK_SIZE;
  #input = NOTHING;
  #at = 0;
  /** The beginning of a header whose rest has not come. */
  #held: Uint8Array | undefined;
  #heldCount = 0;
  /** The stream whose chunk is being read. */
  #current: ChunkStream | undefined;
  #chunkLeft = 0;

  constructor(options: ChunkReaderOptions) {
    this.#limits = options.limits;
    this.#partials = new PartialMessages({ pools: new PartialPools(options.limits), ...options });
  }

  /** Holds from the next chunk on, also for messages under way. @param byteCount  1 to 2³¹ − 1 */
  setChunkSize(byteCount: number): void {
    this.#chunkSize = byteCount;
  }

  /** Forgets the unfinished message of one chunk stream; the stream's header memory stays. */
  abort(chunkStreamId: number): void {
    const stream = this.#streams.find(chunkStreamId);
    if (stream !== undefined) this.#partials.drop(stream);
  }

  /** What the peer's unfinished messages may take from here on. @throws {RtmpLimitError} they take more */
  setRole(role: PartialRole): void {
    this.#partials.setRole(role);
  }

  /** See `PartialMessages`. */
  noteUnfinished(byteCount: number): void {
    this.#partials.noteOutside(byteCount);
  }

  /** No more bytes come. */
  release(): void {
    this.#partials.release();
  }

  /** Bytes reserved for unfinished messages. */
  get reservedBytes(): number {
    return this.#partials.reservedBytes;
  }

  /** @param bytes  read until `takeMessage` answers `undefined`, which must have happened for those offered before */
  offer(bytes: Uint8Array): void {
    this.#input = bytes;
    this.#at = 0;
  }

  /**
   * The next whole message; `undefined` when more bytes are needed.
   * @throws {RtmpLimitError} chunkStreams, messageBytes, or those of unfinished messages
   */
  takeMessage(): Message | undefined {
    for (;;) {
      if (this.#chunkLeft === 0 && !this.#readHeader()) break;
      const stream = this.#current as ChunkStream;
      if (this.#chunkLeft > 0) this.#copyBody(stream);
      if (this.#chunkLeft > 0) break;
      if (stream.filled < stream.length) continue;
      const message = this.#partials.finish(stream);
      if (message !== undefined) return message;
    }
    this.#input = NOTHING;
    this.#at = 0;
    return undefined;
  }

  /** Moves past one chunk header; answers false, with the bytes put by, when it is not whole. */
  #readHeader(): boolean {
    const input = this.#input;
    if (this.#heldCount > 0) return this.#readHeldHeader();
    const size = this.#parseHeader(input, this.#at, input.length);
    if (size > 0) {
      this.#at += size;
      return true;
    }
    this.#held ??= new Uint8Array(LONGEST_HEADER);
    this.#heldCount = input.length - this.#at;
    for (let i = 0; i < this.#heldCount; i++) this.#held[i] = input[this.#at + i] as number;
    this.#at = input.length;
    return false;
  }

  #readHeldHeader(): boolean {
    const held = this.#held as Uint8Array;
    const before = this.#heldCount;
    const count = Math.min(LONGEST_HEADER, before + this.#input.length - this.#at);
    for (let i = before; i < count; i++) held[i] = this.#input[this.#at + i - before] as number;
    const size = this.#parseHeader(held, 0, count);
    if (size === 0) {
      this.#at += count - before;
      this.#heldCount = count;
      return false;
    }
    this.#heldCount = 0;
    if (size >= before) this.#at += size - before;
    else this.#giveBack(held.subarray(size, before));
    return true;
  }

  /** Bytes put by as a possible extended timestamp turned out to be body: they go before the input again. Rare. */
  #giveBack(bytes: Uint8Array): void {
    const rest = this.#input.subarray(this.#at);
    const joined = new Uint8Array(bytes.length + rest.length);
    joined.set(bytes);
    joined.set(rest, bytes.length);
    this.#input = joined;
    this.#at = 0;
  }

  /** Bytes of the header at `at`, applied; 0 and nothing changed when it is not whole. */
  #parseHeader(b: Uint8Array, at: number, end: number): number {
    if (at >= end) return 0;
    const first = b[at] as number;
    let next = at + 1;
    let id = first & 0x3f;
    if (id === 0) {
      if (next >= end) return 0;
      id = (b[next++] as number) + 64;
    } else if (id === 1) {
      if (next + 2 > end) return 0;
      id = (b[next] as number) + (b[next + 1] as number) * 256 + 64;
      next += 2;
    }
    const format = first >> 6;
    const size = format === 3 ? this.#parseShort(id, b, next, end) : this.#parseLong(id, format, b, next, end);
    return size < 0 ? 0 : next + size - at;
  }

  /** Formats 0 to 2, which always open a message. Answers bytes behind the basic header, or −1 when not whole. */
  #parseLong(id: number, format: number, b: Uint8Array, at: number, end: number): number {
    const size = format === 0 ? 11 : format === 1 ? 7 : 3;
    if (at + size > end) return -1;
    let time = u24(b, at);
    const isExtended = time === EXTENDED;
    if (isExtended) {
      if (at + size + 4 > end) return -1;
      time = u32(b, at + size);
    }
    const stream = this.#streams.find(id) ?? this.#open(id);
    this.#partials.drop(stream);
    stream.hasExtendedTimestamp = isExtended;
    stream.delta = time;
    stream.timestamp = format === 0 ? time : (stream.timestamp + time) >>> 0;
    if (format < 2) {
      stream.length = u24(b, at + 3);
      stream.typeId = b[at + 6] as number;
    }
    if (format === 0) stream.messageStreamId = u32le(b, at + 7);
    this.#begin(stream);
    return isExtended ? size + 4 : size;
  }

  /** Format 3: goes on with the unfinished message, or opens one like the last. Same answers. */
  #parseShort(id: number, b: Uint8Array, at: number, end: number): number {
    const known = this.#streams.find(id);
    const size = known?.hasExtendedTimestamp ? extendedSize(known, b, at, end) : 0;
    if (size < 0) return -1;
    const stream = known ?? this.#open(id);
    if (stream.payload === undefined) {
      stream.timestamp = (stream.timestamp + stream.delta) >>> 0;
      this.#begin(stream);
    } else {
      this.#enter(stream);
    }
    return size;
  }

  #open(id: number): ChunkStream {
    const { chunkStreams } = this.#limits;
    if (this.#streams.size >= chunkStreams)
      throw new RtmpLimitError({ limit: "chunkStreams", value: this.#streams.size + 1, maximum: chunkStreams });
    return this.#streams.add(id);
  }

  #begin(stream: ChunkStream): void {
    this.#partials.begin(stream);
    this.#enter(stream);
  }

  #enter(stream: ChunkStream): void {
    this.#current = stream;
    this.#chunkLeft = Math.min(this.#chunkSize, stream.length - stream.filled);
  }

  #copyBody(stream: ChunkStream): void {
    const count = Math.min(this.#chunkLeft, this.#input.length - this.#at);
    if (count === 0) return;
    this.#partials.append(stream, this.#input, this.#at, count);
    this.#at += count;
    this.#chunkLeft -= count;
  }
}

/**
 * Whether four bytes of extended timestamp follow a format 3 header: 4, 0, or −1 when too few bytes are here to tell.
 * They should always; some senders leave them out, so they count only when they repeat the field or the full time.
 */
function extendedSize(stream: ChunkStream, b: Uint8Array, at: number, end: number): number {
  let maybeField = true;
  let maybeTime = true;
  for (let i = 0; i < 4; i++) {
    if (at + i >= end) return -1;
    const byte = b[at + i] as number;
    const shift = 24 - 8 * i;
    if (byte !== ((stream.delta >>> shift) & 0xff)) maybeField = false;
    if (byte !== ((stream.timestamp >>> shift) & 0xff)) maybeTime = false;
    if (!maybeField && !maybeTime) return 0;
  }
  return 4;
}

function u24(b: Uint8Array, at: number): number {
  return ((b[at] as number) << 16) | ((b[at + 1] as number) << 8) | (b[at + 2] as number);
}

function u32(b: Uint8Array, at: number): number {
  return (((b[at] as number) << 24) | u24(b, at + 1)) >>> 0;
}

function u32le(b: Uint8Array, at: number): number {
  return (
    ((b[at] as number) |
      ((b[at + 1] as number) << 8) |
      ((b[at + 2] as number) << 16) |
      ((b[at + 3] as number) << 24)) >>>
    0
  );
}
