/** The entries of one cache: keys and values in an arena, other properties in columns, found by hash. */
import type { Arena } from "./arena.ts";
import { blockBytesFor } from "./arena.ts";
import type { Discards } from "./discards.ts";
import type { EntryPlaces } from "./entry-places.ts";
import { ExpiryHeap } from "./expiry-heap.ts";
import type { KeyHash } from "./key-hash.ts";
import { KeyIndex } from "./key-index.ts";
import type { Pins } from "./pins.ts";
import { type LogClock, type Slot, Slots, VALUE_FORM } from "./slots.ts";

/** Bytes counted for an entry besides key and value: its slot, its place in the index, the rounding of its block. */
export const ENTRY_OVERHEAD_BYTES = 64;

export interface TableMemory {
  readonly arena: Arena;
  readonly pins: Pins;
  readonly hash: KeyHash;
  readonly clock: LogClock;
  readonly discards: Discards;
}

/** Copies `length` bytes of `bytes` from `start` before it returns. */
export interface ValueSink {
  bulkOf(bytes: Uint8Array, start: number, length: number): void;
}

export class EntryTable {
  readonly #memory: TableMemory;
  #slots: Slots;
  #index: KeyIndex;
  #expiries: ExpiryHeap;
  #usedBytes = 0;

  constructor(memory: TableMemory) {
    this.#memory = memory;
    this.#slots = new Slots(memory.clock);
    this.#index = new KeyIndex(this.#slots);
    this.#expiries = new ExpiryHeap(this.#slots);
  }

  /** For reading only. */
  get slots(): Slots {
    return this.#slots;
  }

  get expiries(): ExpiryHeap {
    return this.#expiries;
  }

