/** Member messages to bytes and back; the transport frames them. */
import { ByteReader } from "@sluice/bytes/byte-reader";
import { ByteWriter } from "@sluice/bytes/byte-writer";
import { unreachable } from "@sluice/base/unreachable";
import type { LogIndex, Term } from "../ids.ts";
import { MemberMessageError } from "./errors.ts";
import { DEFAULT_REPLICA_LIMITS, type ReplicaLimits } from "./limits.ts";
import type { LogRecord } from "./log-record.ts";
import { withinLimit } from "./member-list-codec.ts";
import type {
  Append,
  AppendReply,
  Incarnation,
  MemberMessage,
  SnapshotPart,
  SnapshotReply,
  VoteReply,
  VoteRequest,
} from "./member-message.ts";
import { readRecord, readSnapshotMeta, RECORD_HEAD_BYTES, writeRecord, writeSnapshotMeta } from "./record-codec.ts";
import { readChoice, readFlag, readMillis, readU53, writeU53 } from "./wire-number.ts";

const HEAD_BYTES = 9;
const STAGES = ["ask", "vote"] as const;
const OUTCOMES = ["more", "installed", "refused"] as const;
/** By their number on the wire, from 1. */
const TYPES = [
  "vote-request",
  "vote-reply",
  "append",
  "append-reply",
  "snapshot-part",
  "snapshot-reply",
  "take-over",
  "removed",
] as const;

/** type u8, term u64, then the fields of the type in the order of its declaration: indexes and counts u64, times f64. */
export function encodeMemberMessage(message: MemberMessage): Uint8Array {
  const w = new ByteWriter(sizeHint(message));
  w.u8(TYPES.indexOf(message.type) + 1);
  writeU53(w, message.term);
  writeFields(w, message);
  return w.finish();
}

/** Operations and pieces in it are views of `bytes`. @throws {WireError} {LimitError} */
export function decodeMemberMessage(bytes: Uint8Array, limits: ReplicaLimits = DEFAULT_REPLICA_LIMITS): MemberMessage {
  withinLimit("message bytes", bytes.length, limits.messageBytes);
  const r = new ByteReader(bytes);
  const number = r.u8();
  const type = TYPES[number - 1];
  if (type === undefined) throw new MemberMessageError({ what: "message type", value: number });
  const message = readFields(type, r, readU53(r) as Term, limits);
  if (r.remaining > 0) throw new MemberMessageError({ what: "bytes after message", value: r.remaining });
  return message;
}

function sizeHint(message: MemberMessage): number {
  if (message.type === "append")
    return message.records.reduce((sum, record) => sum + RECORD_HEAD_BYTES + record.body.length, 80);
  if (message.type === "snapshot-part") return message.pieces.reduce((sum, piece) => sum + 4 + piece.length, 512);
  return HEAD_BYTES + 64;
}

function writeFields(w: ByteWriter, message: MemberMessage): void {
  switch (message.type) {
    case "vote-request":
      return writeVoteRequest(w, message);
    case "vote-reply":
      w.u8(STAGES.indexOf(message.stage)).u8(Number(message.isGranted)).u8(Number(message.isRecovering));
      return;
    case "append":
      return writeAppend(w, message);
    case "append-reply":
      return writeAppendReply(w, message);
    case "snapshot-part":
      return writeSnapshotPart(w, message);
    case "snapshot-reply":
      return writeSnapshotReply(w, message);
    case "take-over":
    case "removed":
      return;
    default:
      return unreachable(message);
  }
}

function readFields(type: MemberMessage["type"], r: ByteReader, term: Term, limits: ReplicaLimits): MemberMessage {
  switch (type) {
    case "vote-request":
      return readVoteRequest(r, term);
    case "vote-reply":
      return readVoteReply(r, term);
    case "append":
      return readAppend(r, term, limits);
    case "append-reply":
      return readAppendReply(r, term);
    case "snapshot-part":
      return readSnapshotPart(r, term, limits);
    case "snapshot-reply":
      return readSnapshotReply(r, term);
    case "take-over":
    case "removed":
      return { type, term };
    default:
      return unreachable(type);
  }
}

function writeVoteRequest(w: ByteWriter, message: VoteRequest): void {
  w.u8(STAGES.indexOf(message.stage));
  writeU53(w, message.lastIndex);
  writeU53(w, message.lastTerm);
  w.u8(Number(message.isTakeOver));
}

function readVoteRequest(r: ByteReader, term: Term): VoteRequest {
  const stage = readChoice(r, "stage", STAGES);
  const lastIndex = readU53(r) as LogIndex;
  const lastTerm = readU53(r) as Term;
  return { type: "vote-request", term, stage, lastIndex, lastTerm, isTakeOver: readFlag(r, "take-over flag") };
}

