/** Encodes and decodes answers: for the table of remembered answers, and for members that ask on behalf of clients. */
import { ByteReader } from "@sluice/bytes/byte-reader";
import { ByteWriter } from "@sluice/bytes/byte-writer";
import { OperationBytesError } from "./errors.ts";
import type { EntryVersion, LeaseId, OperationAnswer, Refusal, SeenEntry } from "./operation.ts";
import { readCount, readName, readTime, readValue, readWhole, writeName, writeValue } from "./wire-fields.ts";

const KIND = {
  written: 1,
  kept: 2,
  count: 3,
  value: 4,
  number: 5,
  lease: 6,
  batch: 7,
  done: 8,
  refused: 9,
  seen: 10,
} as const;
/** Added to the kind: whether a value follows, and whether the field is present at all. */
const HAS_FIELD = 0x40;
const HAS_VALUE = 0x80;
/** Batches cannot contain batches. */
const DEEPEST = 1;

/** Indexes are the numbers on the wire: add only at the end. */
const REFUSALS: readonly Refusal[] = [
  "not-an-integer",
  "not-a-float",
  "increment-overflow",
  "increment-not-finite",
  "value-too-large",
  "lease-gone",
  "too-many-leases",
  "too-many-caches",
  "entry-over-cache-limit",
  "request-forgotten",
  "bad-operation",
  "answer-too-large",
];

export function encodeAnswer(answer: OperationAnswer): Uint8Array {
  const w = new ByteWriter(32);
  writeAnswer(w, answer);
  return w.finish();
}

/** @throws {WireError} for anything that `encodeAnswer` does not produce */
export function decodeAnswer(bytes: Uint8Array): OperationAnswer {
  const r = new ByteReader(bytes);
  const answer = readAnswer(r, 0);
  if (r.remaining > 0) throw new OperationBytesError({ field: "bytes left over", value: r.remaining });
  return answer;
}

function writeAnswer(w: ByteWriter, answer: OperationAnswer): void {
  const kind = KIND[answer.type];
  switch (answer.type) {
    case "written":
    case "kept":
      w.u8(kind | ("previous" in answer ? HAS_FIELD : 0) | (answer.previous === undefined ? 0 : HAS_VALUE));
      w.f64(answer.version);
      return answer.previous === undefined ? undefined : writeValue(w, answer.previous);
    case "count":
      return void w.u8(kind).f64(answer.count);
    case "value":
      w.u8(kind | (answer.value === undefined ? 0 : HAS_VALUE));
      return answer.value === undefined ? undefined : writeValue(w, answer.value);
    case "number":
      w.u8(kind);
      return writeName(w, answer.text);
    case "lease":
      return void w.u8(kind).f64(answer.lease).f64(answer.expiresAt);
    case "batch":
      w.u8(kind).f64(answer.version).u32(answer.answers.length);
      for (const part of answer.answers) writeAnswer(w, part);
      return;
    case "done":
      return void w.u8(kind);
    case "seen":
      w.u8(kind).u32(answer.entries.length);
      for (const entry of answer.entries) writeSeen(w, entry);
      return;
    case "refused":
      return void w.u8(kind).u8(REFUSALS.indexOf(answer.reason));
  }
}

function readAnswer(r: ByteReader, depth: number): OperationAnswer {
  const first = r.u8();
  const hasValue = (first & HAS_VALUE) !== 0;
  switch (first & 0x3f) {
    case KIND.written:
      return { type: "written", version: readVersion(r), ...readPrevious(r, first) };
    case KIND.kept:
      return { type: "kept", version: readVersion(r), ...readPrevious(r, first) };
    case KIND.count:
      return { type: "count", count: readWhole(r, "count") };
    case KIND.value:
      return { type: "value", value: hasValue ? readValue(r) : undefined };
    case KIND.number:
      return { type: "number", text: readName(r) };
    case KIND.lease:
      return { type: "lease", lease: readWhole(r, "lease") as LeaseId, expiresAt: readTime(r, "expiry") };
    case KIND.batch:
      return readBatchAnswer(r, depth);
    case KIND.done:
      return { type: "done" };
    case KIND.seen:
      return { type: "seen", entries: Array.from({ length: readCount(r, 1) }, () => readSeen(r)) };
    case KIND.refused:
      return { type: "refused", reason: readRefusal(r) };
    default:
      throw new OperationBytesError({ field: "answer kind", value: first });
  }
}

/** A byte: 0 for none, 1 for its facts, 2 for its value, too. */
function writeSeen(w: ByteWriter, entry: SeenEntry | undefined): void {
  if (entry === undefined) return void w.u8(0);
  w.u8(entry.value === undefined ? 1 : 2)
    .f64(entry.valueBytes)
    .f64(entry.expiresAt);
  if (entry.value !== undefined) writeValue(w, entry.value);
}

function readSeen(r: ByteReader): SeenEntry | undefined {
  const form = r.u8();
  if (form > 2) throw new OperationBytesError({ field: "seen entry", value: form });
  if (form === 0) return undefined;
  const valueBytes = readWhole(r, "length");
  const expiresAt = readWhole(r, "expiry");
  return { valueBytes, expiresAt, value: form === 2 ? readValue(r) : undefined };
}

function readVersion(r: ByteReader): EntryVersion {
  return readWhole(r, "version") as EntryVersion;
}

function readPrevious(r: ByteReader, first: number): { readonly previous?: Uint8Array | undefined } {
  if ((first & HAS_FIELD) === 0) return {};
  return { previous: (first & HAS_VALUE) === 0 ? undefined : readValue(r) };
}

function readBatchAnswer(r: ByteReader, depth: number): OperationAnswer {
  if (depth === DEEPEST) throw new OperationBytesError({ field: "answer depth", value: depth });
  const version = readVersion(r);
  const answers = Array.from({ length: readCount(r, 1) }, () => readAnswer(r, depth + 1));
  return { type: "batch", version, answers };
}

function readRefusal(r: ByteReader): Refusal {
  const number = r.u8();
  const reason = REFUSALS[number];
  if (reason === undefined) throw new OperationBytesError({ field: "refusal", value: number });
  return reason;
}
