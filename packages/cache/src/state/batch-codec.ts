/** Batches to bytes and back: conditions, then operations on single entries. */
import type { ByteReader } from "@sluice/bytes/byte-reader";
import type { ByteWriter } from "@sluice/bytes/byte-writer";
import { readEntryOperation, writeEntryOperation } from "./entry-operation-codec.ts";
import { OperationBytesError } from "./errors.ts";
import { KIND } from "./operation-kind.ts";
import type { BatchCondition, BatchOperation, EntryOperation } from "./operation.ts";
import { conditionBits, readCondition, readCount, readKey, readName, writeKey, writeName } from "./wire-fields.ts";

export function writeBatch(w: ByteWriter, batch: BatchOperation): void {
  w.u32(batch.conditions.length);
  for (const { cache, key, when } of batch.conditions) {
    writeName(w, cache);
    w.u8(conditionBits(when));
    if (typeof when === "number") w.f64(when);
    writeKey(w, key);
  }
  w.u32(batch.operations.length);
  for (const operation of batch.operations) {
    w.u8(KIND[operation.type]);
    writeEntryOperation(w, operation);
  }
}

/** @throws {WireError} */
export function readBatch(r: ByteReader): BatchOperation {
  const conditions = Array.from({ length: readCount(r, 5) }, () => readBatchCondition(r));
  const operations = Array.from({ length: readCount(r, 3) }, (): EntryOperation => readEntryOperation(r, r.u8()));
  return { type: "batch", conditions, operations };
}

function readBatchCondition(r: ByteReader): BatchCondition {
  const cache = readName(r);
  const bits = r.u8();
  if (bits > 3) throw new OperationBytesError({ field: "condition", value: bits });
  const when = readCondition(r, bits);
  return { cache, key: readKey(r), when };
}
