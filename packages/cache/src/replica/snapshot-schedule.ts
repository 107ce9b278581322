/** Decides when this member saves a snapshot, and which part of the log may be dropped afterwards. */
import type { LogIndex } from "../ids.ts";
import type { RaftState } from "./raft-state.ts";
import { snapshotMetaOf } from "./log-replicator.ts";

export class SnapshotSchedule {
  readonly #raft: RaftState<unknown>;
  #savedIndex: LogIndex;
  #savingIndex: LogIndex | undefined;
  #bytesThen = 0;

  constructor(raft: RaftState<unknown>) {
    this.#raft = raft;
    this.#savedIndex = raft.commit;
  }

  get index(): LogIndex {
    return this.#savedIndex;
  }

  turn(): void {
    const { commit, limits, outbox, state } = this.#raft;
    if (this.#savedIndex < this.#raft.standsOn) this.#savedIndex = this.#raft.standsOn;
    const isDue = commit - this.#savedIndex >= limits.snapshotAfterRecords || this.#isLogLong();
    if (!isDue || this.#savingIndex !== undefined || commit === this.#savedIndex) return;
    this.#savingIndex = commit;
    this.#bytesThen = this.#raft.appliedBytes;
    outbox.put({ type: "save-snapshot", meta: snapshotMetaOf(this.#raft), pieces: state.snapshot() });
  }

  /** A large state is not saved again after a few changes. */
  #isLogLong(): boolean {
    const { appliedBytes, limits, state } = this.#raft;
    const byteCount = appliedBytes - this.#bytesThen;
    if (byteCount < limits.snapshotAfterBytes) return false;
    return byteCount >= Math.min(state.snapshotBytes, limits.logBytes) / 2;
  }

  /** @param keptFrom  first index that a snapshot transfer still needs; ignored when the log grows too large */
  saved(index: LogIndex, keptFrom: LogIndex): void {
    this.#savingIndex = undefined;
    const { log, limits, outbox, standsOn } = this.#raft;
    if (index <= this.#savedIndex || index < standsOn) return;
    this.#savedIndex = index;
    const isTight = log.byteCount > limits.logBytes / 2;
    const wanted = log.compactionPoint(index, isTight ? 0 : limits.keptBytes);
    this.#raft.compact((isTight ? wanted : Math.min(wanted, keptFrom)) as LogIndex);
    outbox.put({ type: "compact", upTo: index });
  }
}
