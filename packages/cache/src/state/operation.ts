/** What a record of the log asks of the state, and what it answers: the same on every member. */
import type { Brand, Millis } from "@sluice/base/brand";

/** A named cache: 1 to 255 UTF-8 bytes. The RESP databases are the caches "0" to "15". */
export type CacheName = Brand<string, "CacheName">;

/** Log index of an entry's last write: higher for every later write to any key. */
export type EntryVersion = Brand<number, "EntryVersion">;

/** Log index of the grant: a fencing token, higher than that of every lease granted before. */
export type LeaseId = Brand<number, "LeaseId">;

/** Names one request of one client, so that a retry after an unknown outcome is done once. */
export interface RequestId {
  /** Random, of one client for its life: 1 to 64 characters of ASCII. */
  readonly client: string;
  /** Rises with every new request of the client; a retry repeats it. From 1. */
  readonly sequence: number;
}

/** Wall-clock milliseconds since 1970 at which an entry vanishes; never, or what it was before. */
export type Expiry = Millis | "never" | "keep";

/** When a write is done; else the entry stays as it is. A number: only if that is the entry's version. */
export type WriteCondition = "always" | "absent" | "present" | EntryVersion;

/** When an expiry is changed: NX, XX, GT and LT of Redis, where no expiry counts as endless, and XX with LT. */
export type ExpiryCondition = "always" | "none-set" | "one-set" | "later" | "sooner" | "one-set-sooner";

export interface SetOperation {
  readonly type: "set";
  readonly cache: CacheName;
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly expiry: Expiry;
  readonly when: WriteCondition;
  /** The entry vanishes with this lease. A write without it unbinds the entry. Refused when the lease is gone. */
  readonly lease?: LeaseId;
  /** `previous`: the answer carries the value that stood there before (or, when not written, stands). */
  readonly answerWith: "version" | "previous";
}

export interface DeleteOperation {
  readonly type: "delete";
  readonly cache: CacheName;
  readonly keys: readonly Uint8Array[];
  /** A version deletes each key only at that version; `present` is the same as `always`. */
  readonly when: "always" | EntryVersion;
  /** `previous`: the value of the only key (GETDEL). */
  readonly answerWith: "count" | "previous";
}

export interface ExpireOperation {
  readonly type: "expire";
  readonly cache: CacheName;
  readonly key: Uint8Array;
  /** A time that has passed deletes the entry. */
  readonly expiry: Millis | "never";
  readonly when: ExpiryCondition;
  /** `value`: GETEX. */
  readonly answerWith: "count" | "value";
}

export type EntryOperation =
  | SetOperation
  | DeleteOperation
  | ExpireOperation
  /** Signed 64-bit; keeps the expiry. */
  | { readonly type: "increment"; readonly cache: CacheName; readonly key: Uint8Array; readonly by: bigint }
  /** `by` in decimal or scientific notation; arithmetic of 80-bit floats as Redis does it; keeps the expiry. */
  | { readonly type: "increment-float"; readonly cache: CacheName; readonly key: Uint8Array; readonly by: string }
  | { readonly type: "append"; readonly cache: CacheName; readonly key: Uint8Array; readonly value: Uint8Array }
  /** Removes all entries of the cache; its limits stay. */
  | { readonly type: "flush"; readonly cache: CacheName };

/** What must hold of an entry for a batch to be done. */
export interface BatchCondition {
  readonly cache: CacheName;
  readonly key: Uint8Array;
  readonly when: WriteCondition;
}

export interface BatchOperation {
  readonly type: "batch";
  /** All are checked before anything is done. */
  readonly conditions: readonly BatchCondition[];
  /** Done in order, all at one version; refusals of single ones (a counter that is no number) undo the whole batch. */
  readonly operations: readonly EntryOperation[];
}

/** What was seen of an entry, by which a transaction tells that nobody changed it since. */
export interface WatchedEntry {
  readonly cache: CacheName;
  readonly key: Uint8Array;
  /** 0: there was none. */
  readonly version: EntryVersion | 0;
  /** 0: it had none. */
  readonly expiresAt: Millis | 0;
}

/** Reads entries at its place in a transaction. */
export interface LookOperation {
  readonly type: "look";
  readonly cache: CacheName;
  readonly keys: readonly Uint8Array[];
  readonly wants: "value" | "facts";
}

