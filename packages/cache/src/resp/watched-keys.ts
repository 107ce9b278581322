/** What a client's WATCH saw, by which the next transaction tells that nobody changed it since. */
import type { CacheState } from "../state/cache-state.ts";
import type { WatchedEntry } from "../state/operation.ts";

/** An entry that is there has a version; of a key where none was, only those who wait hear that one came and went. */
export class WatchedKeys {
  #entries: WatchedEntry[] = [];
  readonly #waits: Disposable[] = [];
  #isTouched = false;

  get entries(): readonly WatchedEntry[] {
    return this.#entries;
  }

  /** Something was written where nothing was. */
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
