/** Encodes and decodes operations on single entries, alone and in batches. */
import type { Millis } from "@sluice/base/brand";
import type { ByteReader } from "@sluice/bytes/byte-reader";
import type { ByteWriter } from "@sluice/bytes/byte-writer";
import { OperationBytesError } from "./errors.ts";
import { KIND } from "./operation-kind.ts";
import type {
  CacheName,
  DeleteOperation,
  EntryOperation,
  EntryVersion,
  ExpireOperation,
  Expiry,
  LeaseId,
  SetOperation,
} from "./operation.ts";
import {
  conditionBits,
  readCondition,
  readCount,
  readKey,
  readName,
  readTime,
  readValue,
  readWhole,
  writeKey,
  writeName,
  writeValue,
} from "./wire-fields.ts";

/** Flags of `set`: two bits of expiry, two of condition. */
const EXPIRY_NEVER = 0;
const EXPIRY_KEEP = 1;
const EXPIRY_AT = 2;
const CONDITION_SHIFT = 2;
const HAS_LEASE = 0x10;
const WITH_PREVIOUS = 0x20;
/** Flags of `delete`, and of `expire` above the three bits of its condition. */
const AT_VERSION = 0x01;
const WITH_ANSWER = 0x10;
const HAS_TIME = 0x08;

const EXPIRY_CONDITIONS = ["always", "none-set", "one-set", "later", "sooner", "one-set-sooner"] as const;

/** Everything after the kind: the cache's name, then the fields of the kind. */
export function writeEntryOperation(w: ByteWriter, operation: EntryOperation): void {
  writeName(w, operation.cache);
  switch (operation.type) {
    case "set":
      return writeSet(w, operation);
    case "delete":
      return writeDelete(w, operation);
    case "expire":
      return writeExpire(w, operation);
    case "increment":
      writeKey(w, operation.key);
      return writeInt64(w, operation.by);
    case "increment-float":
      writeKey(w, operation.key);
      return writeName(w, operation.by);
    case "append":
      writeKey(w, operation.key);
      return writeValue(w, operation.value);
    case "flush":
      return;
  }
}

/** @throws {WireError} */
export function readEntryOperation(r: ByteReader, kind: number): EntryOperation {
  const cache = readName(r);
  switch (kind) {
    case KIND.set:
      return readSet(r, cache);
    case KIND.delete:
      return readDelete(r, cache);
    case KIND.expire:
      return readExpire(r, cache);
    case KIND.increment:
      return { type: "increment", cache, key: readKey(r), by: readInt64(r) };
    case KIND["increment-float"]:
      return { type: "increment-float", cache, key: readKey(r), by: readName(r) };
    case KIND.append:
      return { type: "append", cache, key: readKey(r), value: readValue(r) };
    case KIND.flush:
      return { type: "flush", cache };
    default:
      throw new OperationBytesError({ field: "kind", value: kind });
  }
}

function writeSet(w: ByteWriter, { key, value, expiry, when, lease, answerWith }: SetOperation): void {
  const expiryBits = expiry === "never" ? EXPIRY_NEVER : expiry === "keep" ? EXPIRY_KEEP : EXPIRY_AT;
  const condition = conditionBits(when) << CONDITION_SHIFT;
  w.u8(
    expiryBits | condition | (lease === undefined ? 0 : HAS_LEASE) | (answerWith === "previous" ? WITH_PREVIOUS : 0),
  );
  if (typeof expiry === "number") w.f64(expiry);
  if (typeof when === "number") w.f64(when);
  if (lease !== undefined) w.f64(lease);
  writeKey(w, key);
  writeValue(w, value);
}

function readSet(r: ByteReader, cache: CacheName): SetOperation {
  const flags = r.u8();
  if (flags > 0x3f) throw new OperationBytesError({ field: "flags", value: flags });
  const expiry = readExpiry(r, flags & 3);
  const when = readCondition(r, (flags >> CONDITION_SHIFT) & 3);
  const lease = (flags & HAS_LEASE) === 0 ? undefined : (readWhole(r, "lease") as LeaseId);
  const key = readKey(r);
  const value = readValue(r);
  const answerWith = (flags & WITH_PREVIOUS) === 0 ? "version" : "previous";
  if (lease === undefined) return { type: "set", cache, key, value, expiry, when, answerWith };
  return { type: "set", cache, key, value, expiry, when, lease, answerWith };
}

function readExpiry(r: ByteReader, bits: number): Expiry {
  if (bits === EXPIRY_NEVER) return "never";
  if (bits === EXPIRY_KEEP) return "keep";
  if (bits === EXPIRY_AT) return readTime(r, "expiry");
  throw new OperationBytesError({ field: "expiry", value: bits });
}

function writeDelete(w: ByteWriter, { keys, when, answerWith }: DeleteOperation): void {
  w.u8((when === "always" ? 0 : AT_VERSION) | (answerWith === "previous" ? WITH_ANSWER : 0));
  if (when !== "always") w.f64(when);
  w.u32(keys.length);
  for (const key of keys) writeKey(w, key);
}

function readDelete(r: ByteReader, cache: CacheName): DeleteOperation {
  const flags = r.u8();
  if ((flags & ~(AT_VERSION | WITH_ANSWER)) !== 0) throw new OperationBytesError({ field: "flags", value: flags });
  const when = (flags & AT_VERSION) === 0 ? "always" : (readWhole(r, "version") as EntryVersion);
  const keys = Array.from({ length: readCount(r, 2) }, () => readKey(r));
  const answerWith = (flags & WITH_ANSWER) === 0 ? "count" : "previous";
  if (answerWith === "previous" && keys.length !== 1)
    throw new OperationBytesError({ field: "keys", value: keys.length });
  return { type: "delete", cache, keys, when, answerWith };
}

function writeExpire(w: ByteWriter, { key, expiry, when, answerWith }: ExpireOperation): void {
  const condition = EXPIRY_CONDITIONS.indexOf(when);
  w.u8(condition | (expiry === "never" ? 0 : HAS_TIME) | (answerWith === "value" ? WITH_ANSWER : 0));
  if (expiry !== "never") w.f64(expiry);
  writeKey(w, key);
}

function readExpire(r: ByteReader, cache: CacheName): ExpireOperation {
  const flags = r.u8();
  const when = EXPIRY_CONDITIONS[flags & 7];
  if (when === undefined || flags > 0x1f) throw new OperationBytesError({ field: "flags", value: flags });
  const expiry: Millis | "never" = (flags & HAS_TIME) === 0 ? "never" : readTime(r, "expiry");
  return {
    type: "expire",
    cache,
    key: readKey(r),
    expiry,
    when,
    answerWith: (flags & WITH_ANSWER) === 0 ? "count" : "value",
  };
}

function writeInt64(w: ByteWriter, value: bigint): void {
  w.u32(Number(BigInt.asUintN(32, value >> 32n))).u32(Number(BigInt.asUintN(32, value)));
}

function readInt64(r: ByteReader): bigint {
  const high = r.u32() | 0;
  const low = r.u32();
  if (high === 0 || high === -1) return BigInt(high * 2 ** 32 + low);
  return (BigInt(high) << 32n) | BigInt(low);
}
