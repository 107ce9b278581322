/** A replica's state in figures, for operators. */
import type { Millis } from "@sluice/base/brand";
import type { RaftState } from "./raft-state.ts";
import type { ReplicaStatus } from "./replica-options.ts";
import type { Role } from "./replica-output.ts";
import type { RaftRole } from "./raft-role.ts";
import type { SnapshotSchedule } from "./snapshot-schedule.ts";

export function statusOf(of: {
  readonly ledger: RaftState<unknown>;
  readonly roles: Pick<
    RaftRole<unknown>,
    "leader" | "leadership" | "leaderSilentFor" | "unledFor" | "isRecovering" | "candidacy"
  >;
  readonly snapshots: SnapshotSchedule;
  readonly role: Role;
  readonly now: Millis;
}): ReplicaStatus {
  const { ledger, roles, snapshots, role, now } = of;
  const { leadership } = roles;
  return {
    self: ledger.self,
    role,
    term: ledger.term,
    leader: roles.leader,
    leaderSilentFor: roles.leaderSilentFor(now),
    unledFor: roles.unledFor(now),
    isHandingOver: leadership?.handOver.to !== undefined,
    leadingFor: leadership?.followers.electedFor(now),
    members: ledger.membership.members,
    memberListIndex: ledger.membership.index,
    isMemberListCommitted: ledger.membership.index <= ledger.commit,
    firstIndex: (ledger.log.baseIndex + 1) as ReplicaStatus["firstIndex"],
    lastIndex: ledger.log.lastIndex,
    commit: ledger.commit,
    applied: ledger.commit,
    synced: ledger.disk.synced,
    snapshotIndex: snapshots.index,
    logBytes: ledger.log.byteCount,
    waitingProposals: leadership?.proposals.count ?? 0,
    isLeaseValid: leadership?.isLeaseValid(now) ?? false,
    isRecovering: roles.isRecovering,
    truncatedRecords: ledger.truncatedRecords,
    elections: roles.candidacy.electionCount,
    followers: leadership?.followers.status(now) ?? [],
  };
}
