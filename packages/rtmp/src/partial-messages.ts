/** Buffers of messages under way, within the limits: each byte is copied once, from the input to its place. */
import type { ByteAllocator } from "@sluice/bytes/allocator";
import type { ChunkStream } from "./chunk-stream.ts";
import { RtmpLimitError } from "./errors.ts";
import type { MessageStreamId } from "./ids.ts";
import type { RtmpLimits } from "./limits.ts";
import type { Message } from "./message.ts";

const NOTHING: Uint8Array = new Uint8Array(0);
/** Up to here a loop beats making a view for `set`. */
const LOOP_COPY_BYTES = 48;

/** The buffers live in the chunk streams; this counts and moves them. */
export class PartialMessages {
  readonly #limits: RtmpLimits;
  readonly #allocator: ByteAllocator;
  #reservedBytes = 0;

  constructor(options: { readonly limits: RtmpLimits; readonly allocator: ByteAllocator }) {
    this.#limits = options.limits;
    this.#allocator = options.allocator;
  }

  /** Bytes held for messages under way. */
  get reservedBytes(): number {
    return this.#reservedBytes;
  }

  /** Opens a message of the length that the stream's header declared. @throws {RtmpLimitError} */
  begin(stream: ChunkStream): void {
    const { messageBytes, eagerBytes } = this.#limits;
    if (stream.length > messageBytes)
      throw new RtmpLimitError({ limit: "messageBytes", value: stream.length, maximum: messageBytes });
    stream.filled = 0;
    stream.payload = stream.length === 0 ? NOTHING : this.#reserve(Math.min(stream.length, eagerBytes), 0);
  }

  /** Copies `count` bytes of `from` behind what the message has. The count stays within the declared length. */
  append(stream: ChunkStream, from: Uint8Array, at: number, count: number): void {
    const filled = stream.filled + count;
    if (filled > (stream.payload as Uint8Array).length) this.#grow(stream, filled);
    copy(from, at, count, stream.payload as Uint8Array, stream.filled);
    stream.filled = filled;
  }

  /** The whole message; its body belongs to the caller. */
  finish(stream: ChunkStream): Message {
    const payload = stream.payload as Uint8Array;
    this.#reservedBytes -= payload.length;
    stream.payload = undefined;
    const { typeId, timestamp } = stream;
    return { typeId, timestamp, messageStreamId: stream.messageStreamId as MessageStreamId, payload };
  }

  /** Forgets the message under way, if any. */
  drop(stream: ChunkStream): void {
    if (stream.payload === undefined) return;
    this.#reservedBytes -= stream.payload.length;
    stream.payload = undefined;
  }

  /** Doubles, so that a long message costs one more copy at most, and a lie costs its teller the bytes. */
  #grow(stream: ChunkStream, needed: number): void {
    const old = stream.payload as Uint8Array;
    const grown = this.#reserve(Math.min(stream.length, Math.max(needed, old.length * 2)), old.length);
    grown.set(old.subarray(0, stream.filled));
    stream.payload = grown;
  }

  #reserve(byteCount: number, insteadOf: number): Uint8Array {
    const { partialBytes } = this.#limits;
    const reserved = this.#reservedBytes + byteCount - insteadOf;
    if (reserved > partialBytes)
      throw new RtmpLimitError({ limit: "partialBytes", value: reserved, maximum: partialBytes });
    this.#reservedBytes = reserved;
    return this.#allocator.allocate(byteCount);
  }
}

function copy(from: Uint8Array, at: number, count: number, into: Uint8Array, offset: number): void {
  if (count > LOOP_COPY_BYTES) into.set(from.subarray(at, at + count), offset);
  else for (let i = 0; i < count; i++) into[offset + i] = from[at + i] as number;
}
