/** Encoding of one write of the replicated log, for both the journal and the database. */
import type { Millis } from "@sluice/base/brand";
import { ByteReader } from "@sluice/bytes/byte-reader";
import { WireError } from "@sluice/bytes/wire-error";
import type { LogIndex, MemberId, Term } from "@sluice/cache/ids";
import type { LogRecord, RecordType } from "@sluice/cache/replica/log-record";
import { crc32 } from "node:zlib";
import type { StoreBatch } from "./node-store.ts";

/** Bytes that are not a batch: damaged, cut off, or something else. */
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
  /** From 1, increasing by one with every batch of this store. */
  readonly sequence: number;
}

const RECORD_TYPES: readonly RecordType[] = ["operation", "no-op", "members"];
const HAS_HARD_STATE = 1;
const HAS_TRUNCATE = 2;
const CHECKSUM_BYTES = 4;
const HEAD_BYTES = CHECKSUM_BYTES + 8 + 1 + 4 + 8;
const RECORD_BYTES = 8 + 8 + 1 + 4;

/**
 * | field         | form                                  | meaning                                  |
 * | ------------- | ------------------------------------- | ---------------------------------------- |
 * | checksum      | u32                                   | CRC-32 of all that follows               |
 * | sequence      | f64                                   |                                          |
 * | flags         | u8                                    | 1: hard state follows, 2: truncation     |
 * | record count  | u32                                   |                                          |
 * | first index   | f64                                   | of the records, which have no gaps       |
 * | hard state    | f64 term, u8 length + UTF-8 voted for | length 0: no vote                        |
 * | truncate from | f64                                   |                                          |
 * | records       | f64 term, f64 time, u8 type, u32 length + body | type: operation, no-op, members |
 */
export function encodeBatch(batch: StoreBatch, sequence: number): Buffer {
  const bytes = Buffer.allocUnsafeSlow(bytesOfBatch(batch));
  writeBatch(new DataView(bytes.buffer), bytes, { at: 0, batch, sequence });
  return bytes;
}

/** Bytes that `writeBatch` needs. */
export function bytesOfBatch({ hardState, truncateFrom, append }: StoreBatch): number {
  const votedForBytes = hardState === undefined ? 0 : Buffer.byteLength(hardState.votedFor ?? "");
  let size = HEAD_BYTES + (hardState ? 9 + votedForBytes : 0) + (truncateFrom === undefined ? 0 : 8);
  for (const record of append) size += RECORD_BYTES + record.body.length;
  return size;
}

/** @param view  of the whole buffer of `bytes` */
export function writeBatch(
  view: DataView,
  bytes: Uint8Array,
  of: { readonly at: number; readonly batch: StoreBatch; readonly sequence: number },
): void {
  const { hardState, truncateFrom, append } = of.batch;
  const start = of.at + CHECKSUM_BYTES;
  view.setFloat64(start, of.sequence);
  view.setUint8(start + 8, (hardState ? HAS_HARD_STATE : 0) | (truncateFrom === undefined ? 0 : HAS_TRUNCATE));
  view.setUint32(start + 9, append.length);
  view.setFloat64(start + 13, append[0]?.index ?? 0);
  let at = of.at + HEAD_BYTES;
  if (hardState) {
    const votedFor = Buffer.from(hardState.votedFor ?? "");
    view.setFloat64(at, hardState.term);
    view.setUint8(at + 8, votedFor.length);
    bytes.set(votedFor, at + 9);
    at += 9 + votedFor.length;
  }
  if (truncateFrom !== undefined) {
    view.setFloat64(at, truncateFrom);
    at += 8;
  }
  for (const { term, time, type, body } of append) {
    view.setFloat64(at, term);
    view.setFloat64(at + 8, time);
    view.setUint8(at + 16, RECORD_TYPES.indexOf(type));
    view.setUint32(at + 17, body.length);
    bytes.set(body, at + RECORD_BYTES);
    at += RECORD_BYTES + body.length;
  }
  view.setUint32(of.at, crc32(bytes.subarray(start, at)));
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

/**
 * Splits one value of the database: batches, each with its length (u32) before it.
 * @throws {WireError}
 */
export function splitBatches(bytes: Uint8Array): SequencedBatch[] {
  const r = new ByteReader(bytes);
  const batches: SequencedBatch[] = [];
  while (r.remaining > 0) batches.push(decodeBatch(r.bytes(r.u32())));
  return batches;
}
