/** Encodes and decodes operations, with the id of their request. */
import { ByteReader } from "@sluice/bytes/byte-reader";
import { ByteWriter } from "@sluice/bytes/byte-writer";
import { readBatch, writeBatch } from "./batch-codec.ts";
import { readEntryOperation, writeEntryOperation } from "./entry-operation-codec.ts";
import { OperationBytesError } from "./errors.ts";
import { KIND, REQUEST_BIT } from "./operation-kind.ts";
import type { LeaseId, Operation, RequestId } from "./operation.ts";
import { readLook, readTransaction, writeLook, writeTransaction } from "./transaction-codec.ts";
import { readCount, readKeys, readName, readTime, readWhole, writeKeys, writeName } from "./wire-fields.ts";

export interface Request {
  readonly operation: Operation;
  readonly requestId: RequestId | undefined;
}

/** @throws {OperationBytesError} for a name or key that is too long */
export function encodeOperation(operation: Operation, requestId?: RequestId): Uint8Array {
  const w = new ByteWriter(128);
  writeRequest(w, operation, requestId);
  return w.finish();
}

/**
 * | form | field                                              |
 * | ---- | -------------------------------------------------- |
 * | u8   | kind; bit 7: a request id follows                  |
 * | u8 … | client (length, ASCII), then sequence as a double  |
 * | …    | fields of the kind                                 |
 */
export function writeRequest(w: ByteWriter, operation: Operation, requestId?: RequestId): void {
  w.u8(KIND[operation.type] | (requestId === undefined ? 0 : REQUEST_BIT));
  if (requestId !== undefined) {
    writeName(w, requestId.client);
    w.f64(requestId.sequence);
  }
  writeFields(w, operation);
}

/**
 * Keys and values are views of `bytes`.
 * @throws {WireError} for anything that `encodeOperation` does not produce
 */
export function decodeOperation(bytes: Uint8Array): Request {
  const r = new ByteReader(bytes);
  const first = r.u8();
  const requestId = (first & REQUEST_BIT) === 0 ? undefined : readRequestId(r);
  const operation = readOperation(r, first & ~REQUEST_BIT);
  if (r.remaining > 0) throw new OperationBytesError({ field: "bytes left over", value: r.remaining });
  return { operation, requestId };
}

function readRequestId(r: ByteReader): RequestId {
  return { client: readName(r), sequence: readWhole(r, "sequence") };
}

function writeFields(w: ByteWriter, operation: Operation): void {
  switch (operation.type) {
    case "batch":
      return writeBatch(w, operation);
    case "look":
      return writeLook(w, operation);
    case "transaction":
      return writeTransaction(w, operation);
    case "found":
      return void w.f64(operation.generation);
    case "configure":
      writeName(w, operation.cache);
      return void w.f64(operation.limits.entries).f64(operation.limits.bytes);
    case "flush-all":
      return;
    case "expire-due":
    case "touch":
      writeName(w, operation.cache);
      return writeKeys(w, operation.keys);
    case "lease-grant":
      return void w.f64(operation.ttl);
    case "lease-renew":
    case "lease-release":
      return void w.f64(operation.lease);
    case "leases-expire":
      w.u32(operation.leases.length);
      for (const lease of operation.leases) w.f64(lease);
      return;
    default:
      return writeEntryOperation(w, operation);
  }
}

function readOperation(r: ByteReader, kind: number): Operation {
  switch (kind) {
    case KIND.batch:
      return readBatch(r);
    case KIND.look:
      return readLook(r);
    case KIND.transaction:
      return readTransaction(r);
    case KIND.found:
      return { type: "found", generation: readWhole(r, "generation") };
    case KIND.configure:
      return {
        type: "configure",
        cache: readName(r),
        limits: { entries: readWhole(r, "entries"), bytes: readWhole(r, "bytes") },
      };
    case KIND["flush-all"]:
      return { type: "flush-all" };
    case KIND["expire-due"]:
      return { type: "expire-due", cache: readName(r), keys: readKeys(r) };
    case KIND.touch:
      return { type: "touch", cache: readName(r), keys: readKeys(r) };
    case KIND["lease-grant"]:
      return { type: "lease-grant", ttl: readTime(r, "ttl") };
    case KIND["lease-renew"]:
      return { type: "lease-renew", lease: readLease(r) };
    case KIND["lease-release"]:
      return { type: "lease-release", lease: readLease(r) };
    case KIND["leases-expire"]:
      return { type: "leases-expire", leases: Array.from({ length: readCount(r, 8) }, () => readLease(r)) };
    default:
      return readEntryOperation(r, kind);
  }
}

function readLease(r: ByteReader): LeaseId {
  return readWhole(r, "lease") as LeaseId;
}
