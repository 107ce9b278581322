/** Buffers of messages under way, within the limits: each byte is copied once, from the input to its place. */
import type { ByteAllocator } from "@sluice/bytes/allocator";
import type { ChunkStream } from "./chunk-stream.ts";
import { RtmpLimitError } from "./errors.ts";
import type { MessageStreamId } from "./ids.ts";
import type { RtmpLimits } from "./limits.ts";
import { isMedia, type Message } from "./message.ts";
import type { PartialPools, PartialRole } from "./partial-pools.ts";

const LIMITS = {
  publishing: { one: "partialBytes", all: "partialTotalBytes" },
  opening: { one: "idlePartialBytes", all: "idlePartialTotalBytes" },
  idle: { one: "idlePartialBytes", all: "idlePartialTotalBytes" },
} as const satisfies Readonly<Record<PartialRole, Readonly<Record<"one" | "all", keyof RtmpLimits>>>>;

const NOTHING: Uint8Array = new Uint8Array(0);
/** In place of the buffer of a message of which no byte is kept. */
const DISCARDED: Uint8Array = new Uint8Array(0);
/** Up to here a loop beats making a view for `set`. */
const LOOP_COPY_BYTES = 48;

export interface PartialMessagesOptions {
  readonly limits: RtmpLimits;
  readonly allocator: ByteAllocator;
  readonly pools: PartialPools;
}

/** The buffers live in the chunk streams; this counts and moves them. */
export class PartialMessages {
  readonly #limits: RtmpLimits;
  readonly #allocator: ByteAllocator;
  readonly #pools: PartialPools;
  #role: PartialRole = "publishing";
  #reservedBytes = 0;
  #outsideBytes = 0;
  /** Of those, what the role's pool counts. */
  #pooledBytes = 0;

  constructor(options: PartialMessagesOptions) {
    this.#limits = options.limits;
    this.#allocator = options.allocator;
    this.#pools = options.pools;
  }

  /** By what the connection may do from here on. @throws {RtmpLimitError} it has reserved more than that */
  setRole(role: PartialRole): void {
    if (role === this.#role) return;
    this.release();
    this.#role = role;
    const excess = this.#findExcess(this.#reservedBytes);
    if (excess !== undefined) throw new RtmpLimitError(excess);
    this.#account(this.#reservedBytes);
  }

  /** Counts unfinished bytes that are held elsewhere, before a chunk of them could be read. @throws {RtmpLimitError} */
  noteOutside(byteCount: number): void {
    const reserved = this.#reservedBytes + byteCount - this.#outsideBytes;
    const excess = this.#findExcess(reserved);
    if (excess !== undefined && byteCount > this.#outsideBytes) throw new RtmpLimitError(excess);
    this.#outsideBytes = byteCount;
    this.#account(reserved);
  }

  /** Gives back what the pool counts: no more bytes come. */
  release(): void {
    this.#pools.poolOf(this.#role).usedBytes -= this.#pooledBytes;
    this.#pooledBytes = 0;
  }

  /** Bytes held for messages under way, outside of here too. */
  get reservedBytes(): number {
    return this.#reservedBytes;
  }

  /** Opens a message of the length that the stream's header declared. @throws {RtmpLimitError} */
  begin(stream: ChunkStream): void {
    const { messageBytes, eagerBytes } = this.#limits;
    if (stream.length > messageBytes)
      throw new RtmpLimitError({ limit: "messageBytes", value: stream.length, maximum: messageBytes });
    stream.filled = 0;
    if (stream.length === 0) stream.payload = NOTHING;
    else if (this.#role === "idle" && isMedia(stream.typeId)) stream.payload = DISCARDED;
    else stream.payload = this.#reserve(Math.min(stream.length, eagerBytes), NOTHING);
  }

  /** Copies `count` bytes of `from` behind what the message has. The count stays within the declared length. */
  append(stream: ChunkStream, from: Uint8Array, at: number, count: number): void {
    const filled = stream.filled + count;
    if (stream.payload !== DISCARDED) {
      if (filled > (stream.payload as Uint8Array).length) this.#grow(stream, filled);
      copy(from, at, count, stream.payload as Uint8Array, stream.filled);
    }
    stream.filled = filled;
  }

  /** The whole message; its body belongs to the caller. `undefined` for one that was discarded. */
  finish(stream: ChunkStream): Message | undefined {
    const payload = stream.payload as Uint8Array;
    this.#account(this.#reservedBytes - payload.length);
    stream.payload = undefined;
    if (payload === DISCARDED) return undefined;
    const { typeId, timestamp } = stream;
    return { typeId, timestamp, messageStreamId: stream.messageStreamId as MessageStreamId, payload };
  }

  /** Forgets the message under way, if any. */
  drop(stream: ChunkStream): void {
    if (stream.payload === undefined) return;
    this.#account(this.#reservedBytes - stream.payload.length);
    stream.payload = undefined;
  }

  /** Doubles, so that a long message costs one more copy at most; allocates only in step with what was received, whatever length was declared. */
  #grow(stream: ChunkStream, needed: number): void {
    const old = stream.payload as Uint8Array;
    stream.payload = this.#reserve(Math.min(stream.length, Math.max(needed, old.length * 2)), old);
  }

  /** @param insteadOf  begins what is reserved, and is no more afterwards */
  #reserve(byteCount: number, insteadOf: Uint8Array): Uint8Array {
    const reserved = this.#reservedBytes + byteCount - insteadOf.length;
    const excess = this.#findExcess(reserved);
    if (excess !== undefined) throw new RtmpLimitError(excess);
    this.#account(reserved);
    if (insteadOf.length > 0 && insteadOf.length === insteadOf.buffer.byteLength)
      return transferred(insteadOf, byteCount);
    const buffer = this.#allocator.allocate(byteCount);
    buffer.set(insteadOf);
    return buffer;
  }

  /** The limit that would be passed. */
  #findExcess(reserved: number): RtmpLimitError["context"] | undefined {
    const { connectionBytes, totalBytes, freeBytes, usedBytes } = this.#pools.poolOf(this.#role);
    if (reserved > connectionBytes) return { limit: LIMITS[this.#role].one, value: reserved, maximum: connectionBytes };
    const more = Math.max(0, reserved - freeBytes) - this.#pooledBytes;
    if (more <= 0 || usedBytes + more <= totalBytes) return undefined;
    return { limit: LIMITS[this.#role].all, value: usedBytes + more, maximum: totalBytes };
  }

  #account(reserved: number): void {
    const pool = this.#pools.poolOf(this.#role);
    const pooled = Math.max(0, reserved - pool.freeBytes);
    pool.usedBytes += pooled - this.#pooledBytes;
    this.#reservedBytes = reserved;
    this.#pooledBytes = pooled;
  }
}

/** Moves the memory instead of leaving the old for the collector, which is in no hurry while a peer fills the next. */
function transferred(bytes: Uint8Array, byteCount: number): Uint8Array {
  return new Uint8Array((bytes.buffer as ArrayBuffer).transfer(byteCount));
}

function copy(from: Uint8Array, at: number, count: number, into: Uint8Array, offset: number): void {
  if (count > LOOP_COPY_BYTES) into.set(from.subarray(at, at + count), offset);
  else for (let i = 0; i < count; i++) into[offset + i] = from[at + i] as number;
}