  /** Keys, values and the overhead of each entry. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** The slot of the key in `bytes`, or 0; does not check expiry. */
  find(bytes: Uint8Array, start = 0, length = bytes.length): Slot {
    const hash = this.#memory.hash.hash(bytes, start, length);
    const hashes = this.#slots.hash;
    const places = this.#index.placesFor(hash);
    const mask = places.length - 1;
    for (let place = hash & mask; ; place = (place + 1) & mask) {
      const slot = places[place] as Slot;
      if (slot === 0) return 0;
      if (hashes[slot] === hash && this.#hasKey(slot, bytes, start, length)) return slot;
    }
  }

  /** A new entry without expiry. The key must not exist. */
  add(from: EntryPlaces, version: number): Slot {
    const { arena, hash } = this.#memory;
    const { keyBytes, keyStart, keyLength, valueLength } = from;
    const address = arena.allocate(keyLength + valueLength);
    const bytes = arena.bytesOf(address);
    const at = arena.offsetOf(address);
    copyInto(bytes, at, keyBytes, keyStart, keyLength);
    copyInto(bytes, at + keyLength, from.valueBytes, from.valueStart, valueLength);
    const slot = this.#slots.add(address, keyLength, valueLength, hash.hash(keyBytes, keyStart, keyLength), version);
    this.#index.add(slot);
    this.#usedBytes += keyLength + valueLength + ENTRY_OVERHEAD_BYTES;
    return slot;
  }

  /** Replaces value and version; the expiry stays. Marks the entry as most recently used. */
  replace(slot: Slot, from: EntryPlaces, version: number): void {
    const slots = this.#slots;
    const keyLength = slots.keyLength[slot] as number;
    const before = slots.valueLength[slot] as number;
    this.#makeRoom(slot, keyLength, keyLength + before, keyLength + from.valueLength);
    const { arena } = this.#memory;
    const address = slots.address[slot] as number;
    const at = arena.offsetOf(address) + keyLength;
    copyInto(arena.bytesOf(address), at, from.valueBytes, from.valueStart, from.valueLength);
    slots.valueLength[slot] = from.valueLength;
    slots.version[slot] = version;
    slots.form[slot] = VALUE_FORM.plain;
    slots.markUsed(slot);
    this.#usedBytes += from.valueLength - before;
  }

  /** Appends to its value, in place if there is room. @returns bytes that had to be moved */
  append(slot: Slot, bytes: Uint8Array, version: number): number {
    const slots = this.#slots;
    const kept = (slots.keyLength[slot] as number) + (slots.valueLength[slot] as number);
    const moved = this.#makeRoom(slot, kept, kept, kept + bytes.length);
    const { arena } = this.#memory;
    const address = slots.address[slot] as number;
    copyInto(arena.bytesOf(address), arena.offsetOf(address) + kept, bytes, 0, bytes.length);
    slots.valueLength[slot] = (slots.valueLength[slot] as number) + bytes.length;
    slots.form[slot] = VALUE_FORM.appended;
    slots.version[slot] = version;
    slots.markUsed(slot);
    this.#usedBytes += bytes.length;
    return moved;
  }

  remove(slot: Slot): void {
    const slots = this.#slots;
    this.#expiries.set(slot, 0);
    this.#index.remove(slot);
    this.#memory.pins.free(slots.address[slot] as number, slots.version[slot] as number);
    this.#usedBytes -= this.bytesOf(slot);
    slots.remove(slot);
  }

  clear(): void {
    this.#memory.discards.add(this.#slots);
    this.#slots = new Slots(this.#memory.clock);
    this.#index = new KeyIndex(this.#slots);
    this.#expiries = new ExpiryHeap(this.#slots);
    this.#usedBytes = 0;
  }

  /** Bytes counted against the limit. */
  bytesOf(slot: Slot): number {
    const { keyLength, valueLength } = this.#slots;
    return (keyLength[slot] as number) + (valueLength[slot] as number) + ENTRY_OVERHEAD_BYTES;
  }

  /** A view, valid until the entry changes. */
  keyView(slot: Slot): Uint8Array {
    const { arena } = this.#memory;
    const address = this.#slots.address[slot] as number;
    const at = arena.offsetOf(address);
    return arena.bytesOf(address).subarray(at, at + (this.#slots.keyLength[slot] as number));
  }

  /** A view, valid until the entry changes. */
  valueView(slot: Slot): Uint8Array {
    const { arena } = this.#memory;
    const address = this.#slots.address[slot] as number;
    const at = arena.offsetOf(address) + (this.#slots.keyLength[slot] as number);
    return arena.bytesOf(address).subarray(at, at + (this.#slots.valueLength[slot] as number));
  }

  /** Passes the value on without creating a view. */
  readValue(slot: Slot, sink: ValueSink): void {
    const { arena } = this.#memory;
    const address = this.#slots.address[slot] as number;
    const at = arena.offsetOf(address) + (this.#slots.keyLength[slot] as number);
    sink.bulkOf(arena.bytesOf(address), at, this.#slots.valueLength[slot] as number);
  }

  #hasKey(slot: Slot, bytes: Uint8Array, start: number, length: number): boolean {
    if (this.#slots.keyLength[slot] !== length) return false;
    const { arena } = this.#memory;
    const address = this.#slots.address[slot] as number;
    const held = arena.bytesOf(address);
    const at = arena.offsetOf(address);
    for (let i = 0; i < length; i++) if (held[at + i] !== bytes[start + i]) return false;
    return true;
  }

  /**
   * Moves the entry if its block is too small, much too large, or read by a snapshot.
   * @param kept  bytes to keep, the key first. @returns how many were moved
   */
  #makeRoom(slot: Slot, kept: number, before: number, after: number): number {
    const { arena, pins } = this.#memory;
    const version = this.#slots.version[slot] as number;
    if (blockBytesFor(before) === blockBytesFor(after) && !pins.holds(version)) return 0;
    const from = this.#slots.address[slot] as number;
    const to = arena.allocate(after);
    const at = arena.offsetOf(from);
    copyInto(arena.bytesOf(to), arena.offsetOf(to), arena.bytesOf(from), at, kept);
    this.#slots.address[slot] = to;
    pins.free(from, version);
    return kept;
  }
}

/** Below this length a loop is faster than the call into the runtime. */
const SHORT_BYTES = 40;

function copyInto(to: Uint8Array, at: number, from: Uint8Array, start: number, length: number): void {
  if (length > SHORT_BYTES) to.set(from.subarray(start, start + length), at);
  else for (let i = 0; i < length; i++) to[at + i] = from[start + i] as number;
}
