/** Log records to bytes and back: in append messages, and on disk. */
import { ByteReader } from "@sluice/bytes/byte-reader";
import { ByteWriter } from "@sluice/bytes/byte-writer";
import type { LogIndex, Term } from "../ids.ts";
import { MemberMessageError } from "./errors.ts";
import type { ReplicaLimits } from "./limits.ts";
import type { LogRecord, RecordType, SnapshotMeta } from "./log-record.ts";
import {
  decodeMemberList,
  type MemberListLimits,
  readMemberList,
  withinLimit,
  writeMemberList,
} from "./member-list-codec.ts";
import { readChoice, readMillis, readU53, writeU53 } from "./wire-number.ts";

export type RecordLimits = MemberListLimits & Pick<ReplicaLimits, "operationBytes">;

/** By their number on the wire. */
const RECORD_TYPES: readonly RecordType[] = ["no-op", "operation", "members"];

/** Bytes of a record besides its body. */
export const RECORD_HEAD_BYTES = 29;

/**
 * | offset | field | form | meaning                                       |
 * | ------ | ----- | ---- | --------------------------------------------- |
 * | 0      | index | u64  |                                               |
 * | 8      | term  | u64  |                                               |
 * | 16     | time  | f64  | ms since 1970                                 |
 * | 24     | type  | u8   | 0 no-op, 1 operation, 2 members               |
 * | 25     | size  | u32  | bytes of the body                             |
 * | 29     | body  |      |                                               |
 */
export function writeRecord(w: ByteWriter, record: LogRecord): void {
  writeU53(w, record.index);
  writeU53(w, record.term);
  w.f64(record.time).u8(RECORD_TYPES.indexOf(record.type)).u32(record.body.length).bytes(record.body);
}

/** The body is a view of what is read. */
export function readRecord(r: ByteReader, limits: RecordLimits): LogRecord {
  const index = readU53(r) as LogIndex;
  const term = readU53(r) as Term;
  const time = readMillis(r);
  const type = readChoice(r, "record type", RECORD_TYPES);
  const body = r.bytes(withinLimit("operation bytes", r.u32(), limits.operationBytes));
  if (type === "members") decodeMemberList(body, limits);
  return { index, term, time, type, body };
}

export function encodeRecord(record: LogRecord): Uint8Array {
  const w = new ByteWriter(RECORD_HEAD_BYTES + record.body.length);
  writeRecord(w, record);
  return w.finish();
}

/** @throws {WireError} {LimitError} on anything but one whole record */
export function decodeRecord(bytes: Uint8Array, limits: RecordLimits): LogRecord {
  const r = new ByteReader(bytes);
  const record = readRecord(r, limits);
  if (r.remaining > 0) throw new MemberMessageError({ what: "bytes after record", value: r.remaining });
  return record;
}

/** index u64, term u64, time f64, then the member list. */
export function writeSnapshotMeta(w: ByteWriter, { index, term, time, members }: SnapshotMeta): void {
  writeU53(w, index);
  writeU53(w, term);
  w.f64(time);
  writeMemberList(w, members);
}

export function readSnapshotMeta(r: ByteReader, limits: MemberListLimits): SnapshotMeta {
  const index = readU53(r) as LogIndex;
  const term = readU53(r) as Term;
  return { index, term, time: readMillis(r), members: readMemberList(r, limits) };
}

export function encodeSnapshotMeta(meta: SnapshotMeta): Uint8Array {
  const w = new ByteWriter();
  writeSnapshotMeta(w, meta);
  return w.finish();
}

/** @throws {WireError} {LimitError} */
export function decodeSnapshotMeta(bytes: Uint8Array, limits: MemberListLimits): SnapshotMeta {
  const r = new ByteReader(bytes);
  const meta = readSnapshotMeta(r, limits);
  if (r.remaining > 0) throw new MemberMessageError({ what: "bytes after snapshot head", value: r.remaining });
  return meta;
}
