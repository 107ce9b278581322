/** The state engine's port: ownership, epochs, leases and small values, in any of several stores. */
import type { Millis } from "@sluice/base/brand";
import type { Epoch } from "./epoch.ts";

/** Raised when this port changes in a way that implementations must follow. */
export const ENGINE_PORT_VERSION = 1;

/**
 * Any well-formed text of 1 to `ENGINE_LIMITS.keyBytes` UTF-8 bytes, U+0000 included. Arbitrary bytes are mapped to
 * one character of U+0000 to U+00FF each.
 */
export type Key = string;

/** An entry as read. The reader owns the value. */
export interface Entry {
  readonly key: Key;
  readonly value: Uint8Array;
  /** Revision of the last write; higher for each later write to any key of this engine, never used twice. */
  readonly revision: Epoch;
}

export interface WriteOptions {
  /** A lease of this engine: the key vanishes with it. A later write without a lease makes the key permanent. */
  readonly lease?: Pick<Lease, "token">;
  /** A repetition under the same id gets the first answer and is not executed again. Needs a `replica`. */
  readonly request?: RequestId;
}

export type RepeatableOptions = Pick<WriteOptions, "request">;

/** Identifies one write of one client, whichever way it reaches the engine. */
export interface RequestId {
  /** Random, fixed for the life of the client: 1 to 64 ASCII characters. */
  readonly client: string;
  /** Increases with every new write of the client, from 1; a repetition has the number of the first attempt. */
  readonly sequence: number;
}

export type CasResult =
  | { readonly outcome: "written"; readonly revision: Epoch }
  /** The entry is not the expected one; `current` is the present entry, if any. */
  | { readonly outcome: "conflict"; readonly current: Entry | undefined };

/**
 * An event of a watch. The contract is the latest value per key: intermediate values may be missing, the last never is.
 * Events of one key come in the order of their revisions.
 */
export type WatchEvent =
  | { readonly type: "put"; readonly entry: Entry }
  | { readonly type: "deleted"; readonly key: Key; readonly revision: Epoch }
  /** Continuity was lost: forget all keys; existing ones follow as `put`, then `current`. The first event of every watch. */
  | { readonly type: "reset" }
  /** Everything that existed at the last `reset` has been reported. */
  | { readonly type: "current" }
  /** The engine is unreachable: the view may be out of date, but do not discard it. A `reset` or another event ends this state. */
  | { readonly type: "stale" };

/** Vanishes with all its keys unless renewed; the engine renews it automatically until `release` or loss. */
export interface Lease {
  /** Fencing token: higher than the token of every lease granted before by this engine, even after a wipe. */
  readonly token: Epoch;
  readonly ttl: Millis;
  /** Monotonic time until which the holder may act, counted from when the last confirmed renewal was *sent*. */
  readonly validUntil: Millis;
  /** Aborted as soon as `validUntil` has passed, the engine reports the lease gone, or it is released or closed. */
  readonly lost: AbortSignal;
  /** Removes the bound keys at once, and ends `validUntil` even if that fails. May be called twice, and after closing. */
  release(): Promise<void>;
}

export interface LogRecord {
  /** From 1, without gaps. */
  readonly sequence: number;
  readonly value: Uint8Array;
}

export type AppendResult =
  | { readonly outcome: "appended"; readonly sequence: number }
  /** The log's last sequence is not the expected one. */
  | { readonly outcome: "conflict"; readonly last: number };

/** What this engine, with the server it found, really guarantees. Printed at start; claim only what was tested. */
export interface EngineCapabilities {
  /** `gcache`, `memory`, `nats`, `redis`. */
  readonly engine: string;
  /** Version that the server reports; empty without a server. */
  readonly serverVersion: string;
  /** An acknowledged write survives the end of any one process. */
  readonly isDurable: boolean;
  /** An acknowledged write survives a loss of power. */
  readonly survivesPowerLoss: boolean;
  /** An acknowledged write survives the loss of any one of the engine's own nodes. */
  readonly survivesNodeLoss: boolean;
  /** The engine itself enforces lease expiry; if false, each watcher expires leases itself. */
  readonly enforcesLeases: boolean;
  readonly hasLogs: boolean;
  readonly maxValueBytes: number;
  readonly maxKeyBytes: number;
}

/**
 * Every call may throw an `EngineUnavailableError` (with `isUnknown` a write may or may not have happened), a
 * `LimitError` for a key or value that is too large, and a `StateError` for a key that is not text and after closing;
 * `watch` and `subscribe` throw these at once. Values passed in are copied before the call returns its promise.
 * Closing is `[Symbol.asyncDispose]`: it ends watches, subscriptions and leases, and may be called twice.
 */
export interface Engine extends AsyncDisposable {
  capabilities(): EngineCapabilities;
  /** The latest acknowledged entry: a read reflects every write acknowledged before it began. */
  get(key: Key): Promise<Entry | undefined>;
  /**
   * Writes if the entry's revision is `expected`, or, for `absent`, if there is no entry.
   * @throws {EngineLeaseLostError} when the lease of `options` is gone; nothing is written
   */
  cas(key: Key, expected: Epoch | "absent", value: Uint8Array, options?: WriteOptions): Promise<CasResult>;
  /** Removes the entry if its revision is `expected`; returns the revision of the removal. */
  remove(key: Key, expected: Epoch, options?: RepeatableOptions): Promise<CasResult>;
  /** All keys that start with `prefix`, including all earlier writes of this client. Ends when the signal aborts or the engine closes; never rejects. */
  watch(prefix: Key, signal: AbortSignal): AsyncIterable<WatchEvent>;
  /** @param ttl  within `ENGINE_LIMITS.leaseTtl` */
  lease(ttl: Millis): Promise<Lease>;
  /** Delivered at most once to each present subscriber, in order per publisher. */
  publish(subject: Key, message: Uint8Array): Promise<void>;
  /** Messages published after the iterator is first asked for a value. Ends as `watch` does. */
  subscribe(subject: Key, signal: AbortSignal): AsyncIterable<Uint8Array>;
  /** Present if `capabilities().hasLogs`. */
  readonly logs?: EngineLogs;
  /** Present if this process has a copy of the data and can serve nodes without one. */
  readonly replica?: EngineReplica;
}

/** Operations of a copy of the data for remote clients. A lease is identified by its token alone, so it survives a change of host. */
export interface EngineReplica {
  /** A lease that this process does not renew. */
  grant(ttl: Millis): Promise<Epoch>;
  /** Works for leases granted through any client. @throws {EngineUnavailableError} without an answer within `patience` */
  renew(token: Epoch, patience: Millis): Promise<"renewed" | "gone">;
  /** Removes the bound keys at once; no effect if the lease is gone. */
  release(token: Epoch): Promise<void>;
  /** Watches opened after this resolves begin with everything acknowledged before the call. */
  catchUp(): Promise<void>;
}

export interface EngineLogs {
  /** @param expectedLast  sequence of the last record, 0 for an empty log */
  append(log: Key, expectedLast: number, value: Uint8Array, options?: RepeatableOptions): Promise<AppendResult>;
  /** Records from `from` on, at most `ENGINE_LIMITS.logReadRecords`; empty only at the end of the log. */
  read(log: Key, from: number): Promise<readonly LogRecord[]>;
}
