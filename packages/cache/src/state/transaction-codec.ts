/** Encodes and decodes transactions: watched entries, then the parts, each after its kind. */
import type { Millis } from "@sluice/base/brand";
import type { ByteReader } from "@sluice/bytes/byte-reader";
import type { ByteWriter } from "@sluice/bytes/byte-writer";
import { readBatch, writeBatch } from "./batch-codec.ts";
import { readEntryOperation, writeEntryOperation } from "./entry-operation-codec.ts";
import { OperationBytesError } from "./errors.ts";
import { KIND } from "./operation-kind.ts";
import type { EntryVersion, LookOperation, TransactionOperation, TransactionPart, WatchedEntry } from "./operation.ts";
import { readCount, readKey, readKeys, readName, readWhole, writeKey, writeKeys, writeName } from "./wire-fields.ts";

const WANTS = ["value", "facts"] as const;
/** A name of one character and an empty key, besides version and expiry. */
const LEAST_WATCHED_BYTES = 20;

export function writeLook(w: ByteWriter, { cache, keys, wants }: LookOperation): void {
  writeName(w, cache);
  w.u8(WANTS.indexOf(wants));
  writeKeys(w, keys);
}

/** @throws {WireError} */
export function readLook(r: ByteReader): LookOperation {
  const cache = readName(r);
  const number = r.u8();
  const wants = WANTS[number];
  if (wants === undefined) throw new OperationBytesError({ field: "wants", value: number });
  return { type: "look", cache, wants, keys: readKeys(r) };
}

export function writeTransaction(w: ByteWriter, { watched, parts }: TransactionOperation): void {
  w.u32(watched.length);
  for (const { cache, key, version, expiresAt } of watched) {
    writeName(w, cache);
    writeKey(w, key);
    w.f64(version).f64(expiresAt);
  }
  w.u32(parts.length);
  for (const part of parts) {
    w.u8(KIND[part.type]);
    writePart(w, part);
  }
}

/** @throws {WireError} */
export function readTransaction(r: ByteReader): TransactionOperation {
  const watched = Array.from({ length: readCount(r, LEAST_WATCHED_BYTES) }, () => readWatched(r));
  const parts = Array.from({ length: readCount(r, 1) }, () => readPart(r, r.u8()));
  return { type: "transaction", watched, parts };
}

function readWatched(r: ByteReader): WatchedEntry {
  const cache = readName(r);
  const key = readKey(r);
  const version = readWhole(r, "version") as EntryVersion;
  return { cache, key, version, expiresAt: readWhole(r, "expiry") as Millis };
}

function writePart(w: ByteWriter, part: TransactionPart): void {
  switch (part.type) {
    case "batch":
      return writeBatch(w, part);
    case "look":
      return writeLook(w, part);
    case "flush-all":
      return;
    default:
      return writeEntryOperation(w, part);
  }
}

function readPart(r: ByteReader, kind: number): TransactionPart {
  switch (kind) {
    case KIND.batch:
      return readBatch(r);
    case KIND.look:
      return readLook(r);
    case KIND["flush-all"]:
      return { type: "flush-all" };
    default:
      return readEntryOperation(r, kind);
  }
}
