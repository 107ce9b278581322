/** One cache at one moment: copies of its columns, over blocks kept by a pin. */
import type { Arena } from "./arena.ts";
import type { NamedCache } from "./named-cache.ts";
import type { CacheLimits, CacheName, LeaseId } from "./operation.ts";
import type { Slot } from "./slots.ts";

export interface FrozenEntry {
  /** Key followed by value; a view. */
  readonly block: Uint8Array;
  readonly keyLength: number;
  readonly version: number;
  readonly expiresAt: number;
  readonly lease: LeaseId | undefined;
}

export class FrozenCache {
  readonly name: CacheName;
  readonly limits: CacheLimits;
  readonly count: number;
  readonly #arena: Arena;
  readonly #oldest: Slot;
  readonly #address: Uint32Array;
  readonly #keyLength: Uint16Array;
  readonly #valueLength: Uint32Array;
  readonly #version: Float64Array;
  readonly #expiresAt: Float64Array;
  readonly #newer: Uint32Array;
  readonly #leases = new Map<Slot, LeaseId>();

  constructor(cache: NamedCache, arena: Arena) {
    const { slots } = cache.table;
    this.name = cache.name;
    this.limits = cache.limits;
    this.count = slots.count;
    this.#arena = arena;
    this.#oldest = slots.oldest;
    this.#address = slots.address.slice(0, slots.end);
    this.#keyLength = slots.keyLength.slice(0, slots.end);
    this.#valueLength = slots.valueLength.slice(0, slots.end);
    this.#version = slots.version.slice(0, slots.end);
    this.#expiresAt = slots.expiresAt.slice(0, slots.end);
    this.#newer = slots.newer.slice(0, slots.end);
    for (const [slot, lease] of cache.boundSlots()) this.#leases.set(slot, lease);
  }

  /** Least recently used first. */
  *entries(): Generator<FrozenEntry, void> {
    for (let slot = this.#oldest; slot !== 0; slot = this.#newer[slot] as Slot) {
      const address = this.#address[slot] as number;
      const at = this.#arena.offsetOf(address);
      const keyLength = this.#keyLength[slot] as number;
      yield {
        block: this.#arena.bytesOf(address).subarray(at, at + keyLength + (this.#valueLength[slot] as number)),
        keyLength,
        version: this.#version[slot] as number,
        expiresAt: this.#expiresAt[slot] as number,
        lease: this.#leases.get(slot),
      };
    }
  }
}