function readVoteReply(r: ByteReader, term: Term): VoteReply {
  const stage = readChoice(r, "stage", STAGES);
  const isGranted = readFlag(r, "grant flag");
  return { type: "vote-reply", term, stage, isGranted, isRecovering: readFlag(r, "recovering flag") };
}

function writeAppend(w: ByteWriter, message: Append): void {
  writeU53(w, message.round);
  w.f64(message.sentAt);
  writeU53(w, message.previousIndex);
  writeU53(w, message.previousTerm);
  writeU53(w, message.commit);
  writeU53(w, message.lastIndex);
  writeU53(w, message.syncTo);
  w.u32(message.records.length);
  for (const record of message.records) writeRecord(w, record);
}

function readAppend(r: ByteReader, term: Term, limits: ReplicaLimits): Append {
  const round = readU53(r);
  const sentAt = readMillis(r);
  const previousIndex = readU53(r) as LogIndex;
  const previousTerm = readU53(r) as Term;
  const commit = readU53(r) as LogIndex;
  const lastIndex = readU53(r) as LogIndex;
  const syncTo = readU53(r) as LogIndex;
  const records = readRecords(r, { index: previousIndex, term: previousTerm, highestTerm: term }, limits);
  return { type: "append", term, round, sentAt, previousIndex, previousTerm, commit, lastIndex, syncTo, records };
}

function readRecords(
  r: ByteReader,
  previous: { readonly index: number; readonly term: number; readonly highestTerm: number },
  limits: ReplicaLimits,
): LogRecord[] {
  const count = withinLimit("record count", r.u32(), limits.appendRecords);
  const records: LogRecord[] = [];
  let { index, term } = previous;
  for (let i = 0; i < count; i++) {
    const record = readRecord(r, limits);
    if (record.index !== ++index) throw new MemberMessageError({ what: "record index", value: record.index });
    const isTermRight = record.term >= term && record.term <= previous.highestTerm;
    if (!isTermRight) throw new MemberMessageError({ what: "record term", value: record.term });
    ({ term } = record);
    records.push(record);
  }
  return records;
}

function writeAppendReply(w: ByteWriter, message: AppendReply): void {
  writeU53(w, message.round);
  w.f64(message.sentAt).u8(Number(message.isMatch));
  writeU53(w, message.held);
  writeU53(w, message.synced);
  writeU53(w, message.tryAfter);
  w.u32(message.incarnation);
}

function readAppendReply(r: ByteReader, term: Term): AppendReply {
  const round = readU53(r);
  const sentAt = readMillis(r);
  const isMatch = readFlag(r, "match flag");
  const held = readU53(r) as LogIndex;
  const synced = readU53(r) as LogIndex;
  const tryAfter = readU53(r) as LogIndex;
  const incarnation = r.u32() as Incarnation;
  return { type: "append-reply", term, round, sentAt, isMatch, held, synced, tryAfter, incarnation };
}

function writeSnapshotPart(w: ByteWriter, message: SnapshotPart): void {
  writeU53(w, message.round);
  w.f64(message.sentAt);
  writeU53(w, message.transfer);
  writeSnapshotMeta(w, message.meta);
  writeU53(w, message.part);
  w.u8(Number(message.isLast)).u32(message.pieces.length);
  for (const piece of message.pieces) w.u32(piece.length).bytes(piece);
}

function readSnapshotPart(r: ByteReader, term: Term, limits: ReplicaLimits): SnapshotPart {
  const round = readU53(r);
  const sentAt = readMillis(r);
  const transfer = readU53(r);
  const meta = readSnapshotMeta(r, limits);
  const part = readU53(r);
  const isLast = readFlag(r, "last flag");
  // each piece takes at least its length field, so a larger count ends in a short read before it allocates memory
  const count = r.u32();
  const pieces: Uint8Array[] = [];
  for (let i = 0; i < count; i++) pieces.push(r.bytes(r.u32()));
  return { type: "snapshot-part", term, round, sentAt, transfer, meta, part, isLast, pieces };
}

function writeSnapshotReply(w: ByteWriter, message: SnapshotReply): void {
  w.f64(message.sentAt);
  writeU53(w, message.transfer);
  writeU53(w, message.nextPart);
  w.u8(OUTCOMES.indexOf(message.outcome)).u32(message.incarnation);
}

function readSnapshotReply(r: ByteReader, term: Term): SnapshotReply {
  const sentAt = readMillis(r);
  const transfer = readU53(r);
  const nextPart = readU53(r);
  const outcome = readChoice(r, "outcome", OUTCOMES);
  return { type: "snapshot-reply", term, sentAt, transfer, nextPart, outcome, incarnation: r.u32() as Incarnation };
}
