/** Properties of entries besides their bytes, in columns of numbers: one slot per entry, for its lifetime. */
import type { Millis } from "@sluice/base/brand";
import type { Address } from "./arena.ts";

/** A position in the columns, from 1; 0 for none. */
export type Slot = number;

/** The log's time, shared by all tables of a state. */
export interface LogClock {
  /** Since 1970. */
  second: number;
}

/** How the value was produced: Redis encodes appended values and sums of fractions differently from values that were set. */
export const VALUE_FORM = { plain: 0, appended: 1, fraction: 2 } as const;

const FIRST_CAPACITY = 64;

export class Slots {
  address: Uint32Array = new Uint32Array(FIRST_CAPACITY);
  keyLength: Uint16Array = new Uint16Array(FIRST_CAPACITY);
  valueLength: Uint32Array = new Uint32Array(FIRST_CAPACITY);
  hash: Uint32Array = new Uint32Array(FIRST_CAPACITY);
  /** 0 for a free slot. */
  version: Float64Array = new Float64Array(FIRST_CAPACITY);
  /** Wall-clock milliseconds; 0 for never. */
  expiresAt: Float64Array = new Float64Array(FIRST_CAPACITY);
  /** Seconds since 1970 of the last use known to this member; not replicated. */
  usedAt: Uint32Array = new Uint32Array(FIRST_CAPACITY);
  /** How the value was produced, if its bytes do not show it: see `VALUE_FORM`. Not replicated. */
  form: Uint8Array = new Uint8Array(FIRST_CAPACITY);
  /** Neighbours in order of use. For a free slot, `newer` is the next free one. */
  older: Uint32Array = new Uint32Array(FIRST_CAPACITY);
  newer: Uint32Array = new Uint32Array(FIRST_CAPACITY);
  /** Least and most recently used. */
  oldest: Slot = 0;
  newest: Slot = 0;
  readonly #clock: LogClock;
  #firstFree: Slot = 0;
  #end = 1;
  #count = 0;

  constructor(clock: LogClock) {
    this.#clock = clock;
  }

  get count(): number {
    return this.#count;
  }

  /** One past the highest slot ever used. */
  get end(): Slot {
    return this.#end;
  }

  /** A slot without expiry, marked as most recently used. */
  add(address: Address, keyLength: number, valueLength: number, hash: number, version: number): Slot {
    const slot = this.#firstFree === 0 ? this.#end++ : this.#firstFree;
    if (slot === this.#firstFree) this.#firstFree = this.newer[slot] as number;
    else if (slot >= this.address.length) this.#grow();
    this.#count++;
    this.address[slot] = address;
    this.keyLength[slot] = keyLength;
    this.valueLength[slot] = valueLength;
    this.hash[slot] = hash;
    this.version[slot] = version;
    this.expiresAt[slot] = 0;
    this.form[slot] = VALUE_FORM.plain;
    this.#linkNewest(slot);
    return slot;
  }

  remove(slot: Slot): void {
    this.#unlink(slot);
    this.version[slot] = 0;
    this.newer[slot] = this.#firstFree;
    this.#firstFree = slot;
    this.#count--;
  }

  markUsed(slot: Slot): void {
    if (slot === this.newest) {
      this.usedAt[slot] = this.#clock.second;
      return;
    }
    this.#unlink(slot);
    this.#linkNewest(slot);
  }

  /** Records a read; on this member only. */
  noteUse(slot: Slot, wall: Millis): void {
    this.usedAt[slot] = wall / 1_000;
  }

  #linkNewest(slot: Slot): void {
    this.usedAt[slot] = this.#clock.second;
    const before = this.newest;
    this.older[slot] = before;
    this.newer[slot] = 0;
    if (before === 0) this.oldest = slot;
    else this.newer[before] = slot;
    this.newest = slot;
  }

  #unlink(slot: Slot): void {
    const older = this.older[slot] as number;
    const newer = this.newer[slot] as number;
    if (older === 0) this.oldest = newer;
    else this.newer[older] = newer;
    if (newer === 0) this.newest = older;
    else this.older[newer] = older;
  }

  #grow(): void {
    const capacity = this.address.length * 2;
    this.address = grown(this.address, new Uint32Array(capacity));
    this.keyLength = grown(this.keyLength, new Uint16Array(capacity));
    this.valueLength = grown(this.valueLength, new Uint32Array(capacity));
    this.hash = grown(this.hash, new Uint32Array(capacity));
    this.version = grown(this.version, new Float64Array(capacity));
    this.expiresAt = grown(this.expiresAt, new Float64Array(capacity));
    this.form = grown(this.form, new Uint8Array(capacity));
    this.usedAt = grown(this.usedAt, new Uint32Array(capacity));
    this.older = grown(this.older, new Uint32Array(capacity));
    this.newer = grown(this.newer, new Uint32Array(capacity));
  }
}

function grown<T extends Uint8Array | Uint16Array | Uint32Array | Float64Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
