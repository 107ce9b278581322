/** What happens to an object: wishes of writers, changes as the home ordered them, and what writers hear. */
import type { Millis } from "@sluice/base/brand";
import type { Plain } from "./plain-data.ts";
import type { Position } from "./position.ts";

/** How long an object outlives its clients, and what an acknowledged change outlives. Fixed when the object is created. */
export type Durability =
  /** As long as it has clients, and a while. */
  | { readonly type: "temporary" }
  /** A change is acknowledged once the state engine has it; changes of one moment go in one write. */
  | { readonly type: "each" }
  /** Written every so often: the last interval may be lost with all nodes that have a copy. */
  | { readonly type: "every"; readonly interval: Millis }
  /** Written when its last client has gone, or its home stops in order. */
  | { readonly type: "release" };

/** Names one request; a repeated one is not done twice. */
export interface RequestId {
  /** Unique in the cluster for the life of the client. */
  readonly client: string;
  /** Rises with each request of the client, from 1. */
  readonly sequence: number;
}

/** What a writer wants. One request is a batch of them: all are done as one change, or none is. */
export type Wish =
  /** @property expected  where the property must stand still, `ORIGIN`: must not exist */
  | { readonly type: "set"; readonly name: string; readonly plain: Plain; readonly expected?: Position }
  | { readonly type: "remove"; readonly name: string; readonly expected?: Position }
  | { readonly type: "clear" }
  /** To all clients, the sender included, in order with the changes. @property plain  an array: the arguments */
  | { readonly type: "message"; readonly name: string; readonly plain: Plain }
  /** Others' changes are refused until `unlock`, the writer's leave or the end of the lease. */
  | { readonly type: "lock"; readonly lease: Millis }
  | { readonly type: "unlock" };

/** One step of a change. */
export type Operation =
  | { readonly type: "create"; readonly durability: Durability }
  /** @property version  where it differs from the change's: of a merged change */
  | { readonly type: "set"; readonly name: string; readonly plain: Plain; readonly version?: number }
  | { readonly type: "remove"; readonly name: string }
  | { readonly type: "clear" }
  | { readonly type: "message"; readonly name: string; readonly plain: Plain }
  | { readonly type: "lock"; readonly owner: string; readonly lease: Millis; readonly version?: number }
  | { readonly type: "unlock" };

/** One step of the one order. Whoever stands at `from` stands at `to` once it has done all operations. */
export interface Change {
  readonly from: Position;
  /** One version after `from`; several where changes were merged for a reader that did not keep up. */
  readonly to: Position;
  readonly operations: readonly Operation[];
  /** The request that caused it; a merged change has none. */
  readonly by?: RequestId;
  /** Messages that the merging left out. */
  readonly droppedMessages: number;
}

export function isMerged(change: Change): boolean {
  return change.to.version > change.from.version + 1;
}

/** What a guard may forbid. */
export type GuardedAct = "create" | "connect" | "read" | "write" | "delete" | "send";

export type RefusalStatus =
  /** A guard forbids it; `detail` is the `GuardedAct`. */
  | "denied"
  /** The property does not stand where the writer thought; `detail` is its name. */
  | "stale"
  /** Another client has the lock; `detail` is its id. */
  | "locked"
  /** `detail` is the field of `ObjectLimits`. */
  | "limit"
  | "rate"
  /** `detail` is the path of the offender. */
  | "not-plain"
  /** The object is durable and temporary was asked for, or the other way round. */
  | "mismatch"
  /** Nothing was done: there is no home that can be reached, or too much waits for it. */
  | "unavailable"
  /** Nobody knows whether it was done. */
  | "unknown-outcome"
  /** The client is not connected to the object. */
  | "not-connected";

/** A property as the home has it. */
export interface CurrentProperty {
  readonly name: string;
  /** Undefined: it does not exist. */
  readonly plain: Plain | undefined;
  readonly at: Position;
}

export interface Refusal {
  readonly type: "refused";
  readonly status: RefusalStatus;
  readonly detail: string;
  /** The true values of the properties that were not written. */
  readonly current: readonly CurrentProperty[];
}

export type Outcome =
  /** Done, or true already. @property at  of the change, or of the last one before */
  { readonly type: "success"; readonly at: Position } | Refusal;

export function refusal(status: RefusalStatus, detail = "", current: readonly CurrentProperty[] = []): Refusal {
  return { type: "refused", status, detail, current };
}
