/** When this member saves a snapshot of its own, and what of the log may go once it is saved. */
import type { LogIndex } from "../ids.ts";
import type { Ledger } from "./ledger.ts";
import { snapshotMetaOf } from "./shipping.ts";

export class SnapshotKeeper {
  readonly #ledger: Ledger<unknown>;
  #savedIndex: LogIndex;
  #savingIndex: LogIndex | undefined;
  #bytesThen = 0;

  constructor(ledger: Ledger<unknown>) {
    this.#ledger = ledger;
    this.#savedIndex = ledger.commit;
  }

  get index(): LogIndex {
    return this.#savedIndex;
  }

  turn(): void {
    const { commit, limits, outbox, state } = this.#ledger;
    if (this.#savedIndex < this.#ledger.standsOn) this.#savedIndex = this.#ledger.standsOn;
    const isDue = commit - this.#savedIndex >= limits.snapshotAfterRecords || this.#isLogLong();
    if (!isDue || this.#savingIndex !== undefined || commit === this.#savedIndex) return;
    this.#savingIndex = commit;
    this.#bytesThen = this.#ledger.appliedBytes;
    outbox.put({ type: "save-snapshot", meta: snapshotMetaOf(this.#ledger), pieces: state.snapshot() });
  }

  /** A large state is not written again for every few changes. */
  #isLogLong(): boolean {
    const { appliedBytes, limits, state } = this.#ledger;
    const byteCount = appliedBytes - this.#bytesThen;
    if (byteCount < limits.snapshotAfterBytes) return false;
    return byteCount >= Math.min(state.snapshotBytes, limits.logBytes) / 2;
  }

  /** @param keptFrom  what a snapshot on its way still needs; given up when the log grows too large */
  saved(index: LogIndex, keptFrom: LogIndex): void {
    this.#savingIndex = undefined;
    const { log, limits, outbox, standsOn } = this.#ledger;
    if (index <= this.#savedIndex || index < standsOn) return;
    this.#savedIndex = index;
    const isTight = log.byteCount > limits.logBytes / 2;
    const wanted = log.compactionPoint(index, isTight ? 0 : limits.keptBytes);
    this.#ledger.compact((isTight ? wanted : Math.min(wanted, keptFrom)) as LogIndex);
    outbox.put({ type: "compact", upTo: index });
  }
}
