/** What a watcher has not taken yet: the latest event per key, so that a slow one costs no more than what stands. */
import type { Key, WatchEvent } from "./engine.ts";
import { ENGINE_LIMITS } from "./limits.ts";

const RESET = Symbol("reset");
const CURRENT = Symbol("current");
const STALE = Symbol("stale");

export class WatchQueue {
  /** In order of first queueing: a newer event of a key takes its older one's place, so it still precedes `current`. */
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
   * Events of one key must be offered in the order of their revisions; one that is out of place is not noticed here.
   * `overflowed`: too many deletions wait; all is dropped, and the caller must tell it again from `reset` on, best when
   * the watcher next asks.
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
