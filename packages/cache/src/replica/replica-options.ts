/** What a replica is made of: who it is, what it kept, how long it waits, what it may hold. */
import type { Millis } from "@sluice/base/brand";
import type { LogIndex, MemberId, Term } from "../ids.ts";
import type { StateMachine } from "../state-machine.ts";
import type { ReplicaLimits } from "./limits.ts";
import type { LogRecord, SnapshotMeta } from "./log-record.ts";
import type { Incarnation } from "./member-message.ts";
import type { MemberList } from "./members.ts";
import type { AckLevel, HardState, ProposalId, Role } from "./replica-output.ts";
import type { ReplicaTiming } from "./timing.ts";

/** What the disk gave back at start; everything `undefined` or empty for a new member. */
export interface StoredState {
  readonly hardState: HardState | undefined;
  readonly snapshot: { readonly meta: SnapshotMeta; readonly pieces: Iterable<Uint8Array> } | undefined;
  /** All records behind the snapshot, without holes; those that it already covers may be among them. */
  readonly log: readonly LogRecord[];
  /**
   * Whether every record that this member ever counted as held is here. `may-have-lost` after the process ended
   * without warning where `countsWhen` was `received`, after the machine did where it was `stored`, never where it was
   * `synced`: then its vote counts only once it has caught up with a leader, or where all voters vote.
   */
  readonly tail: "complete" | "may-have-lost";
}

export const NOTHING_STORED: StoredState = { hardState: undefined, snapshot: undefined, log: [], tail: "complete" };

export type CountsWhen = "received" | "stored" | "synced";

export interface ReplicaOptions<Answer> {
  readonly self: MemberId;
  /**
   * The members at the founding, the same on all of them; empty for one who will be added to a cluster that is there.
   * Used only while nothing newer is stored.
   */
  readonly founders: MemberList;
  readonly stored: StoredState;
  /** Fresh: the replica fills it. */
  readonly state: StateMachine<Answer>;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Random; another for every start. */
  readonly incarnation: Incarnation;
  /**
   * When a record counts as held by this member; the same on all members. `received`: when it is in memory; what a
   * majority held survives the loss of any minority. `stored`: when `stored` was called for the output that wrote it;
   * where that means handed to the operating system, nothing acknowledged is lost however many processes are killed.
   * `synced`: all stores are syncs, and nothing acknowledged is lost when all lose power.
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
  /** Too many proposals wait, or the log is full until a snapshot is saved: try again later. */
  | { readonly refused: "overloaded" }
  | { readonly refused: "too-large"; readonly limit: number }
  /** This leader is handing over; `leader` is who comes next. */
  | { readonly refused: "switching-over"; readonly leader: MemberId };

export type ProposeResult = ProposalId | Refusal;

/** `granted`: read now. A token: wait for it in a `reads` output. */
export type ReadResult = "granted" | ProposalId | Refusal;

export type ChangeResult =
  | { readonly token: ProposalId }
  | Refusal
  /** Another change is not committed yet, or this leader has committed nothing of its own term yet: try again soon. */
  | { readonly refused: "busy" }
  /** The learner lacks too much of the log: try again later. */
  | { readonly refused: "not-caught-up"; readonly held: LogIndex; readonly wanted: LogIndex }
  /** `remove` of the leader (switch over first), of the last voter, of nobody; `promote` of no learner; over a limit. */
  | { readonly refused: "not-possible"; readonly reason: string };

export type SwitchOverResult = "started" | Refusal | { readonly refused: "not-possible"; readonly reason: string };

export interface FollowerStatus {
  readonly id: MemberId;
  readonly held: LogIndex;
  readonly synced: LogIndex;
  /** Since the send of the latest message that it confirmed; `undefined` before any. */
  readonly silentFor: Millis | undefined;
  readonly isGettingSnapshot: boolean;
}

export interface ReplicaStatus {
  readonly self: MemberId;
  readonly role: Role;
  readonly term: Term;
  readonly leader: MemberId | undefined;
  /** How old what a follower shows may be, besides a message's way; `undefined` on the leader, and without one. */
  readonly leaderSilentFor: Millis | undefined;
  /**
   * How long ago there was proof here that somebody leads: a leader's message, a majority's confirmation of this member
   * when it led. Since its start where there was none.
   */
  readonly unledFor: Millis;
  /** This leader is giving its place to another. */
  readonly isHandingOver: boolean;
  /** Since its election, on the leader. */
  readonly leadingFor: Millis | undefined;
  /** The newest list, by which votes and commits are counted. */
  readonly members: MemberList;
  /** Of the record that holds it; 0 for the founders. */
  readonly memberListIndex: LogIndex;
  /**
   * A majority is known here to have that list. Until then the end of one member may take it back, and may leave the
   * others unable to elect: nobody may be stopped for good who votes in the list before it.
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
  /** The leader may answer now without asking anybody. */
  readonly isLeaseValid: boolean;
  /** Does not vote yet: it may have lost records at its start. */
  readonly isRecovering: boolean;
  /** Uncommitted records taken back since the start because another leader's log differed. */
  readonly truncatedRecords: number;
  readonly elections: number;
  readonly followers: readonly FollowerStatus[];
}
