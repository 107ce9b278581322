/** What the admin API needs to know and do; the composition root fills it from the running server. */
import type {
  AdminEvent,
  NodeRow,
  PreviewRow,
  SessionRow,
  StreamRow,
  TestPatternRow,
} from "@sluice/client/admin-contract";

export interface AdminSource {
  readonly view: AdminView;
  readonly patterns: PatternSwitch;
  /** `false`: no such session. */
  kick(sessionId: string, reason: string): boolean;
  drain(nodeId: string): "draining" | "unknown-node";
  /** `undefined`: no stream can have this key. */
  openPreview(key: string): PreviewRow | undefined;
}

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
  streams(page: Page): PageOf<StreamRow>;
  findStream(key: string): StreamRow | undefined;
  /** @param key  only those on this stream */
  sessions(page: Page, key?: string): PageOf<SessionRow>;
  nodes(): readonly NodeRow[];
  testPatterns(): readonly TestPatternRow[];
  readiness(): { readonly ready: boolean; readonly reasons: readonly string[] };
  /** Called at most once at a time: the API fans out itself, and disposes when its last listener leaves. */
  subscribe(listener: (event: AdminEvent) => void): Disposable;
}
