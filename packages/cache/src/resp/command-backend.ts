/** What a RESP session needs from its member: the state, the log, the cluster, the other clients. */
import type { Millis } from "@sluice/base/brand";
import type { MemberId } from "../ids.ts";
import type { CacheState } from "../state/cache-state.ts";
import type { OperationAnswer } from "../state/operation.ts";

/** Totals over all clients of this member since its start; counted by the sessions. */
export interface CommandCounts {
  commands: number;
  /** Reads of keys that exist, and of keys that do not. */
  hits: number;
  misses: number;
}

export interface CommandBackend {
  readonly counts: CommandCounts;
  readonly store: CommandStore;
  readonly cluster: ClusterView;
  readonly clients: ClientDirectory;
}

/**
 * Receives answers; implemented by the session. Each ticket is answered once, by one of these calls, never before
 * the call that passed it has returned, and in any order. Afterwards the owner of the socket takes `nextOutput`.
 */
export interface CommandSink {
  answered(ticket: number, answer: OperationAnswer): void;
  failed(ticket: number, failure: StoreFailure): void;
  /** Answer to `confirmRead`: the state may be read now, during this call. */
  confirmed(ticket: number): void;
  /** Answer to `waitForReplicas`: how many members besides the leader hold everything written before. */
  replicated(ticket: number, count: number): void;
}

export type StoreFailure =
  /** Another member leads, or none: nothing was done. */
  | "not-leader"
  | "no-leader"
  /** Too many requests are waiting: nothing was done. */
  | "overloaded"
  /** Larger than a record of the log may be: nothing was done, and retrying does not help. */
  | "too-large"
  /** This member was removed from its cluster: nothing was done. */
  | "removed"
  /** The disk is full or fails: nothing was done. */
  | "storage-failed"
  /** Leadership was lost before the answer: it may be done or not. */
  | "unknown-outcome";

/**
 * `now`: leader with a valid lease. `confirm`: leader, but call `confirmRead` first. `removed`: this copy is no longer
 * updated, so it must not serve even clients that accept stale reads.
 */
export type ReadStanding = "now" | "confirm" | "not-leader" | "no-leader" | "removed";

export interface CommandStore {
  /** This member's copy. Reading it is linearizable only as `readStanding` allows. */
  readonly state: CacheState;
  /** The wall clock of the leader's stamps (never going back): the clock for expiry. */
  wall(): Millis;
  /** Called before every few reads. */
  readStanding(): ReadStanding;
  confirmRead(sink: CommandSink, ticket: number): void;
  /** Proposes an encoded operation, which is kept without copying. Writes of one sink are applied in the order of the calls. */
  write(sink: CommandSink, ticket: number, operation: Uint8Array): void;
  /** @param timeout  zero waits for ever */
  waitForReplicas(sink: CommandSink, ticket: number, count: number, timeout: Millis): void;
}

export interface ClusterView {
  /** This member's id. */
  readonly self: MemberId;
  readonly role: "leader" | "follower" | "learner" | "candidate";
  readonly term: number;
  readonly leader: MemberId | undefined;
  /** `leader`, or the last one while there is none; also `undefined` once this member was removed. */
  readonly lastLeader: MemberId | undefined;
  readonly leaderStanding: LeaderStanding;
  readonly members: readonly MemberRow[];
  /** Index of the last record that was applied here. */
  readonly appliedIndex: number;
  /** Additional lines for INFO, by section name as Redis writes it ("Persistence"). */
  infoLines(section: string): readonly (readonly [string, string | number])[];
}

/**
 * State of the last leader as seen here. `up`: it leads, as far as is known. `changing`: it is handing over, or has done
 * so and its successor is not known yet. `unheard`: it was not heard for a while, or too few
 * voters are heard here for it to be still leader. `lost`: the same, and this member has given it up.
 */
export type LeaderStanding = "up" | "changing" | "unheard" | "lost";

/** One member as clients see it; the address is that of its RESP port. */
export interface MemberRow {
  readonly id: MemberId;
  readonly host: string;
  /** 0: no RESP port. */
  readonly port: number;
  readonly isVoter: boolean;
  /** Heard recently, as far as this member knows. */
  readonly isReachable: boolean;
  /** Last record it is known to hold; 0 except on the leader. */
  readonly matchIndex: number;
}

/** The sessions of this member. */
export interface ClientDirectory {
  rows(): Iterable<ClientRow>;
  readonly count: number;
  /** Ends the session after sending its output (`soon`), or at once. */
  kill(id: number): void;
}

/** A row of CLIENT LIST; a session is its own row. */
export interface ClientRow {
  readonly id: number;
  /** `host:port` of the peer. */
  readonly address: string;
  /** `host:port` on this side. */
  readonly localAddress: string;
  readonly name: string;
  readonly library: string;
  readonly libraryVersion: string;
  readonly database: number;
  readonly protocol: 2 | 3;
  readonly user: string;
  readonly subscriptionCount: number;
  /** Of its open transaction; `undefined` without one. */
  readonly queuedCommands: number | undefined;
  readonly lastCommand: string;
  /** Monotonic. */
  readonly openedAt: Millis;
  readonly lastActiveAt: Millis;
  readonly inputBytes: number;
  readonly outputBytes: number;
}
