/** Leases and the keys bound to them, as watched: which leases live, which ran out, which keys lost their lease. */
import type { Millis } from "@sluice/base/brand";
import type { Key } from "@sluice/engine/engine";

/** A lease as recorded last on the server. */
export interface LeaseRecord {
  readonly slot: number;
  /** Sequence of the record that granted it. */
  readonly token: number;
  readonly ttl: Millis;
  /** Sequence of the last record. */
  readonly sequence: number;
}

interface Heard extends LeaseRecord {
  readonly heardAt: Millis;
}

/** Extra share of its time to live before a lease counts as expired: clocks of machines run at different speeds. */
const DRIFT = 0.03;
const DRIFT_FLOOR = 50;

export function bindingOf(lease: { readonly slot: number; readonly token: number }): string {
  return `${lease.slot}.${lease.token}`;
}

export class NatsLeaseTable {
  readonly #leases = new Map<number, Heard>();
  readonly #keys = new Map<string, Set<Key>>();
  readonly #bindings = new Map<Key, string>();

  clear(): void {
    this.#leases.clear();
    this.#keys.clear();
    this.#bindings.clear();
  }

  /** @param now  monotonic */
  hearLease(record: LeaseRecord, now: Millis): void {
    this.#leases.set(record.slot, { ...record, heardAt: now });
  }

  hearLeaseRemoved(slot: number): void {
    this.#leases.delete(slot);
  }

  /** @param binding  empty for a key without a lease */
  hearKey(key: Key, binding: string): void {
    this.#unbind(key);
    if (binding === "") return;
    this.#bindings.set(key, binding);
    const keys = this.#keys.get(binding);
    if (keys === undefined) this.#keys.set(binding, new Set([key]));
    else keys.add(key);
  }

  hearKeyRemoved(key: Key): void {
    this.#unbind(key);
  }

  isLive(binding: string): boolean {
    const lease = this.#leases.get(Number.parseInt(binding, 10));
    return lease !== undefined && bindingOf(lease) === binding;
  }

  boundKeys(binding: string): readonly Key[] {
    return [...(this.#keys.get(binding) ?? [])];
  }

  /** Leases not renewed within their time to live. */
  expired(now: Millis): LeaseRecord[] {
    const leases = [...this.#leases.values()];
    return leases.filter(({ heardAt, ttl }) => now - heardAt > ttl + Math.max(DRIFT_FLOOR, ttl * DRIFT));
  }

  /** Keys bound to leases that are gone, each with its binding. */
  orphans(): { readonly key: Key; readonly binding: string }[] {
    const found: { key: Key; binding: string }[] = [];
    for (const [binding, keys] of this.#keys) {
      if (!this.isLive(binding)) for (const key of keys) found.push({ key, binding });
    }
    return found;
  }

  /** One of the lowest free slots: few are ever used, and two concurrent requests seldom choose the same. */
  freeSlot(random: () => number, limit: number): number | undefined {
    const skip = Math.floor(random() * 8);
    let last: number | undefined;
    for (let slot = 0, free = 0; slot < limit && free <= skip; slot++) {
      if (this.#leases.has(slot)) continue;
      last = slot;
      free++;
    }
    return last;
  }

  #unbind(key: Key): void {
    const binding = this.#bindings.get(key);
    if (binding === undefined) return;
    this.#bindings.delete(key);
    const keys = this.#keys.get(binding);
    keys?.delete(key);
    if (keys?.size === 0) this.#keys.delete(binding);
  }
}

/** Content of a lease record; a granting record cannot contain its own token, which is its sequence. */
export function encodeLeaseRecord(ttl: Millis, token?: number): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(token === undefined ? { ttl } : { ttl, token }));
}

/** `undefined`: foreign or damaged. */
export function decodeLeaseRecord(slot: number, sequence: number, data: Uint8Array): LeaseRecord | undefined {
  try {
    const value = JSON.parse(new TextDecoder().decode(data)) as { ttl?: unknown; token?: unknown } | null;
    const token = value?.token ?? sequence;
    if (typeof value?.ttl !== "number" || !(value.ttl > 0) || !Number.isSafeInteger(token)) return undefined;
    return { slot, token: token as number, ttl: value.ttl as Millis, sequence };
  } catch {
    return undefined;
  }
}
