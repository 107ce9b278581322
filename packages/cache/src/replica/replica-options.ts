/** Options of a replica: identity, stored state, timing, limits. */
import type { Millis } from "@sluice/base/brand";
import type { LogIndex, MemberId, Term } from "../ids.ts";
import type { StateMachine } from "../state-machine.ts";
import type { ReplicaLimits } from "./limits.ts";
import type { LogRecord, SnapshotMeta } from "./log-record.ts";
import type { Incarnation } from "./member-message.ts";
import type { MemberList } from "./members.ts";
import type { AckLevel, HardState, ProposalId, Role } from "./replica-output.ts";
import type { ReplicaTiming } from "./timing.ts";

/** What was read from disk at start; everything `undefined` or empty for a new member. */
export interface StoredState {
  readonly hardState: HardState | undefined;
  readonly snapshot: { readonly meta: SnapshotMeta; readonly pieces: Iterable<Uint8Array> } | undefined;
  /** All records after the snapshot, without gaps; some that it covers may be included. */
  readonly log: readonly LogRecord[];
  /**
   * Whether every record that this member ever counted as held is here. `may-have-lost`: after an unexpected end of the
   * process if `countsWhen` is `received`, of the machine if it is `stored`, never if it is
   * `synced`. Its vote then counts only once it has caught up with a leader, or if all voters vote.
   */
  readonly tail: "complete" | "may-have-lost";
}

export const NOTHING_STORED: StoredState = { hardState: undefined, snapshot: undefined, log: [], tail: "complete" };

export type CountsWhen = "received" | "stored" | "synced";

export interface ReplicaOptions<Answer> {
  readonly self: MemberId;
  /**
   * The founding members, equal on all of them; empty for a member that will be added to an existing cluster.
   * Used only while nothing newer is stored.
   */
  readonly founders: MemberList;
  readonly stored: StoredState;
  /** Empty: the replica fills it. */
  readonly state: StateMachine<Answer>;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Random; different for every start. */
  readonly incarnation: Incarnation;
  /**
   * When a record counts as held by this member; equal on all members. `received`: when it is in memory; records held by a
   * majority survive the loss of any minority. `stored`: when `stored` was called for the output that wrote it;
   * if that means handed to the operating system, acknowledged records survive the kill of any number of processes.
   * `synced`: all stores are syncs, and acknowledged records survive a loss of power on all machines.
   */
  readonly countsWhen: CountsWhen;
  readonly now: Millis;
  readonly timing?: Partial<ReplicaTiming>;
  readonly limits?: Partial<ReplicaLimits>;
}

export interface ProposeOptions {
  readonly ackLevel: AckLevel;
}

export type Refusal =
  | { readonly refused: "not-leader"; readonly leader: MemberId | undefined }
  /** Too many proposals are waiting, or the log is full until a snapshot is saved: try again later. */
  | { readonly refused: "overloaded" }
  | { readonly refused: "too-large"; readonly limit: number }
  /** This leader is handing over to `leader`. */
  | { readonly refused: "switching-over"; readonly leader: MemberId };

export type ProposeResult = ProposalId | Refusal;

/** `granted`: read now. A token: wait for it in a `reads` output. */
export type ReadResult = "granted" | ProposalId | Refusal;

export type ChangeResult =
  | { readonly token: ProposalId }
  | Refusal
  /** Another change is not committed yet, or this leader has committed nothing in its own term yet: try again soon. */
  | { readonly refused: "busy" }
  /** The learner lacks too much of the log: try again later. */
  | { readonly refused: "not-caught-up"; readonly held: LogIndex; readonly wanted: LogIndex }
  /** Removing the leader (switch over first), the last voter or an unknown member; promoting a voter; exceeding a limit. */
  | { readonly refused: "not-possible"; readonly reason: string };

export type SwitchOverResult = "started" | Refusal | { readonly refused: "not-possible"; readonly reason: string };

export interface FollowerStatus {
  readonly id: MemberId;
  readonly held: LogIndex;
  readonly synced: LogIndex;
  /** Time since the send of the latest message that it confirmed; `undefined` before any. */
  readonly silentFor: Millis | undefined;
  readonly isGettingSnapshot: boolean;
}

export interface ReplicaStatus {
  readonly self: MemberId;
  readonly role: Role;
  readonly term: Term;
  readonly leader: MemberId | undefined;
  /** Age of a follower's data, besides the transmission time; `undefined` on the leader, and without one. */
  readonly leaderSilentFor: Millis | undefined;
  /**
   * Time since the last proof here that a leader exists: a leader's message, or, when this member led, a confirmation by a
   * majority. Since its start if there was none.
   */
  readonly unledFor: Millis;
  /** This leader is handing over to another member. */
  readonly isHandingOver: boolean;
  /** Time since its election, on the leader. */
  readonly leadingFor: Millis | undefined;
  /** The list in force, by which votes and commits are counted. */
  readonly members: MemberList;
  /** Index of the record with the list; 0 for the founders. */
  readonly memberListIndex: LogIndex;
  /**
   * A majority is known here to have that list. Until then the loss of one member may undo the change, and may leave the
   * others unable to elect: do not remove any voter of the previous list for good.
   */
  readonly isMemberListCommitted: boolean;
  readonly firstIndex: LogIndex;
  readonly lastIndex: LogIndex;
  readonly commit: LogIndex;
  readonly applied: LogIndex;
  readonly synced: LogIndex;
  readonly snapshotIndex: LogIndex;
  readonly logBytes: number;
  readonly waitingProposals: number;
  /** The leader may answer reads without a round to a majority. */
  readonly isLeaseValid: boolean;
  /** Does not vote yet: it may have lost records before its start. */
  readonly isRecovering: boolean;
  /** Uncommitted records removed since the start because another leader's log differed. */
  readonly truncatedRecords: number;
  readonly elections: number;
  readonly followers: readonly FollowerStatus[];
}
