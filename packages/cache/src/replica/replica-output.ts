/** What a replica asks of its driver: to be done in the order given. */
import type { Brand } from "@sluice/base/brand";
import type { LogIndex, MemberId, Term } from "../ids.ts";
import type { LogRecord, SnapshotMeta } from "./log-record.ts";
import type { MemberMessage } from "./member-message.ts";
import type { MemberList } from "./members.ts";

/** Rises with every store; `stored(token)` says that it and all before it are done. */
export type WriteId = Brand<number, "WriteId">;
/** Names one proposal or read of one replica. */
export type ProposalId = Brand<number, "ProposalId">;

export interface HardState {
  readonly term: Term;
  readonly votedFor: MemberId | undefined;
}

/**
 * When a proposal is answered. Never before a majority holds it, since the answer comes from applying it.
 * `memory`: then. `quorum`: then. `quorum+fsync`: when a majority has it synced. `replicas`: when besides the leader
 * `count` members hold it too, learners included.
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
      /** That was reached; the one asked for. */
      readonly level: AckLevel;
    }
  /** The answer to a member change: it is committed. */
  | { readonly token: ProposalId; readonly outcome: "members-changed"; readonly index: LogIndex }
  /** Leader was lost: the operation may or may not be in the log of the next leader. */
  | { readonly token: ProposalId; readonly outcome: "unknown-outcome" };

export type Role = "follower" | "candidate" | "leader" | "learner" | "removed" | "halted";

/** Reads are answered in the order asked. */
export interface ReadAnswer {
  readonly token: ProposalId;
  /** `granted`: what the state holds now is linearizable. `lost`: ask the next leader. */
  readonly outcome: "granted" | "lost";
}

/**
 * Messages of one flow arrive in order; flows may overtake each other. `control` is small and never waits for the others:
 * a leader that sends megabytes is heard all the same.
 */
export type MessageFlow = "control" | "log" | "snapshot";

export type ReplicaOutput<Answer> =
  /** May be lost; then whatever follows in the same flow of the same connection should be lost too. */
  | { readonly type: "send"; readonly to: MemberId; readonly message: MemberMessage; readonly flow: MessageFlow }
  /**
   * Write all of it, or nothing and halt the replica; then call `stored(token)`. In the order: truncate, append, compact.
   */
  | {
      readonly type: "store";
      readonly token: WriteId;
      readonly hardState: HardState | undefined;
      /** Records from this index on go, before any are appended. */
      readonly truncateFrom: LogIndex | undefined;
      readonly append: readonly LogRecord[];
      /** `stored` may be called only when all up to here would outlive a loss of power. */
      readonly isSync: boolean;
    }
  /** Records up to and including this index may go from the disk: a stored snapshot stands for them. */
  | { readonly type: "compact"; readonly upTo: LogIndex }
  /** Write the pieces beside the snapshot that is there, put it in its place, then call `snapshotStored(meta.index)`. */
  | { readonly type: "save-snapshot"; readonly meta: SnapshotMeta; readonly pieces: Iterable<Uint8Array> }
  /** Replace snapshot and log on disk by this and no records, at once and synced, the hard state kept; then call `stored(token)`. */
  | {
      readonly type: "install-snapshot";
      readonly token: WriteId;
      readonly meta: SnapshotMeta;
      readonly pieces: readonly Uint8Array[];
    }
  | { readonly type: "answers"; readonly answers: readonly ProposalAnswer<Answer>[] }
  | { readonly type: "reads"; readonly reads: readonly ReadAnswer[] }
  | { readonly type: "role"; readonly role: Role; readonly term: Term; readonly leader: MemberId | undefined }
  /** The list that counts now; it may still be taken back until it is committed. */
  | { readonly type: "members"; readonly members: MemberList; readonly isCommitted: boolean }
  /** A switch-over ended without one. */
  | { readonly type: "switch-over-failed"; readonly to: MemberId };
