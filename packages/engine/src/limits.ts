/** What callers may ask of an engine, and what one may hold for a reader that does not keep up. */
import type { Millis } from "@sluice/base/brand";

/** Inclusive at both ends. */
export interface TtlRange {
  readonly min: Millis;
  readonly max: Millis;
}

export interface EngineLimits {
  /** UTF-8 bytes of a key, a watched prefix, a subject or the name of a log. */
  readonly keyBytes: number;
  /** Bytes of a value, a message or a log record; an engine may state less in its capabilities. */
  readonly valueBytes: number;
  /** Entries that one process keeps a copy of; with one more it knows nothing for sure, and its watchers are stale. */
  readonly entries: number;
  /** Times to live that a lease may have. Shorter ones would end by a busy event loop, longer ones would outlive care. */
  readonly leaseTtl: TtlRange;
  /** Records that one read of a log gives. */
  readonly logReadRecords: number;
  /** Bytes of those records together; the first is given whatever its size. */
  readonly logReadBytes: number;
  /** Watches and subscriptions open at once on one engine. */
  readonly readers: number;
  /** Deletions kept for a watcher that does not ask; one more and it starts over with a `reset`. */
  readonly watchDeletions: number;
  /** Messages kept for a subscriber that does not ask; further ones are dropped. */
  readonly subscriberMessages: number;
  /** Bytes of those messages together. */
  readonly subscriberBytes: number;
  /** Leases that one engine holds at once: one per node is the rule, so this catches a leak. */
  readonly leases: number;
}

export const ENGINE_LIMITS: EngineLimits = {
  keyBytes: 1024,
  valueBytes: 512 * 1024,
  entries: 1_000_000,
  leaseTtl: { min: 500 as Millis, max: 3_600_000 as Millis },
  logReadRecords: 256,
  logReadBytes: 4 * 1024 * 1024,
  readers: 4096,
  watchDeletions: 16_384,
  subscriberMessages: 4096,
  subscriberBytes: 16 * 1024 * 1024,
  leases: 1024,
};
