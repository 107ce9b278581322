/** What replicated objects need of the node around them: who owns what, ways to other nodes, and whom to ask. */
import type { AmfObject, AmfValue } from "@sluice/amf/value";
import type { Millis } from "@sluice/base/brand";
import type { Clock } from "@sluice/base/clock";
import type { Log } from "@sluice/base/log";
import type { Engine } from "@sluice/engine/engine";
import type { Epoch } from "@sluice/engine/epoch";
import type { Durability } from "./change.ts";
import type { ObjectLimits, ObjectTimings } from "./limits.ts";
import type { ObjectMessage } from "./wire/object-message.ts";

/** How a claim stands; the directory of a cluster says more. */
export type ClaimState =
  | { readonly at: "claiming" }
  | { readonly at: "provisional" }
  /** @property since  `resumed`: nobody else was home since this node's last epoch; `claimed`: somebody may have been */
  | { readonly at: "confirmed"; readonly epoch: Epoch; readonly since: "claimed" | "resumed" }
  /** The lease has run out; it will be confirmed again, or lost. */
  | { readonly at: "paused" }
  | { readonly at: "frozen" }
  | { readonly at: "lost" }
  | { readonly at: "released" };

/** This node's claim to be the home of one object. */
export interface Claim {
  readonly state: ClaimState;
  /** To be asked in the turn of the loop in which something is acknowledged, and each time anew. */
  readonly mayAcknowledge: boolean;
  onChange(listener: (state: ClaimState) => void): Disposable;
  /** Nothing is acknowledged from now on. @returns undefined where this is no confirmed home */
  freeze(): Epoch | undefined;
  /** The hand-over has failed. */
  resume(): void;
  release(): void;
}

export interface ClaimWish {
  readonly ifTaken: "wait" | "yield";
  /** Of a home that hands over to this node. */
  readonly takesFrom?: Epoch;
}

/** The directory as objects see it. */
export interface Ownership {
  readonly self: string;
  /** An edge follows, and is neither home nor standby. */
  readonly mayBeHome: boolean;
  /** The confirmed home, this node included. */
  findHome(path: string): { readonly node: string; readonly epoch: Epoch } | undefined;
  /** Where an object without a home, or its standby, belongs: the same on all nodes that see the same origins. */
  place(path: string, except: readonly string[]): string | undefined;
  claim(path: string, wish: ClaimWish): Claim;
  /** When the last confirmed renewal of the homes' lease was sent, on the node's clock. */
  confirmedAt(): Millis | undefined;
  onChange(listener: (path: string) => void): Disposable;
}

/** Ordered ways to linked nodes. What cannot be sent is lost with the link, and `ObjectHost.linkDown` says so. */
export interface ObjectLinks {
  readonly nodes: readonly string[];
  send(node: string, message: Uint8Array): void;
}

/** What a session knows of its client: user, address, … */
export type Who = AmfObject;

/** Asked at the home, once per request; what is missing allows. It must answer at once and change nothing. */
export interface ObjectGuard {
  mayCreate?(path: string, who: Who, durability: Durability): boolean;
  mayConnect?(path: string, who: Who): boolean;
  mayRead?(path: string, who: Who): boolean;
  mayWrite?(path: string, who: Who, name: string, value: AmfValue): boolean;
  mayDelete?(path: string, who: Who, name: string): boolean;
  maySend?(path: string, who: Who, name: string, args: readonly AmfValue[]): boolean;
}

/** What became of an object, told by the node that is its home; for those who look on. */
export type ObjectNotice =
  | { readonly type: "created"; readonly path: string }
  /** It was at rest in the engine. */
  | { readonly type: "restored"; readonly path: string }
  /** Another home handed it over. */
  | { readonly type: "moved"; readonly path: string; readonly from: string }
  /** From a home that is gone. */
  | { readonly type: "taken-over"; readonly path: string; readonly epoch: Epoch }
  /** No node has a copy any more. @property isStored  the engine has it */
  | { readonly type: "forgotten"; readonly path: string; readonly isStored: boolean };

/** What each object of a node shares with all others. */
export interface ObjectPorts {
  readonly ownership: Ownership;
  /** Where durable objects are; asked for by homes alone, so that it may be opened after the objects. */
  readonly engine: () => Engine;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  readonly guard: ObjectGuard;
  readonly limits: ObjectLimits;
  readonly timings: ObjectTimings;
  /** Linked now. */
  readonly nodes: () => readonly string[];
  readonly send: (node: string, message: ObjectMessage) => void;
  readonly notice?: (notice: ObjectNotice) => void;
}
