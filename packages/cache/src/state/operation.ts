/** Operations of the log and their answers: equal on every member. */
import type { Brand, Millis } from "@sluice/base/brand";

/** A named cache: 1 to 255 UTF-8 bytes. The RESP databases are the caches "0" to "15". */
export type CacheName = Brand<string, "CacheName">;

/** Log index of an entry's last write: higher for every later write to any key. */
export type EntryVersion = Brand<number, "EntryVersion">;

/** Log index of the grant: a fencing token, higher than that of every lease granted before. */
export type LeaseId = Brand<number, "LeaseId">;

/** Identifies one request of one client, so that a retry after an unknown outcome is executed once. */
export interface RequestId {
  /** Random, fixed for the life of the client: 1 to 64 ASCII characters. */
  readonly client: string;
  /** Increases with every new request of the client, from 1; a retry repeats it. */
  readonly sequence: number;
}

/** Wall-clock milliseconds since 1970 at which an entry vanishes; never, or unchanged. */
export type Expiry = Millis | "never" | "keep";

/** Condition of a write; if it does not hold the entry is unchanged. A number: only if that is the entry's version. */
export type WriteCondition = "always" | "absent" | "present" | EntryVersion;

/** Condition of a change of expiry: NX, XX, GT and LT of Redis, where no expiry counts as endless, and XX with LT. */
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
  /** `previous`: the answer contains the previous value (or, if not written, the present one). */
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
  /** A time in the past deletes the entry. */
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

/** A condition on an entry for a batch. */
export interface BatchCondition {
  readonly cache: CacheName;
  readonly key: Uint8Array;
  readonly when: WriteCondition;
}

export interface BatchOperation {
  readonly type: "batch";
  /** All are checked before anything is applied. */
  readonly conditions: readonly BatchCondition[];
  /** Applied in order, all with one version; a refusal of one (a counter that is not a number) undoes the whole batch. */
  readonly operations: readonly EntryOperation[];
}

/** What was seen of an entry, so that a transaction can tell whether it changed. */
export interface WatchedEntry {
  readonly cache: CacheName;
  readonly key: Uint8Array;
  /** 0: there was none. */
  readonly version: EntryVersion | 0;
  /** 0: it had none. */
  readonly expiresAt: Millis | 0;
}

/** Reads entries at its position in a transaction. */
export interface LookOperation {
  readonly type: "look";
  readonly cache: CacheName;
  readonly keys: readonly Uint8Array[];
  readonly wants: "value" | "facts";
}

export type TransactionPart = EntryOperation | BatchOperation | LookOperation | { readonly type: "flush-all" };

/** The commands between MULTI and EXEC: applied without interruption; a refused one does not undo the others. */
export interface TransactionOperation {
  readonly type: "transaction";
  /** If one of them changed, nothing is applied. */
  readonly watched: readonly WatchedEntry[];
  readonly parts: readonly TransactionPart[];
}

/** Zero means no limit. */
export interface CacheLimits {
  /** Limit of entries; beyond it the least recently used one is evicted. */
  readonly entries: number;
  /** Limit of bytes of keys and values, plus `ENTRY_OVERHEAD_BYTES` for each entry. */
  readonly bytes: number;
}

export type Operation =
  | EntryOperation
  | BatchOperation
  | LookOperation
  | TransactionOperation
  /** The first operation of a founder: sets the generation of the data, which then never changes. */
  | { readonly type: "found"; readonly generation: number }
  /** Creates the cache, or changes its limits; evicts at once whatever exceeds them. */
  | { readonly type: "configure"; readonly cache: CacheName; readonly limits: CacheLimits }
  | { readonly type: "flush-all" }
  /** From the leader: keys expired by its clock; those written again stay. */
  | { readonly type: "expire-due"; readonly cache: CacheName; readonly keys: readonly Uint8Array[] }
  /** From the leader: keys read since the last time, oldest first; needed only for caches with limits. */
  | { readonly type: "touch"; readonly cache: CacheName; readonly keys: readonly Uint8Array[] }
  | { readonly type: "lease-grant"; readonly ttl: Millis }
  | { readonly type: "lease-renew"; readonly lease: LeaseId }
  | { readonly type: "lease-release"; readonly lease: LeaseId }
  /** From the leader: leases expired by its clock; those renewed stay. */
  | { readonly type: "leases-expire"; readonly leases: readonly LeaseId[] };

export type Refusal =
  /** The value is not a signed 64-bit integer. */
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
  /** The request id is older than the table of answers remembers: the outcome is unknown. */
  | "request-forgotten"
  /** The record's bytes are not an operation of this version. */
  | "bad-operation"
  /** The values that a transaction reads exceed the limit of one answer. */
  | "answer-too-large";

/** An entry as a transaction saw it. */
export interface SeenEntry {
  /** Present only if requested. */
  readonly value: Uint8Array | undefined;
  readonly valueBytes: number;
  /** 0: never. */
  readonly expiresAt: number;
}

/** Immutable. Values are copies that the reader owns. */
export type OperationAnswer =
  /** Set: done. `previous` only if requested. */
  | { readonly type: "written"; readonly version: EntryVersion; readonly previous?: Uint8Array | undefined }
  /** Set, batch or transaction: a condition did not hold. `version` of the present entry, 0 for none. */
  | { readonly type: "kept"; readonly version: EntryVersion | 0; readonly previous?: Uint8Array | undefined }
  /** How many entries changed; the length after `append`. */
  | { readonly type: "count"; readonly count: number }
  | { readonly type: "value"; readonly value: Uint8Array | undefined }
  /** The number after an increment, as stored. */
  | { readonly type: "number"; readonly text: string }
  | { readonly type: "lease"; readonly lease: LeaseId; readonly expiresAt: Millis }
  /** Also for a transaction, with the answers of its parts; that of a batch in it is `done`. */
  | { readonly type: "batch"; readonly version: EntryVersion; readonly answers: readonly OperationAnswer[] }
  | { readonly type: "done" }
  /** By key; `undefined` where there is none. */
  | { readonly type: "seen"; readonly entries: readonly (SeenEntry | undefined)[] }
  | { readonly type: "refused"; readonly reason: Refusal };

/** One change of an entry, as reported to listeners. */
export interface EntryChange {
  readonly cache: CacheName;
  /** Empty for `flushed`, which is about all keys of the cache. */
  readonly key: Uint8Array;
  readonly kind: "set" | "deleted" | "expired" | "evicted" | "expiry-changed" | "flushed";
  /** Log index of the change. */
  readonly version: EntryVersion;
}
