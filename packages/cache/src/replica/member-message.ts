/** Messages between members. Every message carries its sender's term. */
import type { Brand, Millis } from "@sluice/base/brand";
import type { LogIndex, Term } from "../ids.ts";
import type { LogRecord, SnapshotMeta } from "./log-record.ts";

/** Raised when members of this version could misread another's bytes; compared in the transport's hello. */
export const MEMBER_PROTOCOL_VERSION = 1;

/** One life of a member's process, chosen at random at its start; 0 to 2³² − 1. */
export type Incarnation = Brand<number, "Incarnation">;

export type MemberMessage =
  | VoteRequest
  | VoteReply
  | Append
  | AppendReply
  | SnapshotPart
  | SnapshotReply
  | TakeOver
  | Removed;

export interface VoteRequest {
  readonly type: "vote-request";
  /** The term in which the sender would lead; for `ask` its own term is one lower. */
  readonly term: Term;
  /** `ask` (the pre-vote) changes nothing anywhere; it comes first, so that a member that is cut off does not raise terms. */
  readonly stage: "ask" | "vote";
  readonly lastIndex: LogIndex;
  readonly lastTerm: Term;
  /** The leader asked the sender to take over: a voter must not refuse because it hears a leader. */
  readonly isTakeOver: boolean;
}

export interface VoteReply {
  readonly type: "vote-reply";
  /** The voter's own; for a granted `ask` the requested term. */
  readonly term: Term;
  readonly stage: "ask" | "vote";
  readonly isGranted: boolean;
  /** The voter may have lost confirmed records before its start: its grant counts only if all members grant. */
  readonly isRecovering: boolean;
}

export interface Append {
  readonly type: "append";
  readonly term: Term;
  /** Increases with every message of this leader to any member. */
  readonly round: number;
  /** The leader's monotonic clock; the leader compares it only with itself, when the reply returns it. */
  readonly sentAt: Millis;
  /** Of the record before the first of `records`. */
  readonly previousIndex: LogIndex;
  readonly previousTerm: Term;
  readonly commit: LogIndex;
  /** Last index of the leader's log when it sent this. */
  readonly lastIndex: LogIndex;
  /** Somebody waits for a sync to disk up to here. */
  readonly syncTo: LogIndex;
  readonly records: readonly LogRecord[];
}

export interface AppendReply {
  readonly type: "append-reply";
  readonly term: Term;
  /** Of the latest append that this answers. */
  readonly round: number;
  readonly sentAt: Millis;
  /** False when the record before the appended ones is missing or different. */
  readonly isMatch: boolean;
  /** Up to here the follower's log equals the leader's and counts for commits. */
  readonly held: LogIndex;
  /** Up to here it is synced to disk. */
  readonly synced: LogIndex;
  /** If not matching: the leader may try again after this index. */
  readonly tryAfter: LogIndex;
  readonly incarnation: Incarnation;
}

export interface SnapshotPart {
  readonly type: "snapshot-part";
  readonly term: Term;
  readonly round: number;
  readonly sentAt: Millis;
  /** Distinguishes transfers of one leader. */
  readonly transfer: number;
  readonly meta: SnapshotMeta;
  /** From 0. */
  readonly part: number;
  readonly isLast: boolean;
  /** Whole pieces of the state's snapshot, in order. */
  readonly pieces: readonly Uint8Array[];
}

export interface SnapshotReply {
  readonly type: "snapshot-reply";
  readonly term: Term;
  readonly sentAt: Millis;
  readonly transfer: number;
  /** The part that the follower wants next. */
  readonly nextPart: number;
  /** `installed`: on disk, at the snapshot's index. `refused`: the follower could not use it. */
  readonly outcome: "more" | "installed" | "refused";
  readonly incarnation: Incarnation;
}

/** From the leader to a follower that holds its whole log: campaign now. */
export interface TakeOver {
  readonly type: "take-over";
  readonly term: Term;
}

/** To a removed member that asks for votes. */
export interface Removed {
  readonly type: "removed";
  readonly term: Term;
}
