/** Leases by their fencing token: their expiry, and the entries that vanish with them. */
import type { Millis } from "@sluice/base/brand";
import type { EntryTable } from "./entry-table.ts";
import type { LeaseId } from "./operation.ts";
import type { Slot } from "./slots.ts";

interface Lease {
  readonly id: LeaseId;
  readonly ttl: Millis;
  expiresAt: Millis;
  readonly bound: Map<EntryTable, Set<Slot>>;
}

export interface LeaseRow {
  readonly id: LeaseId;
  readonly ttl: Millis;
  readonly expiresAt: Millis;
}

export class Leases {
  readonly #leases = new Map<LeaseId, Lease>();
  readonly #byTable = new Map<EntryTable, Map<Slot, Lease>>();

  get count(): number {
    return this.#leases.size;
  }

  /** In order of their grants. */
  rows(): Iterable<LeaseRow> {
    return this.#leases.values();
  }

  find(id: LeaseId): LeaseRow | undefined {
    return this.#leases.get(id);
  }

  add({ id, ttl, expiresAt }: LeaseRow): void {
    this.#leases.set(id, { id, ttl, expiresAt, bound: new Map() });
  }

  /** @returns undefined when it is gone */
  renew(id: LeaseId, now: Millis): LeaseRow | undefined {
    const lease = this.#leases.get(id);
    if (lease !== undefined) lease.expiresAt = Math.max(lease.expiresAt, now + lease.ttl) as Millis;
    return lease;
  }

  /** A new leader cannot know which renewals were in progress at the previous one. */
  renewAll(now: Millis): void {
    for (const id of this.#leases.keys()) this.renew(id, now);
  }

  due(wall: Millis, limit: number): LeaseId[] {
    const found: LeaseId[] = [];
    for (const { id, expiresAt } of this.#leases.values()) {
      if (expiresAt >= wall) continue;
      found.push(id);
      if (found.length === limit) break;
    }
    return found;
  }

  /** Binds the entry to this lease only; `undefined` unbinds it. */
  bind(table: EntryTable, slot: Slot, id: LeaseId | undefined): void {
    const byTable = this.#byTable.get(table);
    const before = byTable?.get(slot);
    if (before?.id === id) return;
    if (before !== undefined) {
      before.bound.get(table)?.delete(slot);
      byTable?.delete(slot);
    }
    const lease = id === undefined ? undefined : this.#leases.get(id);
    if (lease === undefined) return;
    slotsOf(lease, table).add(slot);
    if (byTable === undefined) this.#byTable.set(table, new Map([[slot, lease]]));
    else byTable.set(slot, lease);
  }

  leaseOf(table: EntryTable, slot: Slot): LeaseId | undefined {
    return this.#byTable.get(table)?.get(slot)?.id;
  }

  /** Slots of the table that are bound to a lease. */
  *boundSlots(table: EntryTable): Generator<readonly [Slot, LeaseId], void> {
    for (const [slot, { id }] of this.#byTable.get(table) ?? []) yield [slot, id];
  }

  /** Removes the lease; the caller removes the entries bound to it. */
  take(id: LeaseId): readonly (readonly [EntryTable, readonly Slot[]])[] {
    const lease = this.#leases.get(id);
    if (lease === undefined) return [];
    this.#leases.delete(id);
    for (const [table, slots] of lease.bound) for (const slot of slots) this.#byTable.get(table)?.delete(slot);
    return [...lease.bound].map(([table, slots]) => [table, [...slots]] as const);
  }

  /** All entries of the table are gone. */
  unbindAll(table: EntryTable): void {
    for (const lease of this.#byTable.get(table)?.values() ?? []) lease.bound.delete(table);
    this.#byTable.delete(table);
  }
}

function slotsOf(lease: Lease, table: EntryTable): Set<Slot> {
  let slots = lease.bound.get(table);
  if (slots === undefined) lease.bound.set(table, (slots = new Set()));
  return slots;
}
