/** The messages of the WebSocket subprotocol `sluice.v1`, as both sides see them once decoded; docs/protocol/sluice-v1.md explains them. */
import type { PlainObject, PlainValue } from "./plain-value.ts";

export const SLUICE_V1 = "sluice.v1";

/** Of one frame, and by the first frame of a connection of all: text or binary. */
export type Encoding = "json" | "msgpack";

/** `GENERATION.NUMBER/VERSION`; compare for equality only, the version is for people. */
export type PositionText = string;

/** How long an object outlives its clients, and what an acknowledged change outlives. */
export type Durability =
  | "temporary"
  /** Each change is acknowledged once it is stored. */
  | "each"
  /** Stored when its last client has gone. */
  | "release"
  /** Stored at this interval, in milliseconds. */
  | { readonly every: number };

/** What a writer wants of an object. `expected`: where the property must stand; null: it must not exist. */
export type WishedOperation =
  | {
      readonly type: "set";
      readonly name: string;
      readonly value: PlainValue;
      readonly expected?: PositionText | null;
    }
  | { readonly type: "remove"; readonly name: string; readonly expected?: PositionText | null }
  | { readonly type: "clear" }
  | { readonly type: "message"; readonly name: string; readonly arguments: readonly PlainValue[] }
  /** @property lease  milliseconds */
  | { readonly type: "lock"; readonly lease: number }
  | { readonly type: "unlock" };

/** One step of a change. */
export type Operation =
  | { readonly type: "create"; readonly durability: Durability }
  /** @property version  where it is not that of the change: of a merged one */
  | { readonly type: "set"; readonly name: string; readonly value: PlainValue; readonly version?: number }
  | { readonly type: "remove"; readonly name: string }
  | { readonly type: "clear" }
  | { readonly type: "message"; readonly name: string; readonly arguments: readonly PlainValue[] }
  | { readonly type: "lock"; readonly owner: string; readonly lease: number }
  | { readonly type: "unlock" };

/** `id`: a whole number from 1, higher than that of every request before on the connection. Each gets one answer. */
export type ClientRequest =
  /** The first message. @property agent  program and version */
  | { readonly type: "connect"; readonly id: number; readonly params?: PlainObject; readonly agent?: string }
  /** @property from  where the client stands already */
  | {
      readonly type: "open";
      readonly id: number;
      readonly name: string;
      readonly durability?: Durability;
      readonly from?: PositionText;
    }
  | {
      readonly type: "write";
      readonly id: number;
      readonly object: string;
      readonly operations: readonly WishedOperation[];
    }
  | { readonly type: "close"; readonly id: number; readonly object: string }
  | CallRequest
  | { readonly type: "ping"; readonly id: number };

/** Both ways; each side counts its own ids. */
export interface CallRequest {
  readonly type: "call";
  readonly id: number;
  readonly method: string;
  readonly arguments: readonly PlainValue[];
}

export type ClientMessage = ClientRequest | Answer;

export type RefusalCode =
  /** A rule, a token or a hook forbids it; `detail` says what, of objects the act. */
  | "denied"
  /** The property does not stand where the writer thought; `detail` is its name. */
  | "stale"
  /** Another client has the lock; `detail` is its id. */
  | "locked"
  /** `detail` is the name of the limit. */
  | "limit"
  | "rate"
  /** `detail` is the path of the offender. */
  | "not-plain"
  /** The object is durable and temporary was asked for, or the other way round. */
  | "mismatch"
  /** Nothing was done, and it may be tried again. */
  | "unavailable"
  /** Nobody knows whether it was done. */
  | "unknown-outcome"
  /** The client has not opened the object. */
  | "not-open"
  /** The client has opened it already. */
  | "already-open"
  /** The object's name is no legal one. */
  | "name"
  /** No method of that name. */
  | "unknown-method"
  /** No message of that type. */
  | "unknown-type"
  /** A field is missing or wrong; `detail` is its name. */
  | "bad-request"
  /** The connection shall go elsewhere: a `move` follows. */
  | "redirected";

/** A property as the home has it. `at` is null, and there is no value, where it does not exist. */
export interface CurrentProperty {
  readonly name: string;
  readonly value?: PlainValue;
  readonly at: PositionText | null;
}

export interface Refused {
  readonly type: "answer";
  readonly id: number;
  readonly status: "refused";
  /** Codes of later versions are refusals like any other. */
  readonly code: RefusalCode;
  readonly detail: string;
  /** True values of the properties that were not written. */
  readonly current?: readonly CurrentProperty[];
}

export interface Success {
  readonly type: "answer";
  readonly id: number;
  readonly status: "success";
  /** To `connect`: who this client is in `by` and `owner`, on this connection. */
  readonly client?: string;
  /** To `connect`: id of the node. */
  readonly node?: string;
  /** To `open`: what all further messages call the object. */
  readonly object?: string;
  /** To `open`: true where the client goes on from `from`; false: a snapshot comes. */
  readonly recovered?: boolean;
  /** To `write`: of the change, or of the last one before where everything was so already. */
  readonly at?: PositionText;
  /** To `call`. */
  readonly value?: PlainValue;
}

export type Answer = Success | Refused;

/** Forget what you had of the object; this is what it is. */
export interface SnapshotMessage {
  readonly type: "snapshot";
  readonly object: string;
  readonly at: PositionText;
  /** Missing: it was never created. */
  readonly durability?: Durability;
  readonly lock?: { readonly owner: string; readonly lease: number };
  readonly properties: readonly Required<CurrentProperty>[];
  /** Messages that were not given since the last delivery; null: nobody knows. */
  readonly dropped: number | null;
}

/** Whoever stands at `from` stands at `to` once it has done all operations. The same bytes for all clients. */
export interface ChangeMessage {
  readonly type: "change";
  readonly object: string;
  readonly from: PositionText;
  readonly to: PositionText;
  readonly operations: readonly Operation[];
  /** The request that caused it; missing where several changes were merged, and where no client caused it. */
  readonly by?: { readonly client: string; readonly id: number };
  /** Messages that the merging left out; missing: none. */
  readonly dropped?: number;
}

/** Connect elsewhere. The old connection works on until either side closes it. @property url  without the client's own parameters */
export interface MoveMessage {
  readonly type: "move";
  readonly url: string;
  readonly reason: string;
}

export type ServerMessage = Answer | SnapshotMessage | ChangeMessage | MoveMessage | CallRequest;

/** Close codes beside those of RFC 6455; after which of them a client connects again, the protocol's document says. */
export const CLOSE_CODES = {
  /** In order. */
  done: 1000,
  /** The server stops. */
  stopping: 1001,
  /** A message over `messageBytes`. */
  tooBig: 1009,
  /** A fault of the server. */
  fault: 1011,
  /** The server is full: try again later. */
  full: 1013,
  /** No message of this protocol. */
  malformed: 4000,
  /** `connect` was refused. */
  denied: 4001,
  /** No `connect` in time, or no sign of life. */
  timeout: 4002,
  /** An operator ended it. */
  kicked: 4003,
  /** A `move` came before. */
  moved: 4004,
  /** The client took nothing of what it was sent. */
  stalled: 4005,
  /** A limit was passed. */
  limit: 4006,
} as const;
