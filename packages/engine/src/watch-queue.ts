/** Events that a watcher has not taken yet: the latest per key, so that a slow watcher costs at most one event per entry. */
import type { Key, WatchEvent } from "./engine.ts";
import { ENGINE_LIMITS } from "./limits.ts";

const RESET = Symbol("reset");
const CURRENT = Symbol("current");
const STALE = Symbol("stale");

export class WatchQueue {
  /** In order of first queueing: a newer event replaces the older one of its key in place, so it still precedes `current`. */
  readonly #pending = new Map<Key | symbol, WatchEvent>();
  readonly #deletionLimit: number;
  #deletions = 0;

  constructor(deletionLimit: number = ENGINE_LIMITS.watchDeletions) {
    this.#deletionLimit = deletionLimit;
  }

  get size(): number {
    return this.#pending.size;
  }

  /**
   * Offer events of one key in the order of their revisions; this is not checked.
   * `overflowed`: too many deletions wait; the queue was cleared, and the caller must report everything again from `reset`
   * on, preferably when the watcher next reads.
   */
  offer(event: WatchEvent): "queued" | "overflowed" {
    switch (event.type) {
      case "stale":
        this.#pending.set(STALE, event);
        return "queued";
      case "reset":
        this.clear();
        this.#pending.set(RESET, event);
        return "queued";
      case "current":
        this.#pending.set(CURRENT, event);
        return "queued";
      case "put":
        return this.#offerOf(event.entry.key, event);
      case "deleted":
        return this.#offerOf(event.key, event);
    }
  }

  /** Removes the oldest; `undefined` when empty. */
  take(): WatchEvent | undefined {
    for (const [key, event] of this.#pending) {
      this.#pending.delete(key);
      if (event.type === "deleted") this.#deletions--;
      return event;
    }
    return undefined;
  }

  clear(): void {
    this.#pending.clear();
    this.#deletions = 0;
  }

  #offerOf(key: Key, event: WatchEvent): "queued" | "overflowed" {
    this.#pending.delete(STALE);
    if (this.#pending.get(key)?.type === "deleted") this.#deletions--;
    this.#pending.set(key, event);
    if (event.type === "deleted") this.#deletions++;
    if (this.#deletions <= this.#deletionLimit) return "queued";
    this.clear();
    return "overflowed";
  }
}
