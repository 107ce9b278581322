/** Limits of arguments to an engine, and of what it holds for a slow reader. */
import type { Millis } from "@sluice/base/brand";

/** Inclusive at both ends. */
export interface TtlRange {
  readonly min: Millis;
  readonly max: Millis;
}

export interface EngineLimits {
  /** UTF-8 bytes of a key, a watched prefix, a subject or the name of a log. */
  readonly keyBytes: number;
  /** Bytes of a value, a message or a log record; an engine may declare a lower limit in its capabilities. */
  readonly valueBytes: number;
  /** Entries that one process keeps a copy of; beyond it the copy is not trusted, and its watchers are stale. */
  readonly entries: number;
  /** Allowed time to live of a lease. A shorter one would expire when the event loop is busy, a longer one serves no purpose. */
  readonly leaseTtl: TtlRange;
  /** Records that one read of a log returns. */
  readonly logReadRecords: number;
  /** Bytes of those records together; the first record is returned whatever its size. */
  readonly logReadBytes: number;
  /** Watches and subscriptions open at once on one engine. */
  readonly readers: number;
  /** Deletions kept for a watcher that does not read; beyond it the watcher starts over with a `reset`. */
  readonly watchDeletions: number;
  /** Messages kept for a subscriber that does not read; further ones are dropped. */
  readonly subscriberMessages: number;
  /** Bytes of those messages together. */
  readonly subscriberBytes: number;
  /** Leases that one engine holds; one per node is normal, so this detects a leak. */
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
