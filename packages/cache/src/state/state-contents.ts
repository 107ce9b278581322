/** The complete replicated data in one object, which restoring a snapshot replaces. */
import type { Millis } from "@sluice/base/brand";
import { AnswerMemory } from "./answer-memory.ts";
import { Arena } from "./arena.ts";
import type { ChangeFeed } from "./change-feed.ts";
import type { Checksum } from "./crc32.ts";
import { Discards } from "./discards.ts";
import { EntryPlaces } from "./entry-places.ts";
import { KeyHash } from "./key-hash.ts";
import { Leases } from "./leases.ts";
import type { StateLimits } from "./limits.ts";
import { type CacheSurroundings, NamedCache } from "./named-cache.ts";
import type { CacheName } from "./operation.ts";
import { Pins } from "./pins.ts";
import type { LogClock } from "./slots.ts";

export interface ContentsOptions {
  readonly limits: StateLimits;
  readonly hashSeed: number;
  readonly changes: ChangeFeed;
  readonly checksum: Checksum;
}

export class StateContents {
  readonly limits: StateLimits;
  readonly checksum: Checksum;
  readonly pins: Pins;
  readonly arena = new Arena();
  readonly discards: Discards;
  readonly clock: LogClock = { second: 0 };
  readonly leases = new Leases();
  /** Of the operation that is being applied. */
  readonly places = new EntryPlaces();
  readonly answers: AnswerMemory;
  readonly changes: ChangeFeed;
  readonly #caches = new Map<CacheName, NamedCache>();
  readonly #around: CacheSurroundings;
  generation = 0;
  /** Of the last operation that was applied. */
  index = 0;
  term = 0;
  time = 0 as Millis;
  /** Work of all operations so far; see work.ts. */
  work = 0;
  /** Entries expired or evicted since this process holds this state. */
  expiredCount = 0;
  evictedCount = 0;

  constructor({ limits, hashSeed, changes, checksum }: ContentsOptions) {
    this.limits = limits;
    this.checksum = checksum;
    this.changes = changes;
    this.answers = new AnswerMemory(limits);
    this.pins = new Pins(this.arena, limits.openSnapshots);
    this.discards = new Discards(this.pins);
    const { arena, pins, discards, clock } = this;
    const memory = { arena, pins, discards, clock, hash: new KeyHash(hashSeed) };
    this.#around = { memory, leases: this.leases, changes, counts: this };
  }

  /** In order of creation. */
  caches(): Iterable<NamedCache> {
    return this.#caches.values();
  }

  findCache(name: CacheName): NamedCache | undefined {
    return this.#caches.get(name);
  }

  /** Creates the cache if needed; `undefined` at the limit of caches. */
  cacheFor(name: CacheName): NamedCache | undefined {
    const found = this.#caches.get(name);
    if (found !== undefined || this.#caches.size >= this.limits.caches) return found;
    const made = new NamedCache(name, this.#around);
    this.#caches.set(name, made);
    return made;
  }
}
