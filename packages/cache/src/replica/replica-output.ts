/** Outputs of a replica, which its driver carries out in the order given. */
import type { Brand } from "@sluice/base/brand";
import type { LogIndex, MemberId, Term } from "../ids.ts";
import type { LogRecord, SnapshotMeta } from "./log-record.ts";
import type { MemberMessage } from "./member-message.ts";
import type { MemberList } from "./members.ts";

/** Increases with every store; `stored(token)` reports that it and all earlier ones are done. */
export type WriteId = Brand<number, "WriteId">;
/** Identifies one proposal or read of one replica. */
export type ProposalId = Brand<number, "ProposalId">;

export interface HardState {
  readonly term: Term;
  readonly votedFor: MemberId | undefined;
}

/**
 * When a proposal is answered. Never before a majority holds it, since the answer comes from applying it.
 * `memory` and `quorum`: then. `quorum+fsync`: when a majority has synced it. `replicas`: when `count` members
 * besides the leader hold it too, learners included.
 */
export type AckLevel =
  | { readonly type: "memory" }
  | { readonly type: "quorum" }
  | { readonly type: "quorum+fsync" }
  | { readonly type: "replicas"; readonly count: number };

export type ProposalAnswer<Answer> =
  | {
      readonly token: ProposalId;
      readonly outcome: "done";
      readonly answer: Answer;
      readonly index: LogIndex;
      /** The requested level, which was reached. */
      readonly level: AckLevel;
    }
  /** The change of members is committed. */
  | { readonly token: ProposalId; readonly outcome: "members-changed"; readonly index: LogIndex }
  /** Leadership was lost: the operation may or may not be in the log of the next leader. */
  | { readonly token: ProposalId; readonly outcome: "unknown-outcome" };

export type Role = "follower" | "candidate" | "leader" | "learner" | "removed" | "halted";

/** Reads are answered in the order of their requests. */
export interface ReadAnswer {
  readonly token: ProposalId;
  /** `granted`: the present state is linearizable for this read. `lost`: ask the next leader. */
  readonly outcome: "granted" | "lost";
}

/**
 * Messages of one flow arrive in order; flows may overtake each other. `control` is small and never waits for the others,
 * so that a leader that sends megabytes is still heard.
 */
export type MessageFlow = "control" | "log" | "snapshot";

export type ReplicaOutput<Answer> =
  /** May be lost; then later messages in the same flow of the same connection should be lost too. */
  | { readonly type: "send"; readonly to: MemberId; readonly message: MemberMessage; readonly flow: MessageFlow }
  /**
   * Write all of it, or nothing and halt the replica; then call `stored(token)`. Order: truncate, append, compact.
   */
  | {
      readonly type: "store";
      readonly token: WriteId;
      readonly hardState: HardState | undefined;
      /** Delete records from this index on before appending. */
      readonly truncateFrom: LogIndex | undefined;
      readonly append: readonly LogRecord[];
      /** Call `stored` only when everything up to here survives a loss of power. */
      readonly isSync: boolean;
    }
  /** Records up to and including this index may be deleted from disk: a stored snapshot covers them. */
  | { readonly type: "compact"; readonly upTo: LogIndex }
  /** Write the pieces beside the present snapshot, replace it, then call `snapshotStored(meta.index)`. */
  | { readonly type: "save-snapshot"; readonly meta: SnapshotMeta; readonly pieces: Iterable<Uint8Array> }
  /** Replace snapshot and log on disk by this snapshot and no records, atomically and synced, keeping the hard state; then call `stored(token)`. */
  | {
      readonly type: "install-snapshot";
      readonly token: WriteId;
      readonly meta: SnapshotMeta;
      readonly pieces: readonly Uint8Array[];
    }
  | { readonly type: "answers"; readonly answers: readonly ProposalAnswer<Answer>[] }
  | { readonly type: "reads"; readonly reads: readonly ReadAnswer[] }
  | { readonly type: "role"; readonly role: Role; readonly term: Term; readonly leader: MemberId | undefined }
  /** The list in force; it may still be undone until it is committed. */
  | { readonly type: "members"; readonly members: MemberList; readonly isCommitted: boolean }
  /** A switch-over ended without a new leader. */
  | { readonly type: "switch-over-failed"; readonly to: MemberId };
