/** The state engine's port: ownership, epochs, leases and small values, kept by whatever store stands behind it. */
import type { Millis } from "@sluice/base/brand";
import type { Epoch } from "./epoch.ts";

/** Raised when this port changes in a way that an implementation must follow. */
export const ENGINE_PORT_VERSION = 1;

/**
 * Any well-formed text of 1 to `ENGINE_LIMITS.keyBytes` UTF-8 bytes, U+0000 included. Bytes that are no text go in as
 * one character of U+0000 to U+00FF each.
 */
export type Key = string;

/** An entry as it was read. The value belongs to the reader. */
export interface Entry {
  readonly key: Key;
  readonly value: Uint8Array;
  /** Of the write that left it so; higher for each later write to any key of this engine, and never used twice. */
  readonly revision: Epoch;
}

export interface WriteOptions {
  /** Of this engine. The key vanishes with it; a later write without it makes the key stay. */
  readonly lease?: Pick<Lease, "token">;
  /** Made again under the same id, it is answered as the first time and not done twice. Only where there is a `replica`. */
  readonly request?: RequestId;
}

export type RepeatableOptions = Pick<WriteOptions, "request">;

/** Names one write of one client, whichever way it reaches the engine. */
export interface RequestId {
  /** Random, of one client for its life: 1 to 64 characters of ASCII. */
  readonly client: string;
  /** Rises with every new write of the client, from 1; a repetition has the number of the first. */
  readonly sequence: number;
}

export type CasResult =
  | { readonly outcome: "written"; readonly revision: Epoch }
  /** Somebody else's entry stands there, or none does. */
  | { readonly outcome: "conflict"; readonly current: Entry | undefined };

/**
 * What a watcher hears. The contract is the latest value per key: values between may be missing, the last never is.
 * Events of one key come in the order of their revisions.
 */
export type WatchEvent =
  | { readonly type: "put"; readonly entry: Entry }
  | { readonly type: "deleted"; readonly key: Key; readonly revision: Epoch }
  /** Continuity was lost: forget all keys; those that stand follow as `put`, then `current`. The first event of every watch. */
  | { readonly type: "reset" }
  /** All that stood at the last `reset` has been told. */
  | { readonly type: "current" }
  /** The engine is not reachable: what was told may be old, and is not therefore gone. A `reset` or an event ends it. */
  | { readonly type: "stale" };

/** Vanishes with all its keys unless renewed; the engine renews it by itself until `release` or loss. */
export interface Lease {
  /** Fencing token: higher than that of every lease granted before by this engine, wiped and refilled included. */
  readonly token: Epoch;
  readonly ttl: Millis;
  /** Monotonic time until which the holder may act, counted from when the last confirmed renewal was *sent*. */
  readonly validUntil: Millis;
  /** Aborted as soon as `validUntil` has passed, the engine says that the lease is gone, or it is released or closed. */
  readonly lost: AbortSignal;
  /** Removes the bound keys at once, and ends `validUntil` even if that fails. May be called twice, and after `close`. */
  release(): Promise<void>;
}

export interface LogRecord {
  /** From 1, without holes. */
  readonly sequence: number;
  readonly value: Uint8Array;
}

export type AppendResult =
  | { readonly outcome: "appended"; readonly sequence: number }
  /** The log's last sequence is another than the one expected. */
  | { readonly outcome: "conflict"; readonly last: number };

/** What this engine, with the server that it found, really does. Printed at start; nothing may be claimed untried. */
export interface EngineCapabilities {
  /** `gcache`, `memory`, `nats`, `redis`. */
  readonly engine: string;
  /** Of the server behind it, as it calls itself; empty when there is none. */
  readonly serverVersion: string;
  /** An acknowledged write outlives the end of any one process. */
  readonly isDurable: boolean;
  /** An acknowledged write outlives a loss of power. */
  readonly survivesPowerLoss: boolean;
  /** An acknowledged write outlives the loss of any one of the engine's own nodes. */
  readonly survivesNodeLoss: boolean;
  /** Lease expiry is enforced by the engine itself, not judged by each watcher. */
  readonly enforcesLeases: boolean;
  readonly hasLogs: boolean;
  readonly maxValueBytes: number;
  readonly maxKeyBytes: number;
}

/**
 * Every call may throw an `EngineUnavailableError` (nothing is known of what happened to a write: `isUnknown`), a
 * `LimitError` for a key or value that is too large, and a `StateError` for a key that is no text and after closing;
 * `watch` and `subscribe` throw these at once. Values handed in are copied before the call returns its promise.
 * Closing is `[Symbol.asyncDispose]`: it ends watches, subscriptions and leases, and may come twice.
 */
export interface Engine extends AsyncDisposable {
  capabilities(): EngineCapabilities;
  /** The latest acknowledged entry: a read never goes behind a write that was acknowledged before it began. */
  get(key: Key): Promise<Entry | undefined>;
  /**
   * Writes if the entry's revision is `expected`, or if there is none for `absent`.
   * @throws {EngineLeaseLostError} when the lease of `options` is gone; nothing is written
   */
  cas(key: Key, expected: Epoch | "absent", value: Uint8Array, options?: WriteOptions): Promise<CasResult>;
  /** Removes the entry if its revision is `expected`; answers the revision of the removal. */
  remove(key: Key, expected: Epoch, options?: RepeatableOptions): Promise<CasResult>;
  /** All keys that start with `prefix`, with all that this client wrote before. Ends when the signal aborts or the engine closes; never rejects. */
  watch(prefix: Key, signal: AbortSignal): AsyncIterable<WatchEvent>;
  /** @param ttl  within `ENGINE_LIMITS.leaseTtl` */
  lease(ttl: Millis): Promise<Lease>;
  /** At most once to each subscriber that is there, in order per publisher. */
  publish(subject: Key, message: Uint8Array): Promise<void>;
  /** What is published from when the iterator is first asked for a value. Ends as `watch` does. */
  subscribe(subject: Key, signal: AbortSignal): AsyncIterable<Uint8Array>;
  /** Only where `capabilities().hasLogs`. */
  readonly logs?: EngineLogs;
  /** Only where this process has a copy of the data, with which it can serve nodes that have none. */
  readonly replica?: EngineReplica;
}

/** What a copy of the data can do for clients elsewhere. A lease is known by its token alone, so it outlives whom it was asked of. */
export interface EngineReplica {
  /** A lease that nobody here renews. */
  grant(ttl: Millis): Promise<Epoch>;
  /** Through whichever client of the engine. @throws {EngineUnavailableError} when nothing is known within `patience` */
  renew(token: Epoch, patience: Millis): Promise<"renewed" | "gone">;
  /** Removes the bound keys at once; nothing happens where the lease is gone. */
  release(token: Epoch): Promise<void>;
  /** Afterwards a watch that begins here begins with all that was acknowledged before the call. */
  catchUp(): Promise<void>;
}

export interface EngineLogs {
  /** @param expectedLast  sequence of the last record, 0 for an empty log */
  append(log: Key, expectedLast: number, value: Uint8Array, options?: RepeatableOptions): Promise<AppendResult>;
  /** Some records from `from` on, at most `ENGINE_LIMITS.logReadRecords`; none only where there are none. */
  read(log: Key, from: number): Promise<readonly LogRecord[]>;
}
