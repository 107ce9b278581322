/** A fake server for the tests of the admin app: rows, events and actions. */
import { SILENT_LOG } from "@sluice/base/log";
import type { Log } from "@sluice/base/log";
import type {
  AdminEvent,
  EngineAnswer,
  LinkRow,
  NodesAnswer,
  OwnNodeRow,
  PreviewRow,
  SessionRow,
  StreamRow,
} from "@sluice/client/admin-contract";
import type { ObjectAnswer, ObjectRow } from "@sluice/client/admin-objects";
import { type AdminAppOptions, createAdminApp } from "@sluice/server/admin/admin-app";
import type {
  AdminCluster,
  AdminObjects,
  AdminSource,
  AdminStreams,
  AdminView,
  DeedOutcome,
  MemberChangeOutcome,
  ObjectRefusal,
  Page,
  PageOf,
  PropertyChange,
} from "@sluice/server/admin/admin-source";
import { PromMeter } from "@sluice/runtime/metrics/prom-meter";
import { FakeClock } from "@sluice/testkit/fake-clock";

const AT = "2026-11-21T10:00:00.000Z";

export const STREAM: StreamRow = {
  key: "live/room/cam",
  app: "live",
  state: "live",
  home: "n1",
  publisherAt: "n1",
  publication: "0123456789abcdef",
  epoch: "1.3",
  since: AT,
  publisher: { sessionId: "s1", protocol: "rtmp", address: "127.0.0.1:5000", agent: "FMLE/3.0" },
  video: { codec: "avc1", codecString: "avc1.64001f", width: 1280, height: 720 },
  audio: { codec: "mp4a", codecString: "mp4a.40.2", sampleRate: 44100, channels: 2 },
  extraTracks: ["audio:1"],
  bitrate: 1_000_000.5,
  fps: 29.97,
  viewers: { here: 2, all: 5 },
  copies: [
    { node: "n1", role: "publisher", path: ["n1"], viewers: 2, bitrate: 1_000_000.5, delayMs: null, drops: null },
    {
      node: "n2",
      role: "edge",
      path: ["n2", "n1"],
      viewers: 3,
      bitrate: null,
      delayMs: 1.5,
      drops: { video: 4, audio: 0, data: 0 },
    },
  ],
  gop: { frames: 60, bytes: 200_000, seconds: 2.5 },
  bytesIn: 10,
  bytesOut: 20,
  skips: 1,
};

export const WAITING: StreamRow = {
  ...STREAM,
  key: "live/empty",
  state: "waiting",
  publisher: null,
  video: null,
  audio: null,
};

export const SESSION: SessionRow = {
  id: "s1",
  protocol: "ws-flv",
  role: "player",
  key: "live/room/cam",
  app: "live",
  address: "[::1]:4000",
  agent: "mpegts.js",
  since: AT,
  bytesIn: 1,
  bytesOut: 2,
  lagging: true,
  skips: 4,
};

export const ENGINE: EngineAnswer = {
  kind: "gcache",
  leader: "n1",
  members: [{ id: "n1", role: "leader", address: "127.0.0.1:7935", present: true }],
};

export const NODE: OwnNodeRow = {
  id: "n1",
  self: true,
  incarnation: 7,
  linked: true,
  since: AT,
  seed: null,
  differs: [],
  heat: 0.5,
  engine: "leader",
  version: "0.1.0",
  roles: ["origin", "edge"],
  addresses: { rtmp: "127.0.0.1:1935", http: "127.0.0.1:8080" },
  load: { cpu: 0.25, loop: 0.5, memoryBytes: 80_000_000 },
  state: "ready",
  uptimeSeconds: 12.5,
  sessions: 1,
  streams: 2,
  bytesIn: 3,
  bytesOut: 4,
  open: { publish: true, play: true },
  reasons: [],
};

const CLASS = { queued: 0, credit: 65_536, drops: {} };

export const LINK: LinkRow = {
  peer: "n2",
  direction: "out",
  address: "192.0.2.7:7935",
  since: AT,
  rtt: 0.4,
  bytesIn: 10,
  bytesOut: 20,
  messagesIn: 1,
  messagesOut: 2,
  classes: { control: CLASS, state: CLASS, media: { ...CLASS, drops: { full: 3 } }, bulk: CLASS },
};

