/** Reports changes of entries to listeners in this process, each at its own pace and within a limit. */
import { latin1 } from "./integer-text.ts";
import type { CacheName, EntryChange, EntryVersion } from "./operation.ts";

export interface ChangeFilter {
  readonly cache?: CacheName;
  /** Only keys with this prefix; `flushed` is reported regardless. */
  readonly prefix?: Uint8Array;
}

/** Changes since it was opened, oldest first. */
export interface ChangeReader extends Disposable {
  take(): EntryChange | undefined;
  /** Too many changes waited, or the state was replaced: read everything again. The call clears it. */
  takeLoss(): boolean;
}

export class ChangeFeed {
  readonly #readers = new Set<Reader>();
  readonly #limit: number;
  /** Callbacks that wait for a write to a key, by cache and key. */
  readonly #waits = new Map<string, Set<() => void>>();
  /** Changes of a batch that may still be undone. */
  #held: EntryChange[] | undefined;

  /** @param limit  waiting changes per reader */
  constructor(limit: number) {
    this.#limit = limit;
  }

  open(filter: ChangeFilter): ChangeReader {
    const reader = new Reader(filter, this.#limit, () => this.#readers.delete(reader));
    this.#readers.add(reader);
    return reader;
  }

  /** Calls `told` whenever the key is written. */
  onSet(cache: CacheName, key: Uint8Array, told: () => void): Disposable {
    const place = placeOf(cache, key);
    const waits = this.#waits.get(place) ?? new Set();
    this.#waits.set(place, waits.add(told));
    return {
      [Symbol.dispose]: () => {
        if (waits.delete(told) && waits.size === 0) this.#waits.delete(place);
      },
    };
  }

  /** Whether there is any listener. */
  get isHeard(): boolean {
    return this.#readers.size > 0 || this.#waits.size > 0;
  }

  /** @param key  a view; copied if somebody listens */
  tell(cache: CacheName, key: Uint8Array, kind: EntryChange["kind"], version: EntryVersion): void {
    if (!this.isHeard) return;
    const change = { cache, key: key.slice(), kind, version };
    if (this.#held === undefined) this.#offer(change);
    else this.#held.push(change);
  }

  /** Holds changes until `release`. */
  hold(): void {
    this.#held = [];
  }

  release(fate: "tell" | "drop"): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    if (fate === "tell") for (const change of held) this.#offer(change);
  }

  /** Everything may have changed. */
  tellLoss(): void {
    for (const reader of this.#readers) reader.lose();
    for (const waits of this.#waits.values()) for (const told of waits) told();
  }

  #offer(change: EntryChange): void {
    for (const reader of this.#readers) reader.offer(change);
    if (this.#waits.size === 0 || change.kind !== "set") return;
    for (const told of this.#waits.get(placeOf(change.cache, change.key)) ?? []) told();
  }
}

const placeOf = (cache: CacheName, key: Uint8Array): string => `${cache}\0${latin1(key)}`;

class Reader implements ChangeReader {
  readonly #filter: ChangeFilter;
  readonly #limit: number;
  readonly #close: () => void;
  #changes: EntryChange[] = [];
  #taken = 0;
  #hasLost = false;

  constructor(filter: ChangeFilter, limit: number, close: () => void) {
    this.#filter = filter;
    this.#limit = limit;
    this.#close = close;
  }

  offer(change: EntryChange): void {
    if (this.#hasLost || !this.#wants(change)) return;
    if (this.#changes.length - this.#taken >= this.#limit) return this.lose();
    this.#changes.push(change);
  }

  lose(): void {
    this.#changes = [];
    this.#taken = 0;
    this.#hasLost = true;
  }

  take(): EntryChange | undefined {
    const change = this.#changes[this.#taken];
    if (change === undefined) return undefined;
    this.#taken++;
    if (this.#taken === this.#changes.length || this.#taken > this.#limit) {
      this.#changes = this.#changes.slice(this.#taken);
      this.#taken = 0;
    }
    return change;
  }

  takeLoss(): boolean {
    const hasLost = this.#hasLost;
    this.#hasLost = false;
    return hasLost;
  }

  [Symbol.dispose](): void {
    this.#close();
  }

  #wants({ cache, key, kind }: EntryChange): boolean {
    const { cache: wanted, prefix } = this.#filter;
    if (wanted !== undefined && wanted !== cache) return false;
    return prefix === undefined || kind === "flushed" || startsWith(key, prefix);
  }
}

export function startsWith(bytes: Uint8Array, prefix: Uint8Array): boolean {
  if (bytes.length < prefix.length) return false;
  for (let i = 0; i < prefix.length; i++) if (bytes[i] !== prefix[i]) return false;
  return true;
}
