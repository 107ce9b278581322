/** Metrics of a cache node. */
import type { Gauge, Meter } from "@sluice/base/meter";
import type { ReplicaStatus } from "@sluice/cache/replica/replica-options";
import type { CacheState } from "@sluice/cache/state/cache-state";

export class NodeMetrics {
  readonly #term: Gauge;
  readonly #isLeader: Gauge;
  readonly #commitIndex: Gauge;
  readonly #logBytes: Gauge;
  readonly #truncatedRecords: Gauge;
  readonly #elections: Gauge;
  readonly #waitingProposals: Gauge;
  readonly #voters: Gauge;
  readonly #learners: Gauge;
  readonly #snapshotIndex: Gauge;
  readonly #heldBytes: Gauge;

  constructor(meter: Meter) {
    this.#term = meter.gauge("cache_term", "Term of this member");
    this.#isLeader = meter.gauge("cache_is_leader", "1 while this member leads");
    this.#commitIndex = meter.gauge("cache_commit_index", "Index of the last committed record known to this member");
    this.#logBytes = meter.gauge("cache_log_bytes", "Bytes of records in memory");
    this.#truncatedRecords = meter.gauge(
      "cache_truncated_records",
      "Uncommitted records removed because another leader's log differed",
    );
    this.#elections = meter.gauge("cache_elections", "Elections that this member started");
    this.#waitingProposals = meter.gauge("cache_waiting_proposals", "Writes not acknowledged yet");
    this.#voters = meter.gauge("cache_voters", "Voting members");
    this.#learners = meter.gauge("cache_learners", "Members without a vote");
    this.#snapshotIndex = meter.gauge("cache_snapshot_index", "Index of the last saved snapshot");
    this.#heldBytes = meter.gauge("cache_held_bytes", "Bytes of all buffers that hold keys and values");
  }

  update(status: ReplicaStatus, state: CacheState): void {
    const voters = status.members.filter((member) => member.role === "voter").length;
    this.#term.set(status.term);
    this.#isLeader.set(status.role === "leader" ? 1 : 0);
    this.#commitIndex.set(status.commit);
    this.#logBytes.set(status.logBytes);
    this.#truncatedRecords.set(status.truncatedRecords);
    this.#elections.set(status.elections);
    this.#waitingProposals.set(status.waitingProposals);
    this.#voters.set(voters);
    this.#learners.set(status.members.length - voters);
    this.#snapshotIndex.set(status.snapshotIndex);
    this.#heldBytes.set(state.heldBytes);
  }
}