/** Another node, which does not answer. */
export const NODES: NodesAnswer = {
  nodes: [
    NODE,
    {
      id: "n2",
      self: false,
      incarnation: 8,
      version: "0.2.0",
      roles: ["voter"],
      state: "suspect",
      linked: false,
      addresses: { cluster: "192.0.2.7:7935" },
      since: AT,
      seed: { type: "master" },
      differs: ["version", "auth"],
      heat: null,
      engine: null,
      load: null,
      uptimeSeconds: null,
      sessions: null,
      streams: null,
      bytesIn: null,
      bytesOut: null,
      open: null,
      reasons: null,
    },
  ],
  silent: ["n2"],
  stale: true,
};

export const OBJECT: ObjectRow = {
  path: "room/ball",
  scope: "cluster",
  home: "n1",
  standby: "n2",
  epoch: "1.7",
  version: 12,
  durability: { every: 500 },
  properties: 2,
  bytes: 90,
  clients: { here: 1, all: 3 },
  copies: [
    { node: "n1", role: "home", clients: 1 },
    { node: "n2", role: "standby", clients: 2 },
  ],
  rate: 24.5,
  lastWriter: { client: "n2.1.a", who: "192.0.2.7:4000" },
};

/** Each kind of value that JSON has, and one that it has not. */
export const OPENED_OBJECT: ObjectAnswer = {
  object: OBJECT,
  properties: [
    { name: "x", value: 12.5, at: "1.7/12", bytes: 9 },
    { name: "deep", value: { list: [1, "two", null, true], made: { $date: 0 } }, at: "1.7/3", bytes: 40 },
    { name: "none", value: null, at: "1.7/4", bytes: 1 },
  ],
  lock: { owner: "n2.1.a", leaseMs: 5_000 },
  silent: [],
};

export const WRITTEN = { path: "room/ball", at: "1.7/13" };

export const EVENTS: readonly AdminEvent[] = [
  { type: "stream-live", at: AT, key: "live/room/cam" },
  { type: "stream-grace", at: AT, key: "live/room/cam" },
  { type: "stream-ended", at: AT, key: "live/room/cam", reason: "publisher left" },
  { type: "session-opened", at: AT, id: "s1", protocol: "rtmp", address: "127.0.0.1:1" },
  { type: "session-closed", at: AT, id: "s1", reason: "left" },
  { type: "node-joined", at: AT, id: "n2", incarnation: 8 },
  { type: "node-suspect", at: AT, id: "n2", incarnation: 8 },
  { type: "node-back", at: AT, id: "n2", incarnation: 8 },
  { type: "node-left", at: AT, id: "n2", incarnation: 8, reason: "restarted" },
  { type: "node-dead", at: AT, id: "n2", incarnation: 9 },
  { type: "link-up", at: AT, peer: "n2", direction: "out" },
  { type: "link-down", at: AT, peer: "n2", reason: "goodbye" },
  { type: "object-created", at: AT, path: "room/ball" },
  { type: "object-restored", at: AT, path: "room/ball" },
  { type: "object-moved", at: AT, path: "room/ball", from: "n1", to: "n2" },
  { type: "object-taken-over", at: AT, path: "room/ball", by: "n2" },
  { type: "object-forgotten", at: AT, path: "room/ball", isStored: true },
  { type: "stats", at: AT, node: NODE, streams: [STREAM, WAITING], part: "whole" },
];

const NO_OBJECT: ObjectRefusal = { refused: "not-found", detail: "Cannot find object" };

