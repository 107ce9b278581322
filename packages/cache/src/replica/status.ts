/** Status of a replica, for operators. */
import type { Millis } from "@sluice/base/brand";
import type { RaftState } from "./raft-state.ts";
import type { ReplicaStatus } from "./replica-options.ts";
import type { Role } from "./replica-output.ts";
import type { RaftRole } from "./raft-role.ts";
import type { SnapshotSchedule } from "./snapshot-schedule.ts";

export function statusOf(of: {
  readonly raft: RaftState<unknown>;
  readonly roles: Pick<
    RaftRole<unknown>,
    "leader" | "asLeader" | "leaderSilentFor" | "unledFor" | "isRecovering" | "candidate"
  >;
  readonly snapshots: SnapshotSchedule;
  readonly role: Role;
  readonly now: Millis;
}): ReplicaStatus {
  const { raft, roles, snapshots, role, now } = of;
  const { asLeader } = roles;
  return {
    self: raft.self,
    role,
    term: raft.term,
    leader: roles.leader,
    leaderSilentFor: roles.leaderSilentFor(now),
    unledFor: roles.unledFor(now),
    isHandingOver: asLeader?.handOver.to !== undefined,
    leadingFor: asLeader?.followers.electedFor(now),
    members: raft.membership.members,
    memberListIndex: raft.membership.index,
    isMemberListCommitted: raft.membership.index <= raft.commit,
    firstIndex: (raft.log.baseIndex + 1) as ReplicaStatus["firstIndex"],
    lastIndex: raft.log.lastIndex,
    commit: raft.commit,
    applied: raft.commit,
    synced: raft.disk.synced,
    snapshotIndex: snapshots.index,
    logBytes: raft.log.byteCount,
    waitingProposals: asLeader?.proposals.count ?? 0,
    isLeaseValid: asLeader?.isLeaseValid(now) ?? false,
    isRecovering: roles.isRecovering,
    truncatedRecords: raft.truncatedRecords,
    elections: roles.candidate.electionCount,
    followers: asLeader?.followers.status(now) ?? [],
  };
}
