/** What nodes say to each other about an object; every message names its path and, from a home, its epoch. */
import type { Epoch } from "@sluice/engine/epoch";
import type { Change, Durability, Outcome, RequestId, Wish } from "../change.ts";
import type { WholeCopy } from "../object-copy.ts";
import type { Plain } from "../plain-data.ts";
import type { Position } from "../position.ts";

/** From a replica to the home. */
export type ReplicaMessage =
  /**
   * Changes are wanted from `position` on; without it, or where it is unknown, a snapshot comes first.
   * `historyFrom`: with the snapshot the changes after it, for a client that comes back.
   */
  | {
      readonly type: "attach";
      readonly path: string;
      readonly interest: "clients" | "standby";
      readonly position: Position | undefined;
      readonly historyFrom: Position | undefined;
    }
  | { readonly type: "detach"; readonly path: string }
  /** A client wants to use the object. @property who  what guards are asked about */
  | {
      readonly type: "connect";
      readonly path: string;
      readonly id: RequestId;
      readonly who: Plain;
      readonly durability: Durability | undefined;
    }
  /**
   * @property who  with the first request since `attached`
   * @property since  the replica's version when it was first sent
   */
  | {
      readonly type: "write";
      readonly path: string;
      readonly id: RequestId;
      readonly who: Plain | undefined;
      readonly wishes: readonly Wish[];
      readonly isRetry: boolean;
      readonly since: number;
    }
  | { readonly type: "leave"; readonly path: string; readonly client: string }
  /** The replica stands at `position`, by what the home of this epoch gave it. */
  | { readonly type: "ack"; readonly path: string; readonly epoch: Epoch; readonly position: Position };

/** From the home to a replica. */
export type HomeMessage =
  /** Whatever was asked and not answered is to be asked again. */
  | { readonly type: "attached"; readonly path: string; readonly epoch: Epoch }
  | ({ readonly type: "snapshot"; readonly path: string; readonly epoch: Epoch } & WholeCopy)
  | { readonly type: "change"; readonly path: string; readonly epoch: Epoch; readonly change: Change }
  | { readonly type: "answer"; readonly path: string; readonly id: RequestId; readonly outcome: Outcome }
  /** This node is not the home, or no more. */
  | { readonly type: "gone"; readonly path: string; readonly epoch: Epoch }
  /** Nobody used the object any more: forget it. */
  | { readonly type: "dropped"; readonly path: string; readonly epoch: Epoch }
  /** Be the standby: attach. */
  | { readonly type: "invite"; readonly path: string; readonly epoch: Epoch };

/** Between an old and a new home, and whoever has a copy. */
export type TakeOverMessage =
  /** From the home of this epoch: lower ones are refused from now on. Where do you stand? */
  | { readonly type: "inquire"; readonly path: string; readonly epoch: Epoch }
  /** `ORIGIN`: no copy. */
  | { readonly type: "standing"; readonly path: string; readonly epoch: Epoch; readonly position: Position }
  | { readonly type: "fetch"; readonly path: string; readonly epoch: Epoch }
  | ({ readonly type: "copy"; readonly path: string; readonly epoch: Epoch } & WholeCopy)
  /** The home of this epoch is frozen: claim the object from it. */
  | ({ readonly type: "hand-over"; readonly path: string; readonly epoch: Epoch } & WholeCopy)
  | { readonly type: "handed"; readonly path: string; readonly epoch: Epoch; readonly isTaken: boolean };

export type ObjectMessage = ReplicaMessage | HomeMessage | TakeOverMessage;

/** First byte of every message. */
export const MESSAGE_VERSION = 1;

/** Second byte. From 128 on: whoever does not know the type passes over the message. */
export const MESSAGE_TYPES = {
  attach: 1,
  detach: 2,
  connect: 3,
  write: 4,
  leave: 5,
  ack: 6,
  attached: 16,
  snapshot: 17,
  change: 18,
  answer: 19,
  gone: 20,
  dropped: 21,
  invite: 22,
  inquire: 32,
  standing: 33,
  fetch: 34,
  copy: 35,
  "hand-over": 36,
  handed: 37,
} as const satisfies Readonly<Record<ObjectMessage["type"], number>>;

export const FIRST_SKIPPABLE_TYPE = 128;

export const OPERATION_TYPES = { create: 1, set: 2, remove: 3, clear: 4, message: 5, lock: 6, unlock: 7 } as const;

export const DURABILITY_TYPES = { temporary: 0, each: 1, every: 2, release: 3 } as const;

export const REFUSAL_STATUSES = [
  "denied",
  "stale",
  "locked",
  "limit",
  "rate",
  "not-plain",
  "mismatch",
  "unavailable",
  "unknown-outcome",
  "not-connected",
] as const;

/**
 * Flags of a change.
 *
 * | bit | set: |
 * | --- | --- |
 * | 0 | a request id follows |
 * | 1 | `to` has an epoch of its own |
 * | 2 | `to.version` is not the one after `from.version`, and follows |
 * | 3 | a count of dropped messages follows |
 */
export const CHANGE_FLAGS = { by: 1, epoch: 2, version: 4, dropped: 8 } as const;
