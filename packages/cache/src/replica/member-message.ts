/** What members say to each other. Every message carries its sender's term. */
import type { Brand, Millis } from "@sluice/base/brand";
import type { LogIndex, Term } from "../ids.ts";
import type { LogRecord, SnapshotMeta } from "./log-record.ts";

/** Raised when members of this version could misread another's bytes; the transport's hello compares it. */
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
  /** The term that the sender would lead; its own is one lower while it only asks. */
  readonly term: Term;
  /** `ask` changes nothing anywhere; `ask` comes first, so that who is cut off raises no terms. */
  readonly stage: "ask" | "vote";
  readonly lastIndex: LogIndex;
  readonly lastTerm: Term;
  /** The leader itself asked the sender to take over: that the voter hears a leader is no reason to refuse. */
  readonly isTakeOver: boolean;
}

export interface VoteReply {
  readonly type: "vote-reply";
  /** The voter's own; for a granted `ask` the term that was asked for. */
  readonly term: Term;
  readonly stage: "ask" | "vote";
  readonly isGranted: boolean;
  /** The voter may have lost records that it confirmed before its start: its grant counts only where all grant. */
  readonly isRecovering: boolean;
}

export interface Append {
  readonly type: "append";
  readonly term: Term;
  /** Rises with every message of this leader to anyone. */
  readonly round: number;
  /** The leader's monotonic clock; only ever compared with itself, after the reply brought it back. */
  readonly sentAt: Millis;
  /** Of the record before the first of `records`. */
  readonly previousIndex: LogIndex;
  readonly previousTerm: Term;
  readonly commit: LogIndex;
  /** Of the leader's log when it sent this. */
  readonly lastIndex: LogIndex;
  /** Somebody waits until everything up to here is synced to disk. */
  readonly syncTo: LogIndex;
  readonly records: readonly LogRecord[];
}

export interface AppendReply {
  readonly type: "append-reply";
  readonly term: Term;
  /** Of the latest append that this answers. */
  readonly round: number;
  readonly sentAt: Millis;
  /** False when the record before the appended ones is not there, or another. */
  readonly isMatch: boolean;
  /** Up to here the follower holds the leader's records and counts for their commit. */
  readonly held: LogIndex;
  /** Up to here it has them synced to disk. */
  readonly synced: LogIndex;
  /** When no match: the leader may try again after this index. */
  readonly tryAfter: LogIndex;
  readonly incarnation: Incarnation;
}

export interface SnapshotPart {
  readonly type: "snapshot-part";
  readonly term: Term;
  readonly round: number;
  readonly sentAt: Millis;
  /** Tells two transfers of one leader apart. */
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
  /** `installed`: it stands at the snapshot's index, on disk. `refused`: it could not use it. */
  readonly outcome: "more" | "installed" | "refused";
  readonly incarnation: Incarnation;
}

/** From the leader to a follower that holds its whole log: campaign now. */
export interface TakeOver {
  readonly type: "take-over";
  readonly term: Term;
}

/** To one that asks for votes and is no member any more. */
export interface Removed {
  readonly type: "removed";
  readonly term: Term;
}
