/** What only a leader decides, by its clock: expired entries and leases, and keys that were read. */
import type { Millis } from "@sluice/base/brand";
import type { NamedCache } from "./named-cache.ts";
import type { Operation } from "./operation.ts";
import type { StateContents } from "./state-contents.ts";

/** Entries or leases per operation: applying them must not delay what follows. */
const MOST_AT_ONCE = 1_024;

export function upkeepOf(contents: StateContents, wall: Millis): readonly Operation[] {
  const operations: Operation[] = [];
  const leases = contents.leases.due(wall, MOST_AT_ONCE);
  if (leases.length > 0) operations.push({ type: "leases-expire", leases });
  for (const cache of contents.caches()) {
    const due = dueKeys(cache, wall);
    if (due.length > 0) operations.push({ type: "expire-due", cache: cache.name, keys: due });
    const touched = cache.takeTouched();
    if (touched.length > 0) operations.push({ type: "touch", cache: cache.name, keys: touched });
  }
  return operations;
}

function dueKeys({ table }: NamedCache, wall: Millis): Uint8Array[] {
  if (table.expiries.count === 0) return [];
  return table.expiries.due(wall, MOST_AT_ONCE).map((slot) => table.keyView(slot).slice());
}
