/** The records of a snapshot and their encoding. */
import type { ByteReader } from "@sluice/bytes/byte-reader";
import type { ByteWriter } from "@sluice/bytes/byte-writer";
import type { ForgottenMark, RememberedAnswer } from "./answer-memory.ts";
import type { LeaseRow } from "./leases.ts";
import type { CacheLimits, CacheName, LeaseId } from "./operation.ts";
import { readName, readTime, readValue, readWhole, writeName, writeValue } from "./wire-fields.ts";

/** "SLCS". */
export const SNAPSHOT_MAGIC = 0x534c4353;
export const SNAPSHOT_VERSION = 1;

/** First bytes of records. In this order: head, leases, answers, marks, caches each with its entries, end. */
export const RECORD = { head: 1, lease: 2, answer: 3, mark: 4, cache: 5, entry: 6, end: 7 } as const;

const HAS_EXPIRY = 1;
const HAS_LEASE = 2;

export interface SnapshotHead {
  readonly generation: number;
  readonly index: number;
  readonly term: number;
  readonly time: number;
}

export interface EntryRecord {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly version: number;
  /** 0 for never. */
  readonly expiresAt: number;
  readonly lease: LeaseId | undefined;
}

export function writeHead(w: ByteWriter, { generation, index, term, time }: SnapshotHead): void {
  w.u8(RECORD.head).u32(SNAPSHOT_MAGIC).u8(SNAPSHOT_VERSION);
  w.f64(generation).f64(index).f64(term).f64(time);
}

/** Behind magic and version. */
export function readHead(r: ByteReader): SnapshotHead {
  return {
    generation: readWhole(r, "generation"),
    index: readWhole(r, "index"),
    term: readWhole(r, "term"),
    time: readWhole(r, "time"),
  };
}

export function writeLease(w: ByteWriter, { id, ttl, expiresAt }: LeaseRow): void {
  w.u8(RECORD.lease).f64(id).f64(ttl).f64(expiresAt);
}

export function readLease(r: ByteReader): LeaseRow {
  return { id: readWhole(r, "lease") as LeaseId, ttl: readTime(r, "ttl"), expiresAt: readTime(r, "expiry") };
}

export function writeRemembered(w: ByteWriter, { client, sequence, time, answer }: RememberedAnswer): void {
  w.u8(RECORD.answer);
  writeName(w, client);
  w.f64(sequence).f64(time);
  writeValue(w, answer);
}

export function readRemembered(r: ByteReader): RememberedAnswer {
  const client = readName(r);
  const sequence = readWhole(r, "sequence");
  return { client, sequence, time: readTime(r, "time"), answer: readValue(r).slice() };
}

export function writeMark(w: ByteWriter, { client, sequence, time }: ForgottenMark): void {
  w.u8(RECORD.mark);
  writeName(w, client);
  w.f64(sequence).f64(time);
}

export function readMark(r: ByteReader): ForgottenMark {
  return { client: readName(r), sequence: readWhole(r, "sequence"), time: readTime(r, "time") };
}

export function writeCache(w: ByteWriter, name: CacheName, limits: CacheLimits): void {
  w.u8(RECORD.cache);
  writeName(w, name);
  w.f64(limits.entries).f64(limits.bytes);
}

export function readCache(r: ByteReader): { readonly name: CacheName; readonly limits: CacheLimits } {
  return { name: readName(r), limits: { entries: readWhole(r, "entries"), bytes: readWhole(r, "bytes") } };
}

/** @param block  the key followed by the value */
export function writeEntry(
  w: ByteWriter,
  block: Uint8Array,
  entry: Omit<EntryRecord, "key" | "value"> & { readonly keyLength: number },
): void {
  const { expiresAt, lease, keyLength, version } = entry;
  w.u8(RECORD.entry)
    .u8((expiresAt === 0 ? 0 : HAS_EXPIRY) | (lease === undefined ? 0 : HAS_LEASE))
    .f64(version);
  if (expiresAt !== 0) w.f64(expiresAt);
  if (lease !== undefined) w.f64(lease);
  w.u16(keyLength)
    .u32(block.length - keyLength)
    .bytes(block);
}

/** Key and value are views. */
export function readEntry(r: ByteReader): EntryRecord {
  const flags = r.u8();
  const version = readWhole(r, "version");
  const expiresAt = (flags & HAS_EXPIRY) === 0 ? 0 : readWhole(r, "expiry");
  const lease = (flags & HAS_LEASE) === 0 ? undefined : (readWhole(r, "lease") as LeaseId);
  const keyLength = r.u16();
  const valueLength = r.u32();
  return { key: r.bytes(keyLength), value: r.bytes(valueLength), version, expiresAt, lease };
}
