/** The numbers that name things on an RTMP connection. */
import type { Brand } from "@sluice/base/brand";

/** 2 to 65,599; RTMP 1.0 §5.3.1.1. */
export type ChunkStreamId = Brand<number, "ChunkStreamId">;

/** 0 is the connection itself; streams made by createStream start at 1. RTMP 1.0 §5.3.1.2. */
export type MessageStreamId = Brand<number, "MessageStreamId">;

/** Joins a call to its answer; 0 asks for none. RTMP 1.0 §7.1.1. */
export type TransactionId = Brand<number, "TransactionId">;

/** The connection's own message stream. */
export const CONNECTION_STREAM = 0 as MessageStreamId;

/** Chunk streams that this side sends on. Media has its own three, which the dialogue never uses. */
export const CHUNK_STREAM = {
  CONTROL: 2 as ChunkStreamId,
  COMMAND: 3 as ChunkStreamId,
  AUDIO: 4 as ChunkStreamId,
  DATA: 5 as ChunkStreamId,
  VIDEO: 6 as ChunkStreamId,
  DIALOGUE_DATA: 7 as ChunkStreamId,
} as const;
