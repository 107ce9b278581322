/** What WATCH saw of the keys, to tell whether they changed before the transaction. */
import type { CacheState } from "../state/cache-state.ts";
import type { WatchedEntry } from "../state/operation.ts";

/** An existing entry has a version; for a missing key, only a listener notices that an entry came and went. */
export class WatchedKeys {
  #entries: WatchedEntry[] = [];
  readonly #waits: Disposable[] = [];
  #isTouched = false;

  get entries(): readonly WatchedEntry[] {
    return this.#entries;
  }

  /** An entry was written at a key that had none. */
  get isTouched(): boolean {
    return this.#isTouched;
  }

  get byteCount(): number {
    return this.#entries.reduce((sum, { key }) => sum + key.length, 0);
  }

  add(entries: readonly WatchedEntry[], state: Pick<CacheState, "onSet">): void {
    for (const { cache, key, version } of entries) {
      if (version !== 0) continue;
      this.#waits.push(
        state.onSet(cache, key, () => {
          this.#isTouched = true;
        }),
      );
    }
    this.#entries.push(...entries);
  }

  clear(): void {
    for (const wait of this.#waits.splice(0)) wait[Symbol.dispose]();
    this.#entries = [];
    this.#isTouched = false;
  }
}
