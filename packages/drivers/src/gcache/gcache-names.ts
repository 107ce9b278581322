/** Maps keys, logs and revisions of the engine to the cache. */
import type { CacheName, EntryVersion, LeaseId } from "@sluice/cache/state/operation";
import type { CacheState } from "@sluice/cache/state/cache-state";
import type { EntryView } from "@sluice/cache/state/entry-view";
import type { Entry, Key } from "@sluice/engine/engine";
import type { Epoch } from "@sluice/engine/epoch";

/** Names that no RESP database uses. */
export const ENTRIES = "engine" as CacheName;
export const LOGS = "engine-logs" as CacheName;

export const bytesOfKey = (key: Key): Uint8Array => Buffer.from(key);
export const keyOfBytes = (bytes: Uint8Array): Key => Buffer.from(bytes).toString();

/** The number is a log index; the generation is that of the data, chosen when the cluster was founded. */
export function revisionOf(state: CacheState, number: number): Epoch {
  return { generation: state.generation, number };
}

/** The value is copied. */
export function entryOf(state: CacheState, key: Key, view: EntryView): Entry {
  return { key, value: new Uint8Array(view.value), revision: revisionOf(state, view.version) };
}

/** The condition that an entry has the revision; `undefined` for another generation, which no entry has. */
export function versionFor(state: CacheState, revision: Epoch): EntryVersion | undefined {
  const isOfThisLife = revision.generation === state.generation && revision.number > 0;
  return isOfThisLife ? (revision.number as EntryVersion) : undefined;
}

/** The lease of a token; `undefined` for a token of another generation. */
export function leaseFor(state: CacheState, token: Epoch): LeaseId | undefined {
  return token.generation === state.generation && token.number > 0 ? (token.number as LeaseId) : undefined;
}
