/** The types of `/api/v1/objects`: shared objects of the cluster. Paths stand in addresses as they are, slashes and all. */

/** How long an object outlives its clients, and what an acknowledged change outlives. `every`: milliseconds. */
export type ObjectDurability = "temporary" | "each" | "release" | { readonly every: number };

/** One node's copy of an object. */
export interface ObjectCopyRow {
  readonly node: string;
  readonly role: "home" | "standby" | "replica";
  /** Clients that are connected to that node; of a node that did not answer, as the home knows them. */
  readonly clients: number;
}

export interface ObjectRow {
  readonly path: string;
  /** cluster: one object on all nodes. node: of a local application, the answering node's own. */
  readonly scope: "cluster" | "node";
  /** Id of the node that orders its changes; null while there is none. */
  readonly home: string | null;
  /** Node that has every acknowledged change beside the home; null without one. */
  readonly standby: string | null;
  /** Of the home, as `GENERATION.NUMBER`. */
  readonly epoch: string;
  /** Number of its last change. */
  readonly version: number;
  /** Null before it was created. */
  readonly durability: ObjectDurability | null;
  readonly properties: number;
  /** Of all properties with their names. */
  readonly bytes: number;
  readonly clients: { readonly here: number; readonly all: number };
  readonly copies: readonly ObjectCopyRow[];
  /** Changes per second, over the last seconds. */
  readonly rate: number;
  /** Null while unknown. `who`: user or address of the client, empty once it has gone. */
  readonly lastWriter: { readonly client: string; readonly who: string } | null;
}

/**
 * `GET /api/v1/objects`: a page in the order of the paths, of at most 500. The next one begins after the last path:
 * `?after=PATH`; `?limit=` makes it shorter.
 */
export interface ObjectsAnswer {
  readonly objects: readonly ObjectRow[];
  /** Objects of the whole list. */
  readonly total: number;
  /** There are further ones behind this page. */
  readonly more: boolean;
  /** Ids of nodes that did not answer: their clients may be missing, and objects that only they have. */
  readonly silent: readonly string[];
}

export interface PropertyRow {
  readonly name: string;
  /** As JSON; what JSON has no word for is tagged as in `sluice.v1`: `{"$date":0}`, `{"$bytes":"…"}`, `{"$undefined":true}`. */
  readonly value: unknown;
  /** Position of the change that wrote it, as `EPOCH/VERSION`. */
  readonly at: string;
  readonly bytes: number;
}

/** `GET /api/v1/objects/<path>`; `?limit=` leaves out all but the first properties. */
export interface ObjectAnswer {
  readonly object: ObjectRow;
  /** In the order of their names. */
  readonly properties: readonly PropertyRow[];
  readonly lock: { readonly owner: string; readonly leaseMs: number } | null;
  readonly silent: readonly string[];
}

/**
 * Answer to a change, once it is acknowledged:
 * `PUT /api/v1/objects/<path>?property=NAME` with any JSON sets one property, only if it stands where `&at=` says;
 * `PATCH /api/v1/objects/<path>` with `{"x":1,"y":null}` sets and removes several in one step (RFC 7396, one level deep);
 * `DELETE /api/v1/objects/<path>?property=NAME` removes one; `POST /api/v1/objects/<path>/clear` all.
 */
export interface ObjectWritten {
  readonly path: string;
  /** Position of the change, or of the last one where everything was so already. */
  readonly at: string;
}

/** Answer to `POST /api/v1/objects/<path>/move` with `{"node":ID}`; `DELETE /api/v1/objects/<path>` answers 204, or 409 while clients use it. */
export interface ObjectMoved {
  readonly path: string;
  readonly home: string;
}

/** What became of an object, told by its home. */
export type ObjectEvent =
  | { readonly type: "object-created"; readonly at: string; readonly path: string }
  /** A durable one was opened again. */
  | { readonly type: "object-restored"; readonly at: string; readonly path: string }
  | {
      readonly type: "object-moved";
      readonly at: string;
      readonly path: string;
      readonly from: string;
      readonly to: string;
    }
  /** Its home was lost; `by` is the next one. */
  | { readonly type: "object-taken-over"; readonly at: string; readonly path: string; readonly by: string }
  /** No node has a copy any more. */
  | { readonly type: "object-forgotten"; readonly at: string; readonly path: string; readonly isStored: boolean };