export type TransactionPart = EntryOperation | BatchOperation | LookOperation | { readonly type: "flush-all" };

/** What stands between MULTI and EXEC: nothing comes between its parts, and a refused one leaves the others done. */
export interface TransactionOperation {
  readonly type: "transaction";
  /** When one of them was changed, nothing is done. */
  readonly watched: readonly WatchedEntry[];
  readonly parts: readonly TransactionPart[];
}

/** Zero means no limit. */
export interface CacheLimits {
  /** How many stand at once; the one used longest ago makes room. */
  readonly entries: number;
  /** Of keys and values, with `ENTRY_OVERHEAD_BYTES` for each entry. */
  readonly bytes: number;
}

export type Operation =
  | EntryOperation
  | BatchOperation
  | LookOperation
  | TransactionOperation
  /** The first of a founder: names this life of the data. Kept as it is once it is set. */
  | { readonly type: "found"; readonly generation: number }
  /** Makes the cache, or changes its limits; evicts at once what is too much. */
  | { readonly type: "configure"; readonly cache: CacheName; readonly limits: CacheLimits }
  | { readonly type: "flush-all" }
  /** From the leader: keys whose time is over by its clock; those that were written again stay. */
  | { readonly type: "expire-due"; readonly cache: CacheName; readonly keys: readonly Uint8Array[] }
  /** From the leader: keys that were read since, oldest first; only caches with limits need it. */
  | { readonly type: "touch"; readonly cache: CacheName; readonly keys: readonly Uint8Array[] }
  | { readonly type: "lease-grant"; readonly ttl: Millis }
  | { readonly type: "lease-renew"; readonly lease: LeaseId }
  | { readonly type: "lease-release"; readonly lease: LeaseId }
  /** From the leader: leases whose time is over by its clock; those that were renewed stay. */
  | { readonly type: "leases-expire"; readonly leases: readonly LeaseId[] };

export type Refusal =
  /** The value is no signed 64-bit integer. */
  | "not-an-integer"
  | "not-a-float"
  | "increment-overflow"
  /** NaN or infinity. */
  | "increment-not-finite"
  | "value-too-large"
  | "lease-gone"
  | "too-many-leases"
  | "too-many-caches"
  | "entry-over-cache-limit"
  /** The request id is older than what the table of answers remembers: the outcome is not known any more. */
  | "request-forgotten"
  /** The record's bytes are no operation of this version. */
  | "bad-operation"
  /** The values that a transaction reads are more than one answer may hold. */
  | "answer-too-large";

/** An entry as a transaction saw it. */
export interface SeenEntry {
  /** Only when it was asked for. */
  readonly value: Uint8Array | undefined;
  readonly valueBytes: number;
  /** 0: never. */
  readonly expiresAt: number;
}

/** Never changed after it was given. Values are copies that belong to the reader. */
export type OperationAnswer =
  /** Set: done. `previous` only when asked for. */
  | { readonly type: "written"; readonly version: EntryVersion; readonly previous?: Uint8Array | undefined }
  /** Set, batch or transaction: a condition did not hold. `version` of what stands there, 0 for nothing. */
  | { readonly type: "kept"; readonly version: EntryVersion | 0; readonly previous?: Uint8Array | undefined }
  /** How many entries were changed; the length after `append`. */
  | { readonly type: "count"; readonly count: number }
  | { readonly type: "value"; readonly value: Uint8Array | undefined }
  /** The number after an increment, as it was stored. */
  | { readonly type: "number"; readonly text: string }
  | { readonly type: "lease"; readonly lease: LeaseId; readonly expiresAt: Millis }
  /** Of a transaction too, with the answers of its parts; that of a batch in it is `done`. */
  | { readonly type: "batch"; readonly version: EntryVersion; readonly answers: readonly OperationAnswer[] }
  | { readonly type: "done" }
  /** By key; `undefined` where there is none. */
  | { readonly type: "seen"; readonly entries: readonly (SeenEntry | undefined)[] }
  | { readonly type: "refused"; readonly reason: Refusal };

/** One thing that happened to an entry, as a listener hears it. */
export interface EntryChange {
  readonly cache: CacheName;
  /** Empty for `flushed`, which is about all keys of the cache. */
  readonly key: Uint8Array;
  readonly kind: "set" | "deleted" | "expired" | "evicted" | "expiry-changed" | "flushed";
  /** Log index of the change. */
  readonly version: EntryVersion;
}
