/** What a member adds to INFO: its place in the cluster, and its log. */
import type { ReplicaStatus } from "@sluice/cache/replica/replica-options";

export type InfoLines = readonly (readonly [string, string | number])[];

export interface InfoFacts {
  readonly status: ReplicaStatus;
  /** Messages to members that had no connection to go out on. */
  readonly droppedMessages: number;
}

/** @param section  as INFO writes it */
export function infoLinesOf(section: string, { status, droppedMessages }: InfoFacts): InfoLines {
  if (section === "Cluster") return clusterLines(status, droppedMessages);
  return section === "Persistence" ? logLines(status) : [];
}

function clusterLines(status: ReplicaStatus, droppedMessages: number): InfoLines {
  const namesOf = (role: "voter" | "learner"): string =>
    status.members.flatMap((member) => (member.role === role ? [member.id] : [])).join(",");
  return [
    ["sluice_cluster_role", status.role],
    ["sluice_cluster_term", status.term],
    ["sluice_cluster_leader", status.leader ?? ""],
    ["sluice_commit_index", status.commit],
    ["sluice_voters", namesOf("voter")],
    ["sluice_learners", namesOf("learner")],
    ["sluice_elections", status.elections],
    ["sluice_truncated_records", status.truncatedRecords],
    ["sluice_dropped_messages", droppedMessages],
    ["sluice_recovering", status.isRecovering ? 1 : 0],
  ];
}

function logLines(status: ReplicaStatus): InfoLines {
  return [
    ["sluice_log_first_index", status.firstIndex],
    ["sluice_log_last_index", status.lastIndex],
    ["sluice_log_synced_index", status.synced],
    ["sluice_log_bytes", status.logBytes],
    ["sluice_snapshot_index", status.snapshotIndex],
  ];
}
