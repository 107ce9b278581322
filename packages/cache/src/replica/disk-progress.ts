/** Tracks which part of the log is written and which is synced: the outputs in progress to the disk. */
import type { LogIndex } from "../ids.ts";
import type { WriteId } from "./replica-output.ts";

interface PendingStore {
  readonly token: WriteId;
  upTo: LogIndex;
  readonly isSync: boolean;
}

export class DiskProgress {
  readonly #pending: PendingStore[] = [];
  #lastToken = 0 as WriteId;
  #doneToken = 0 as WriteId;
  #stored: LogIndex;
  #synced: LogIndex;
  #syncAsked: LogIndex;

  /** @param index  of the last record read from disk */
  constructor(index: LogIndex) {
    this.#stored = index;
    this.#synced = index;
    this.#syncAsked = index;
  }

  get stored(): LogIndex {
    return this.#stored;
  }

  get synced(): LogIndex {
    return this.#synced;
  }

  /** Up to here a sync is done or in progress. */
  get syncAsked(): LogIndex {
    return this.#syncAsked;
  }

  isDone(token: WriteId): boolean {
    return token <= this.#doneToken;
  }

  begin(upTo: LogIndex, isSync: boolean): WriteId {
    this.#lastToken = (this.#lastToken + 1) as WriteId;
    this.#pending.push({ token: this.#lastToken, upTo, isSync });
    if (isSync) this.#syncAsked = upTo;
    return this.#lastToken;
  }

  done(token: WriteId): void {
    if (token > this.#doneToken) this.#doneToken = token;
    for (let store = this.#pending[0]; store !== undefined && store.token <= token; store = this.#pending[0]) {
      this.#pending.shift();
      if (store.upTo > this.#stored) this.#stored = store.upTo;
      if (store.isSync && store.upTo > this.#synced) this.#synced = store.upTo;
    }
  }

  /** Stores in progress for records from `index` on do not count for the records that replace them. */
  truncateFrom(index: LogIndex): void {
    const last = (index - 1) as LogIndex;
    for (const store of this.#pending) if (store.upTo > last) store.upTo = last;
    if (this.#stored > last) this.#stored = last;
    if (this.#synced > last) this.#synced = last;
    if (this.#syncAsked > last) this.#syncAsked = last;
  }

  /** A snapshot replaces all records: nothing counts after it until its own token is done. */
  reset(): void {
    this.#stored = 0 as LogIndex;
    this.#synced = 0 as LogIndex;
    this.#syncAsked = 0 as LogIndex;
    for (const store of this.#pending) store.upTo = 0 as LogIndex;
  }
}
