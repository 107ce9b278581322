/** Entries as copies for readers. */
import type { Millis } from "@sluice/base/brand";
import { startsWith } from "./change-feed.ts";
import type { NamedCache } from "./named-cache.ts";
import type { EntryVersion, LeaseId } from "./operation.ts";
import type { Slot } from "./slots.ts";

export interface EntryView {
  readonly value: Uint8Array;
  readonly version: EntryVersion;
  readonly expiresAt: Millis | "never";
  readonly lease: LeaseId | undefined;
}

export function viewEntry(cache: NamedCache, slot: Slot): EntryView {
  const { table } = cache;
  const expiresAt = table.slots.expiresAt[slot] as Millis;
  return {
    value: table.valueView(slot).slice(),
    version: table.slots.version[slot] as EntryVersion,
    expiresAt: expiresAt === 0 ? "never" : expiresAt,
    lease: cache.leaseOf(slot),
  };
}

export function* entriesOf(
  cache: NamedCache,
  prefix: Uint8Array,
  wall: Millis,
): Generator<readonly [Uint8Array, EntryView], void> {
  const { table } = cache;
  for (let slot = 1; slot < table.slots.end; slot++) {
    if (table.slots.version[slot] === 0 || cache.isOver(slot, wall)) continue;
    const key = table.keyView(slot);
    if (startsWith(key, prefix)) yield [key.slice(), viewEntry(cache, slot)];
  }
}
