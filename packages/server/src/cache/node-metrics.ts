/** A cache node's figures for operators. */
import type { Gauge, Meter } from "@sluice/base/meter";
import type { ReplicaStatus } from "@sluice/cache/replica/replica-options";
import type { CacheState } from "@sluice/cache/state/cache-state";

export class NodeMetrics {
  readonly #gauges: ReadonlyMap<string, Gauge>;

  constructor(meter: Meter) {
    const names: readonly (readonly [string, string])[] = [
      ["cache_term", "Term of this member"],
      ["cache_is_leader", "1 while this member leads"],
      ["cache_commit_index", "Index of the last committed record that this member knows of"],
      ["cache_log_bytes", "Bytes of records in memory"],
      ["cache_truncated_records", "Uncommitted records taken back because another leader's log differed"],
      ["cache_elections", "Elections that this member started"],
      ["cache_waiting_proposals", "Writes that wait for their acknowledgement"],
      ["cache_voters", "Voting members"],
      ["cache_learners", "Members without a vote"],
      ["cache_snapshot_index", "Index of the last saved snapshot"],
      ["cache_held_bytes", "Bytes of all buffers that hold keys and values"],
    ];
    this.#gauges = new Map(names.map(([name, help]) => [name, meter.gauge(name, help)]));
  }

  update(status: ReplicaStatus, state: CacheState): void {
    const voters = status.members.filter((member) => member.role === "voter").length;
    const values: Readonly<Record<string, number>> = {
      cache_term: status.term,
      cache_is_leader: status.role === "leader" ? 1 : 0,
      cache_commit_index: status.commit,
      cache_log_bytes: status.logBytes,
      cache_truncated_records: status.truncatedRecords,
      cache_elections: status.elections,
      cache_waiting_proposals: status.waitingProposals,
      cache_voters: voters,
      cache_learners: status.members.length - voters,
      cache_snapshot_index: status.snapshotIndex,
      cache_held_bytes: state.heldBytes,
    };
    for (const [name, gauge] of this.#gauges) gauge.set(values[name] as number);
  }
}
