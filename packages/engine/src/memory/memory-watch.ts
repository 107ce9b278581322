/** One watch of a memory engine: follows the store, and starts over after a gap. */
import type { Entry, Key, WatchEvent } from "../engine.ts";
import type { Epoch } from "../epoch.ts";
import { QueueIterator } from "../queue-iterator.ts";
import { WatchQueue } from "../watch-queue.ts";
import type { MemoryLink } from "./memory-link.ts";
import type { MemoryStore } from "./memory-store.ts";

export interface MemoryWatchOptions {
  readonly store: MemoryStore;
  readonly link: MemoryLink;
  readonly prefix: Key;
  readonly signal: AbortSignal;
  readonly onEnd: () => void;
}

export class MemoryWatch {
  readonly events: QueueIterator<WatchEvent>;
  readonly #options: MemoryWatchOptions;
  readonly #queue = new WatchQueue();
  /** Everything must be reported anew; deferred until the watcher reads, so that an idle watcher costs nothing. */
  #isBehind = true;

  constructor(options: MemoryWatchOptions) {
    this.#options = options;
    this.events = new QueueIterator({ take: () => this.#take(), signal: options.signal, onEnd: options.onEnd });
  }

  onPut(entry: Entry): void {
    if (entry.key.startsWith(this.#options.prefix)) this.#follow({ type: "put", entry });
  }

  onDeleted(key: Key, revision: Epoch): void {
    if (key.startsWith(this.#options.prefix)) this.#follow({ type: "deleted", key, revision });
  }

  /** The link is cut: events are missed from here on. */
  onCut(): void {
    this.#queue.offer({ type: "stale" });
    this.events.wake();
  }

  /** Events were missed, or all entries were deleted. */
  startOver(): void {
    this.#isBehind = true;
    this.events.wake();
  }

  #follow(event: WatchEvent): void {
    if (this.#isBehind || this.#options.link.isCut) return;
    this.#isBehind = this.#queue.offer(event) === "overflowed";
    this.events.wake();
  }

  #take(): WatchEvent | undefined {
    if (this.#isBehind && !this.#options.link.isCut) this.#tellAll();
    const event = this.#queue.take();
    return event?.type === "put" ? { type: "put", entry: copyOf(event.entry) } : event;
  }

  #tellAll(): void {
    this.#isBehind = false;
    this.#queue.offer({ type: "reset" });
    for (const entry of this.#options.store.under(this.#options.prefix)) this.#queue.offer({ type: "put", entry });
    this.#queue.offer({ type: "current" });
  }
}

export function copyOf(entry: Entry): Entry {
  return { ...entry, value: entry.value.slice() };
}
