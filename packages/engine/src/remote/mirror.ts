/** This process's copy of a store's entries, kept up to date by one feed and read by all its watchers. */
import { compareEpochs, type Epoch } from "../epoch.ts";
import type { Entry, Key, WatchEvent } from "../engine.ts";
import { ENGINE_LIMITS } from "../limits.ts";
import { QueueIterator } from "../queue-iterator.ts";
import { WatchQueue } from "../watch-queue.ts";
import { plainCopy } from "./plain-copy.ts";

interface Watcher {
  readonly prefix: Key;
  readonly queue: WatchQueue;
  readonly iterator: QueueIterator<WatchEvent>;
  /** Must receive everything anew, from `reset` on, when it next reads. */
  isBehind: boolean;
}

/** A full read in progress: entries found so far, and keys removed since it began. */
interface Reload {
  readonly entries: Map<Key, Entry>;
  readonly removed: Map<Key, Epoch>;
}

const BEFORE_ALL: Epoch = { generation: 0, number: 0 };

export const TOO_MANY_ENTRIES = "The store has more entries than a process may keep; its copy is not trusted";

export class Mirror {
  /** Called when the limit is exceeded, once per full read. */
  onFull: () => void = () => {};
  /** Entries that it may hold. */
  readonly limit: number;
  readonly #watchers = new Set<Watcher>();
  #entries = new Map<Key, Entry>();
  #reload: Reload | undefined;
  #isCurrent = false;
  /** Ignores changes until the next full read. */
  #isFull = false;
  /** Every change up to this one was received. */
  #heard: Epoch = BEFORE_ALL;
  /** The last change made by this process. */
  #made: Epoch = BEFORE_ALL;
  /** New watchers, each with the last change of this process before it opened: it starts once that change was received. */
  readonly #early = new Map<Watcher, Epoch>();

  constructor(limit: number = ENGINE_LIMITS.entries) {
    this.limit = limit;
  }

  /** Whether the copy is complete and receives changes. */
  get isCurrent(): boolean {
    return this.#isCurrent;
  }

  get watcherCount(): number {
    return this.#watchers.size;
  }

  find(key: Key): Entry | undefined {
    return this.#entries.get(key);
  }

  entries(): IterableIterator<Entry> {
    return this.#entries.values();
  }

  /** Continuity is in doubt: the copy may be out of date. */
  doubt(): void {
    this.#reload = undefined;
    if (!this.#isCurrent) return;
    this.#isCurrent = false;
    for (const watcher of this.#watchers) {
      watcher.queue.offer({ type: "stale" });
      watcher.iterator.wake();
    }
  }

  /** This process made a change, whether received here yet or not: watches opened from now on must include it. */
  made(revision: Epoch): void {
    if (compareEpochs(revision, this.#made) > 0) this.#made = revision;
  }

  /** Every change up to this one was received, or is part of the full read in progress. */
  heard(revision: Epoch): void {
    if (compareEpochs(revision, this.#heard) <= 0) return;
    this.#heard = revision;
    for (const [watcher, from] of this.#early) {
      if (compareEpochs(from, revision) > 0) continue;
      this.#early.delete(watcher);
      watcher.iterator.wake();
    }
  }

  /** A full read begins; changes belong to it until `finishReload`. */
  beginReload(): void {
    this.#isFull = false;
    this.#reload = { entries: new Map(), removed: new Map() };
  }

  /** The full read is complete: watchers start over with it. */
  finishReload(): void {
    if (this.#reload === undefined) return;
    this.#entries = this.#reload.entries;
    this.#reload = undefined;
    this.#isCurrent = true;
    for (const watcher of this.#watchers) {
      watcher.isBehind = true;
      watcher.queue.clear();
      watcher.iterator.wake();
    }
  }

  /** Keeps the entry itself; ignores an entry older than the known one. */
  put(entry: Entry): void {
    const entries = this.#reload?.entries ?? this.#entries;
    if (this.#isFull || (entries.size >= this.limit && !entries.has(entry.key))) return this.#fill();
    const known = this.#known(entry.key);
    if (known !== undefined && compareEpochs(known, entry.revision) >= 0) return;
    if (this.#reload === undefined) {
      this.#entries.set(entry.key, entry);
      this.#tell(entry.key, { type: "put", entry });
    } else {
      this.#reload.removed.delete(entry.key);
      this.#reload.entries.set(entry.key, entry);
    }
  }

  remove(key: Key, revision: Epoch): void {
    const known = this.#known(key);
    if (known !== undefined && compareEpochs(known, revision) >= 0) return;
    if (this.#reload === undefined) {
      if (this.#entries.delete(key)) this.#tell(key, { type: "deleted", key, revision });
    } else {
      this.#reload.entries.delete(key);
      this.#reload.removed.set(key, revision);
    }
  }

  /** @param onEnd  called once, when the watch ends */
  watch(prefix: Key, signal: AbortSignal, onEnd: () => void): AsyncIterable<WatchEvent> {
    const queue = new WatchQueue();
    const iterator = new QueueIterator<WatchEvent>({
      take: () => this.#take(watcher),
      signal,
      onEnd: () => {
        queue.clear();
        this.#watchers.delete(watcher);
        this.#early.delete(watcher);
        onEnd();
      },
    });
    const watcher: Watcher = { prefix, queue, iterator, isBehind: true };
    if (signal.aborted) return iterator;
    this.#watchers.add(watcher);
    if (compareEpochs(this.#made, this.#heard) > 0) this.#early.set(watcher, this.#made);
    return iterator;
  }

  #fill(): void {
    if (this.#isFull) return;
    this.#isFull = true;
    this.doubt();
    this.onFull();
  }

  #known(key: Key): Epoch | undefined {
    if (this.#reload === undefined) return this.#entries.get(key)?.revision;
    return this.#reload.entries.get(key)?.revision ?? this.#reload.removed.get(key);
  }

  #tell(key: Key, event: WatchEvent): void {
    for (const watcher of this.#watchers) {
      if (watcher.isBehind || !key.startsWith(watcher.prefix)) continue;
      if (watcher.queue.offer(event) === "overflowed") watcher.isBehind = true;
      watcher.iterator.wake();
    }
  }

  #take(watcher: Watcher): WatchEvent | undefined {
    if (watcher.isBehind && this.#isCurrent && !this.#early.has(watcher)) this.#startOver(watcher);
    const event = watcher.queue.take();
    return event?.type === "put" ? { type: "put", entry: ownCopy(event.entry) } : event;
  }

  #startOver(watcher: Watcher): void {
    const { queue, prefix } = watcher;
    queue.offer({ type: "reset" });
    for (const entry of this.#entries.values()) {
      if (entry.key.startsWith(prefix)) queue.offer({ type: "put", entry });
    }
    queue.offer({ type: "current" });
    watcher.isBehind = false;
  }
}

/** A copy whose value the reader owns. */
export function ownCopy(entry: Entry): Entry {
  return { ...entry, value: plainCopy(entry.value) };
}
