/** What a RESP session needs of the member that it talks to: the state, the log, the cluster, the other clients. */
import type { Millis } from "@sluice/base/brand";
import type { MemberId } from "../ids.ts";
import type { CacheState } from "../state/cache-state.ts";
import type { OperationAnswer } from "../state/operation.ts";

/** Of all clients of this member since its start; counted by the sessions. */
export interface CommandCounts {
  commands: number;
  /** Reads of a key that was there, and of one that was not. */
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
 * Where answers come back to; the session itself. Each ticket is answered once, by one of these calls, never before
 * the call that handed it over has returned, and in any order. Afterwards the owner of the socket takes `nextOutput`.
 */
export interface CommandSink {
  answered(ticket: number, answer: OperationAnswer): void;
  failed(ticket: number, failure: StoreFailure): void;
  /** Of `confirmRead`: the state may be read now, in this very call. */
  confirmed(ticket: number): void;
  /** Of `waitForReplicas`: how many members beside the leader hold all that was written before. */
  replicated(ticket: number, count: number): void;
}

export type StoreFailure =
  /** Another leads, or nobody: nothing was done. */
  | "not-leader"
  | "no-leader"
  /** Too much is waiting already: nothing was done. */
  | "overloaded"
  /** Larger than one record of the log may be: nothing was done, and the same again will fare no better. */
  | "too-large"
  /** This member was removed from its cluster: nothing was done. */
  | "removed"
  /** The disk is full or fails: nothing was done. */
  | "storage-failed"
  /** Leader was lost while it waited: it may be done or not. */
  | "unknown-outcome";

/**
 * `now`: leader with a good lease. `confirm`: leader, but ask `confirmRead` first. `removed`: this copy is kept up by
 * nobody any more, so that not even those who accept stale reads may have it.
 */
export type ReadStanding = "now" | "confirm" | "not-leader" | "no-leader" | "removed";

export interface CommandStore {
  /** This member's copy. Reading it is linearizable only as `readStanding` allows. */
  readonly state: CacheState;
  /** The wall clock as the leader stamps it (never going back): what expiry is judged by. */
  wall(): Millis;
  /** Asked before every few reads. */
  readStanding(): ReadStanding;
  confirmRead(sink: CommandSink, ticket: number): void;
  /** Proposes an encoded operation, which the store keeps. Writes of one sink are applied in the order of the calls. */
  write(sink: CommandSink, ticket: number, operation: Uint8Array): void;
  /** @param timeout  zero waits without end */
  waitForReplicas(sink: CommandSink, ticket: number, count: number, timeout: Millis): void;
}

export interface ClusterView {
  /** This member's id. */
  readonly self: MemberId;
  readonly role: "leader" | "follower" | "learner" | "candidate";
  readonly term: number;
  readonly leader: MemberId | undefined;
  /** `leader`, or the last one while none is known; `undefined` too once this member was removed. */
  readonly lastLeader: MemberId | undefined;
  readonly leaderStanding: LeaderStanding;
  readonly members: readonly MemberRow[];
  /** Index of the last record that was applied here. */
  readonly appliedIndex: number;
  /** More lines for INFO, by section name as Redis writes it ("Persistence"), after ours. */
  infoLines(section: string): readonly (readonly [string, string | number])[];
}

/**
 * What this member can say of the last leader. `up`: it leads, as far as can be told from here. `changing`: it gives its
 * place to another, or did so and the next one is not known yet. `unheard`: it was not heard for a while, or too few
 * voters are heard here for it to be the leader still. `lost`: so too, and this member has given it up.
 */
export type LeaderStanding = "up" | "changing" | "unheard" | "lost";

/** One member as clients see it; the address is that of its RESP port. */
export interface MemberRow {
  readonly id: MemberId;
  readonly host: string;
  /** 0: has no RESP port. */
  readonly port: number;
  readonly isVoter: boolean;
  /** Heard a moment ago, as far as this member can tell. */
  readonly isReachable: boolean;
  /** Last record it is known to hold; on the leader only, else 0. */
  readonly matchIndex: number;
}

/** The sessions of this member. */
export interface ClientDirectory {
  rows(): Iterable<ClientRow>;
  readonly count: number;
  /** Ends the session after what it is owed was sent (`soon`), or at once. */
  kill(id: number): void;
}

/** What CLIENT LIST tells; a session is its own row. */
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