export class FakeSource implements AdminSource, AdminView, AdminCluster {
  readonly view: AdminView = this;
  readonly cluster: AdminCluster = this;
  /** Changes of properties, as they were asked for. */
  readonly written: (readonly [path: string, changes: readonly PropertyChange[]])[] = [];
  /** Pages of objects. */
  readonly listed: { readonly after: string; readonly limit: number }[] = [];
  readonly streams: AdminStreams = {
    list: async ({ limit, offset }) => {
      if (this.fault) throw this.fault;
      return { streams: [STREAM, WAITING].slice(offset, offset + limit), total: 2, silent: ["n3"] };
    },
    find: async (key) => [STREAM, WAITING].find((row) => row.key === key),
  };
  readonly objects: AdminObjects = {
    list: async (query) => {
      this.listed.push(query);
      return { objects: [OBJECT], total: 8, more: true, silent: ["n3"] };
    },
    find: async (path) => (path === OBJECT.path ? OPENED_OBJECT : NO_OBJECT),
    write: async (path, changes) => {
      this.written.push([path, changes]);
      if (path !== OBJECT.path) return NO_OBJECT;
      const [first] = changes;
      const isStale = first?.type === "set" && first.at === "none";
      return isStale ? { refused: "conflict", detail: "stale (x)" } : WRITTEN;
    },
    move: async (path, node) =>
      node === "n3" ? { refused: "unavailable", detail: "no link to the node" } : { path, home: node },
    forget: async (path) => (path === OBJECT.path ? { refused: "conflict", detail: "clients use it" } : "done"),
  };
  readonly demo = {
    isOpen: true,
    aboutBall: (isKnown: boolean) => ({
      node: "n1",
      home: "n1",
      standby: null,
      others: isKnown ? [{ id: "n2", address: "192.0.2.7:8080" }] : [],
      commands: isKnown ? [] : null,
    }),
  };
  readonly kicked: { readonly id: string; readonly reason: string }[] = [];
  /** Pages of sessions. */
  readonly asked: Page[] = [];
  readonly running = new Set<string>();
  readonly listeners = new Set<(event: AdminEvent) => void>();
  /** When set, reading the streams fails with it. */
  fault: Error | undefined;
  ready = true;

  sessions({ limit, offset }: Page, key = SESSION.key): PageOf<SessionRow> {
    this.asked.push({ limit, offset });
    const rows = [SESSION].filter((row) => row.key === key);
    return { rows: rows.slice(offset, offset + limit), total: rows.length };
  }
  async nodes(): Promise<NodesAnswer> {
    return NODES;
  }
  links(): readonly LinkRow[] {
    return [LINK];
  }
  testPatterns() {
    return [...this.running].map((key) => ({ key }));
  }
  readiness() {
    return { ready: this.ready, reasons: this.ready ? [] : ["draining"] };
  }
  async kick({ id, node = NODE.id }: { id: string; node: string | undefined }, reason: string): Promise<DeedOutcome> {
    if (node !== NODE.id) return this.drain(node);
    this.kicked.push({ id, reason });
    return id === SESSION.id ? "done" : "not-found";
  }
  async engine(): Promise<EngineAnswer> {
    return ENGINE;
  }
  async changeMember({ type, id }: { type: string; id: string }): Promise<MemberChangeOutcome> {
    if (id === "n2") return { silent: "no link to the node" };
    return id === NODE.id ? { refused: `Cannot ${type} member "${id}": it leads` } : "done";
  }
  async drain(id: string): Promise<DeedOutcome> {
    if (id === "n2") return { silent: "no link to the node" };
    return id === NODE.id ? "done" : "unknown-node";
  }
  readonly patterns: AdminSource["patterns"] = {
    start: async (key) => {
      if (key.startsWith("taken/")) return { refused: "it has a publisher" };
      if (this.running.has(key)) return "already-running";
      this.running.add(key);
      return "started";
    },
    stop: (key) => this.running.delete(key),
  };
  openPreview(key: string): PreviewRow | undefined {
    return key.includes("..") ? undefined : { key, token: "1.x", expires: AT };
  }
  subscribe(listener: (event: AdminEvent) => void): Disposable {
    this.listeners.add(listener);
    return { [Symbol.dispose]: () => void this.listeners.delete(listener) };
  }
  emit(event: AdminEvent): void {
    for (const listener of this.listeners) listener(event);
  }
}

/** An app on fakes; whatever `changed` names stands in for the fake. */
export function fakeAdmin(changed: Partial<AdminAppOptions> = {}) {
  const source = new FakeSource();
  const clock = new FakeClock();
  const meter = new PromMeter({ processMetrics: "off" });
  const errors: unknown[] = [];
  const log: Log = { ...SILENT_LOG, error: (fields) => void errors.push(fields) };
  const app = createAdminApp({
    source,
    metrics: () => meter.page(),
    consoleDir: undefined,
    access: () => "allowed",
    corsOrigins: [],
    version: "0.1.0",
    log,
    clock,
    meter,
    ...changed,
  });
  return { app, source, clock, meter, errors };
}

/** Lets in whoever shows this token. */
export const TOKEN = "let me=in;";

export const tokenOnly: AdminAppOptions["access"] = ({ token }) =>
  token === TOKEN ? "allowed" : { status: 401, message: 'Say "please" & <b>show</b> a token' };
