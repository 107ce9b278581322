/** One write of the replicated log as bytes: what the journal and the database both keep. */
import type { Millis } from "@sluice/base/brand";
import { ByteReader } from "@sluice/bytes/byte-reader";
import { WireError } from "@sluice/bytes/wire-error";
import type { LogIndex, MemberId, Term } from "@sluice/cache/ids";
import type { LogRecord, RecordType } from "@sluice/cache/replica/log-record";
import { crc32 } from "node:zlib";
import type { StoreBatch } from "./node-store.ts";

/** Bytes that are no batch: damaged, cut off, or never one. */
export class StoreBatchError extends WireError {
  override readonly name = "StoreBatchError";
  readonly code = "WIRE_STORE_BATCH";
  readonly context: { readonly detail: string };
  constructor(context: { readonly detail: string }) {
    super(`Cannot read stored batch: ${context.detail}`);
    this.context = context;
  }
}

export interface SequencedBatch extends StoreBatch {
  /** From 1, one higher for every batch of this store. */
  readonly sequence: number;
}

const RECORD_TYPES: readonly RecordType[] = ["operation", "no-op", "members"];
const HAS_HARD_STATE = 1;
const HAS_TRUNCATE = 2;
const HEAD_BYTES = 4 + 8 + 1 + 4 + 8;
const RECORD_BYTES = 8 + 8 + 1 + 4;

/**
 * | field         | form                                  | meaning                                  |
 * | ------------- | ------------------------------------- | ---------------------------------------- |
 * | checksum      | u32                                   | CRC-32 of all that follows               |
 * | sequence      | f64                                   |                                          |
 * | flags         | u8                                    | 1: hard state follows, 2: truncation     |
 * | record count  | u32                                   |                                          |
 * | first index   | f64                                   | of the records, which have no holes      |
 * | hard state    | f64 term, u8 length + UTF-8 voted for | length 0: voted for nobody               |
 * | truncate from | f64                                   |                                          |
 * | records       | f64 term, f64 time, u8 type, u32 length + body | type: operation, no-op, members |
 */
export function encodeBatch(batch: StoreBatch, sequence: number): Buffer {
  const { hardState, truncateFrom, append } = batch;
  const votedFor = Buffer.from(hardState?.votedFor ?? "");
  const bytes = Buffer.allocUnsafeSlow(sizeOf(batch, votedFor.length));
  let at = bytes.writeDoubleBE(sequence, 4);
  at = bytes.writeUInt8((hardState ? HAS_HARD_STATE : 0) | (truncateFrom === undefined ? 0 : HAS_TRUNCATE), at);
  at = bytes.writeUInt32BE(append.length, at);
  at = bytes.writeDoubleBE(append[0]?.index ?? 0, at);
  if (hardState) {
    at = bytes.writeDoubleBE(hardState.term, at);
    at = bytes.writeUInt8(votedFor.length, at);
    at += votedFor.copy(bytes, at);
  }
  if (truncateFrom !== undefined) at = bytes.writeDoubleBE(truncateFrom, at);
  for (const record of append) at = writeRecord(bytes, at, record);
  bytes.writeUInt32BE(crc32(bytes.subarray(4)), 0);
  return bytes;
}

function sizeOf({ hardState, truncateFrom, append }: StoreBatch, votedForBytes: number): number {
  let size = HEAD_BYTES + (hardState ? 9 + votedForBytes : 0) + (truncateFrom === undefined ? 0 : 8);
  for (const record of append) size += RECORD_BYTES + record.body.length;
  return size;
}

function writeRecord(bytes: Buffer, from: number, record: LogRecord): number {
  let at = bytes.writeDoubleBE(record.term, from);
  at = bytes.writeDoubleBE(record.time, at);
  at = bytes.writeUInt8(RECORD_TYPES.indexOf(record.type), at);
  at = bytes.writeUInt32BE(record.body.length, at);
  bytes.set(record.body, at);
  return at + record.body.length;
}

/** The records' bodies are views of `bytes`. @throws {WireError} */
export function decodeBatch(bytes: Uint8Array): SequencedBatch {
  const r = new ByteReader(bytes);
  if (r.u32() !== crc32(bytes.subarray(4))) throw new StoreBatchError({ detail: "its checksum is wrong" });
  const sequence = r.f64();
  const flags = r.u8();
  const count = r.u32();
  const firstIndex = r.f64();
  const hardState =
    flags & HAS_HARD_STATE ? { term: r.f64() as Term, votedFor: votedForOf(r.utf8(r.u8())) } : undefined;
  const truncateFrom = flags & HAS_TRUNCATE ? (r.f64() as LogIndex) : undefined;
  const append: LogRecord[] = [];
  for (let i = 0; i < count; i++) append.push(readRecord(r, (firstIndex + i) as LogIndex));
  if (r.remaining > 0) throw new StoreBatchError({ detail: `${r.remaining} bytes too many` });
  return { sequence, hardState, truncateFrom, append };
}

function readRecord(r: ByteReader, index: LogIndex): LogRecord {
  const term = r.f64() as Term;
  const time = r.f64() as Millis;
  const type = RECORD_TYPES[r.u8()];
  if (type === undefined) throw new StoreBatchError({ detail: `record ${index} is of an unknown type` });
  return { index, term, time, type, body: r.bytes(r.u32()) };
}

const votedForOf = (text: string): MemberId | undefined => (text === "" ? undefined : (text as MemberId));

const LENGTH_BYTES = 4;

/** Several batches as one value of the database: each with its length (u32) before it. */
export function joinBatches(batches: readonly Buffer[]): Buffer {
  const parts = batches.flatMap((batch) => {
    const length = Buffer.allocUnsafe(LENGTH_BYTES);
    length.writeUInt32BE(batch.length);
    return [length, batch];
  });
  return Buffer.concat(parts);
}

/** @throws {WireError} */
export function splitBatches(bytes: Uint8Array): SequencedBatch[] {
  const r = new ByteReader(bytes);
  const batches: SequencedBatch[] = [];
  while (r.remaining > 0) batches.push(decodeBatch(r.bytes(r.u32())));
  return batches;
}
