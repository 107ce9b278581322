/** One named cache: its entries with expiry, leases and limits, and notifications of changes. */
import type { Millis } from "@sluice/base/brand";
import type { ChangeFeed } from "./change-feed.ts";
import { EntryPlaces } from "./entry-places.ts";
import { ENTRY_OVERHEAD_BYTES, EntryTable, type TableMemory } from "./entry-table.ts";
import type { Leases } from "./leases.ts";
import type { CacheLimits, CacheName, EntryChange, EntryVersion, LeaseId } from "./operation.ts";
import type { Slot } from "./slots.ts";

export interface CacheSurroundings {
  readonly memory: TableMemory;
  readonly leases: Leases;
  readonly changes: ChangeFeed;
  readonly counts: { expiredCount: number; evictedCount: number };
}

/** Keys read since the leader last proposed to mark them used. */
const MAX_TOUCHED = 4_096;

export class NamedCache {
  readonly name: CacheName;
  readonly table: EntryTable;
  limits: CacheLimits = { entries: 0, bytes: 0 };
  readonly #around: CacheSurroundings;
  readonly #places = new EntryPlaces();
  #touched = new Set<Slot>();

  constructor(name: CacheName, around: CacheSurroundings) {
    this.name = name;
    this.table = new EntryTable(around.memory);
    this.#around = around;
  }

  /** For reads: the slot, or 0 if there is none that has not expired. */
  findLive(wall: Millis, bytes: Uint8Array, start = 0, length = bytes.length): Slot {
    const slot = this.table.find(bytes, start, length);
    if (slot === 0 || this.isOver(slot, wall)) return 0;
    if (this.#isLimited()) this.#noteRead(slot);
    return slot;
  }

  /** For writes: removes an expired entry first. */
  findForWrite(key: Uint8Array, time: Millis, version: EntryVersion): Slot {
    return this.#unlessOver(this.table.find(key), time, version);
  }

  /** @param slot  where the key stands, or 0 */
  put(slot: Slot, key: Uint8Array, value: Uint8Array, version: EntryVersion): Slot {
    const at = this.#put(slot, this.#places.point(key, value), version);
    this.#places.forget();
    return at;
  }

  /** @returns bytes that had to be moved */
  append(slot: Slot, bytes: Uint8Array, version: EntryVersion): number {
    const moved = this.table.append(slot, bytes, version);
    if (this.#around.changes.isHeard) this.tell(slot, "set", version);
    return moved;
  }

  /** Replaces an existing entry, including its expiry and its lease. */
  overwrite(from: EntryPlaces, time: Millis, version: EntryVersion): void {
    const found = this.table.find(from.keyBytes, from.keyStart, from.keyLength);
    const before = this.#unlessOver(found, time, version);
    const slot = this.#put(before, from, version);
    if (before === 0) return;
    this.table.expiries.set(slot, 0);
    this.#around.leases.bind(this.table, slot, undefined);
  }

  /** A time of 0 becomes 1, which is as long past: 0 stands for never. */
  setExpiry(slot: Slot, expiresAt: Millis | "never"): void {
    this.table.expiries.set(slot, expiresAt === "never" ? 0 : Math.max(1, expiresAt));
  }

  tell(slot: Slot, kind: EntryChange["kind"], version: EntryVersion): void {
    this.#around.changes.tell(this.name, this.table.keyView(slot), kind, version);
  }

  bind(slot: Slot, lease: LeaseId | undefined): void {
    this.#around.leases.bind(this.table, slot, lease);
  }

  leaseOf(slot: Slot): LeaseId | undefined {
    return this.#around.leases.leaseOf(this.table, slot);
  }

  boundSlots(): Iterable<readonly [Slot, LeaseId]> {
    return this.#around.leases.boundSlots(this.table);
  }

  drop(slot: Slot, kind: EntryChange["kind"], version: EntryVersion): void {
    if (kind === "expired") this.#around.counts.expiredCount++;
    else if (kind === "evicted") this.#around.counts.evictedCount++;
    this.tell(slot, kind, version);
    this.#around.leases.bind(this.table, slot, undefined);
    this.#touched.delete(slot);
    this.table.remove(slot);
  }

  flush(version: EntryVersion): void {
    this.#around.leases.unbindAll(this.table);
    this.#touched.clear();
    this.table.clear();
    this.#around.changes.tell(this.name, new Uint8Array(0), "flushed", version);
  }

  /** Whether an entry of this size can ever fit. */
  admits(keyBytes: number, valueBytes: number): boolean {
    const { bytes } = this.limits;
    return bytes === 0 || keyBytes + valueBytes + ENTRY_OVERHEAD_BYTES <= bytes;
  }

  /** Removes the least recently used entries until the limits hold. */
  evict(version: EntryVersion): void {
    while (this.#isFull()) this.drop(this.table.slots.oldest, "evicted", version);
  }

  /** Keys read since the last call, in order of first reading. */
  takeTouched(): Uint8Array[] {
    const keys = [...this.#touched].map((slot) => this.table.keyView(slot).slice());
    this.#touched = new Set();
    return keys;
  }

  isOver(slot: Slot, time: Millis): boolean {
    const expiresAt = this.table.slots.expiresAt[slot] as number;
    return expiresAt !== 0 && expiresAt < time;
  }

  #unlessOver(slot: Slot, time: Millis, version: EntryVersion): Slot {
    if (slot === 0 || !this.isOver(slot, time)) return slot;
    this.drop(slot, "expired", version);
    return 0;
  }

  #put(slot: Slot, from: EntryPlaces, version: EntryVersion): Slot {
    let at = slot;
    if (at === 0) at = this.table.add(from, version);
    else this.table.replace(at, from, version);
    if (this.#around.changes.isHeard) this.tell(at, "set", version);
    return at;
  }

  #isFull(): boolean {
    const { entries, bytes } = this.limits;
    const { slots, usedBytes } = this.table;
    return (entries > 0 && slots.count > entries) || (bytes > 0 && usedBytes > bytes);
  }

  #isLimited(): boolean {
    return this.limits.entries > 0 || this.limits.bytes > 0;
  }

  #noteRead(slot: Slot): void {
    if (this.#touched.size < MAX_TOUCHED && slot !== this.table.slots.newest) this.#touched.add(slot);
  }
}
