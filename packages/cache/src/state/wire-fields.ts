/** Fields shared by operations, answers and snapshots: names, keys, values, times, conditions. */
import type { Millis } from "@sluice/base/brand";
import type { ByteReader } from "@sluice/bytes/byte-reader";
import { type ByteWriter, encodeUtf8 } from "@sluice/bytes/byte-writer";
import { OperationBytesError } from "./errors.ts";
import type { CacheName, EntryVersion, WriteCondition } from "./operation.ts";

/** Length in one byte, then UTF-8. */
export function writeName(w: ByteWriter, name: string): void {
  if (name.length === 1 && name.charCodeAt(0) < 0x80) {
    w.u8(1).u8(name.charCodeAt(0));
    return;
  }
  const bytes = encodeUtf8(name);
  if (bytes.length === 0 || bytes.length > 255)
    throw new OperationBytesError({ field: "name length", value: bytes.length });
  w.u8(bytes.length).bytes(bytes);
}

export function readName(r: ByteReader): CacheName {
  const length = r.u8();
  if (length === 0) throw new OperationBytesError({ field: "name length", value: 0 });
  return r.utf8(length) as CacheName;
}

/** Length in two bytes. */
export function writeKey(w: ByteWriter, key: Uint8Array): void {
  if (key.length > 0xffff) throw new OperationBytesError({ field: "key length", value: key.length });
  w.u16(key.length).bytes(key);
}

/** A view of the bytes that are read. */
export function readKey(r: ByteReader): Uint8Array {
  return r.bytes(r.u16());
}

/** Count in four bytes. */
export function writeKeys(w: ByteWriter, keys: readonly Uint8Array[]): void {
  w.u32(keys.length);
  for (const key of keys) writeKey(w, key);
}

/** Views of the bytes that are read. */
export function readKeys(r: ByteReader): Uint8Array[] {
  return Array.from({ length: readCount(r, 2) }, () => readKey(r));
}

/** Length in four bytes. */
export function writeValue(w: ByteWriter, value: Uint8Array): void {
  w.u32(value.length).bytes(value);
}

/** A view of the bytes that are read. */
export function readValue(r: ByteReader): Uint8Array {
  return r.bytes(r.u32());
}

/** A whole number from 0 to 2⁵³ − 1, as a double. */
export function readWhole(r: ByteReader, field: string): number {
  const value = r.f64();
  if (!Number.isSafeInteger(value) || value < 0) throw new OperationBytesError({ field, value });
  return value;
}

export function readTime(r: ByteReader, field: string): Millis {
  return readWhole(r, field) as Millis;
}

/** A list's count, refused if the remaining bytes cannot hold it. */
export function readCount(r: ByteReader, leastBytes: number): number {
  const count = r.u32();
  if (count * leastBytes > r.remaining) throw new OperationBytesError({ field: "count", value: count });
  return count;
}

const CONDITIONS = ["always", "absent", "present"] as const;

/** Two bits: always, absent, present, or 3 for a version, which is encoded separately. */
export function conditionBits(when: WriteCondition): number {
  return typeof when === "number" ? 3 : CONDITIONS.indexOf(when);
}

export function readCondition(r: ByteReader, bits: number): WriteCondition {
  return CONDITIONS[bits] ?? (readWhole(r, "version") as EntryVersion);
}
