/** Operations of every kind beside what clients do, and a way to see whether all members made the same of them. */
import type { Millis } from "@sluice/base/brand";
import type { CacheState } from "@sluice/cache/state/cache-state";
import type { CacheName, EntryOperation, LeaseId, Operation } from "@sluice/cache/state/operation";
import { randomBelow } from "@sluice/testkit/random";

/** The second one is limited, so that it evicts. */
const CACHES = ["1" as CacheName, "limited" as CacheName] as const;
const LIMITS = { entries: 12, bytes: 4_000 };
const encoder = new TextEncoder();

export function randomOperation(state: CacheState, wall: Millis, random: () => number): Operation {
  const kind = random();
  if (kind < 0.05) return { type: "configure", cache: CACHES[1], limits: LIMITS };
  if (kind < 0.1) return { type: "lease-grant", ttl: (100 + randomBelow(random, 2_000)) as Millis };
  if (kind < 0.13) return { type: "flush", cache: cacheOf(random) };
  if (kind > 0.9) {
    const operations = [entryOperation(state, wall, random), entryOperation(state, wall, random)];
    const condition = {
      cache: cacheOf(random),
      key: keyOf(random),
      when: random() < 0.5 ? "absent" : "present",
    } as const;
    return { type: "batch", conditions: random() < 0.5 ? [condition] : [], operations };
  }
  return entryOperation(state, wall, random);
}

function entryOperation(state: CacheState, wall: Millis, random: () => number): EntryOperation {
  const [cache, key, kind] = [cacheOf(random), keyOf(random), random()];
  const soon = (wall + randomBelow(random, 3_000)) as Millis;
  const value = encoder.encode(`${randomBelow(random, 1_000)}`.repeat(1 + randomBelow(random, 40)));
  // Reading makes the key one that was used lately, on this member alone until the log says so.
  const read = state.find(cache, keyOf(random), wall);
  if (kind < 0.1) return { type: "increment", cache, key, by: 3n };
  if (kind < 0.15) return { type: "increment-float", cache, key, by: "0.1" };
  if (kind < 0.2) return { type: "append", cache, key, value };
  if (kind < 0.3) return { type: "delete", cache, keys: [key, keyOf(random)], when: "always", answerWith: "count" };
  if (kind < 0.4) return { type: "expire", cache, key, expiry: soon, when: "always", answerWith: "count" };
  const expiry = random() < 0.4 ? soon : "never";
  const bound = random() < 0.2 ? { lease: (read?.version ?? 1) as number as LeaseId } : {};
  return { type: "set", cache, key, value, expiry, when: "always", answerWith: "version", ...bound };
}

/** Everything that reading can tell, in an order of its own. */
export function contentsOf(state: CacheState): readonly string[] {
  const rows: string[] = [`generation ${state.generation}`];
  for (const { name, limits } of state.caches()) {
    rows.push(`${name} ${JSON.stringify(limits)}`);
    for (const [key, { value, version, expiresAt, lease }] of state.entries(name, new Uint8Array(0), 0 as Millis)) {
      rows.push(`${name} ${text(key)}=${text(value)} at ${version} until ${expiresAt} with ${lease}`);
    }
  }
  return rows.toSorted();
}

function cacheOf(random: () => number): CacheName {
  return random() < 0.5 ? CACHES[0] : CACHES[1];
}

function keyOf(random: () => number): Uint8Array {
  return encoder.encode(`k${randomBelow(random, 30)}`);
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
