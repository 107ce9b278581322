/** What the admin API needs to know and do; the composition root fills it from the running server. */
import type {
  AdminEvent,
  EngineAnswer,
  LinkRow,
  NodesAnswer,
  PreviewRow,
  SessionRow,
  StreamRow,
  StreamsAnswer,
  TestPatternRow,
} from "@sluice/client/admin-contract";

import type { ObjectAnswer, ObjectMoved, ObjectsAnswer, ObjectWritten } from "@sluice/client/admin-objects";

import type { DemoSource } from "./demo-routes.ts";

export interface AdminSource {
  readonly view: AdminView;
  readonly cluster: AdminCluster;
  readonly streams: AdminStreams;
  readonly objects: AdminObjects;
  readonly demo: DemoSource;
  readonly patterns: PatternSwitch;
  /** `undefined`: no stream can have this key. */
  openPreview(key: string): PreviewRow | undefined;
}

/** All nodes, and what any of them is asked to do. Nothing of it rejects: what goes wrong on the way is an answer. */
export interface AdminCluster {
  /** Nodes that do not answer in time are named. */
  nodes(): Promise<NodesAnswer>;
  links(): readonly LinkRow[];
  /** @param session.node  whose it is; undefined: of the node that answers */
  kick(session: { readonly id: string; readonly node: string | undefined }, reason: string): Promise<DeedOutcome>;
  drain(nodeId: string): Promise<DeedOutcome>;
  engine(): Promise<EngineAnswer>;
  /** @param order.type  `replace`: the store that the node has now is to take the place of one that was lost */
  changeMember(order: { readonly type: "remove" | "replace"; readonly id: string }): Promise<MemberChangeOutcome>;
}

/** Streams of all nodes. Nothing of it rejects. */
export interface AdminStreams {
  /** Nodes that do not answer in time are named. */
  list(page: Page): Promise<StreamsAnswer>;
  find(key: string): Promise<StreamRow | undefined>;
}

/** Shared objects of all nodes. Nothing of it rejects. */
export interface AdminObjects {
  /** Nodes that do not answer in time are named. */
  list(query: { readonly after: string; readonly limit: number }): Promise<ObjectsAnswer>;
  /** @param limit  of properties */
  find(path: string, limit: number): Promise<ObjectAnswer | ObjectRefusal>;
  /** All as one change, or none. */
  write(path: string, changes: readonly PropertyChange[]): Promise<ObjectWritten | ObjectRefusal>;
  move(path: string, node: string): Promise<ObjectMoved | ObjectRefusal>;
  /** On all nodes and in the engine, where no client uses it. */
  forget(path: string): Promise<"done" | ObjectRefusal>;
}

export type PropertyChange =
  /** @property at  where the property must stand: a position, or `none` */
  | { readonly type: "set"; readonly name: string; readonly value: unknown; readonly at?: string }
  | { readonly type: "remove"; readonly name: string; readonly at?: string }
  | { readonly type: "clear" };

export interface ObjectRefusal {
  readonly refused: "not-found" | "bad-request" | "conflict" | "unavailable";
  /** For people. */
  readonly detail: string;
}

/** Each with the reason. `silent`: it may be done all the same. */
export type MemberChangeOutcome = "done" | { readonly refused: string } | { readonly silent: string };

/** `silent` says why the node did not answer; it may have done it all the same. */
export type DeedOutcome = "done" | "unknown-node" | "not-found" | { readonly silent: string };

/** Test patterns. */
export interface PatternSwitch {
  /** `refused` says why, for people. */
  start(key: string): Promise<"started" | "already-running" | { readonly refused: string }>;
  /** `false`: none runs under this key. */
  stop(key: string): boolean;
}

/** A piece of a list. */
export interface Page {
  readonly limit: number;
  readonly offset: number;
}

export interface PageOf<Row> {
  readonly rows: readonly Row[];
  /** Of the whole list. */
  readonly total: number;
}

/** Rows are snapshots taken at the call; the API keeps none of them. */
export interface AdminView {
  /** @param key  only those on this stream */
  sessions(page: Page, key?: string): PageOf<SessionRow>;
  testPatterns(): readonly TestPatternRow[];
  readiness(): { readonly ready: boolean; readonly reasons: readonly string[] };
  /** Called at most once at a time: the API fans out itself, and disposes when its last listener leaves. */
  subscribe(listener: (event: AdminEvent) => void): Disposable;
}
