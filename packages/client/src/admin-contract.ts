/** The types of `/api/v1`, shared by server and console. Times are ISO 8601, rates per second. */
import type { ObjectEvent } from "./admin-objects.ts";

export type StreamState = "live" | "grace" | "waiting";

export type Protocol = "rtmp" | "rtmps" | "rtmp-ws" | "http-flv" | "ws-flv" | "sluice" | "internal";

/** One node that has a stream, or waits for it. */
export interface StreamCopyRow {
  readonly node: string;
  /** publisher: it has the publisher; relay: it gives the stream to further nodes; edge: to viewers alone. */
  readonly role: "publisher" | "home" | "relay" | "edge";
  /** Nodes from this one to the one with the publisher, both included; empty while it has no source. */
  readonly path: readonly string[];
  /** On this node; null where it did not answer. */
  readonly viewers: number | null;
  /** Bits per second that it received over the last seconds; null where it did not answer. */
  readonly bitrate: number | null;
  /** How old a frame is when it arrives, in milliseconds, as far as the link before is the cause; null without one. */
  readonly delayMs: number | null;
  /** Frames that this node was not given because the link before was slow; null without one. */
  readonly drops: { readonly video: number; readonly audio: number; readonly data: number } | null;
}

/** `GET /api/v1/streams` answers a StreamsAnswer, a page of at most 1,000 by `?limit=&offset=`; `GET /api/v1/streams/<key>` one row or 404. */
export interface StreamRow {
  /** StreamKey: canonical path without leading slash, such as `live/cam`. */
  readonly key: string;
  readonly app: string;
  /** live: has a publisher; grace: its publisher is gone and may return; waiting: viewers before any publisher. */
  readonly state: StreamState;
  /** Node id of the origin; of a stream that waits, the answering node. */
  readonly home: string;
  /** Node id of the one that has the publisher; null while there is none. */
  readonly publisherAt: string | null;
  /** 16 hexadecimal digits, new for each publication; null before the first. */
  readonly publication: string | null;
  /** Of the home, as `GENERATION.NUMBER`; null where the state engine has no row of it. */
  readonly epoch: string | null;
  /** Start of the current publication; while waiting, arrival of the first viewer. */
  readonly since: string;
  readonly publisher: {
    readonly sessionId: string;
    readonly protocol: Protocol;
    readonly address: string;
    readonly agent: string;
  } | null;
  readonly video: VideoRow | null;
  readonly audio: AudioRow | null;
  /** Tracks beyond the default one of each kind, as `video:1`, `audio:2`. */
  readonly extraTracks: readonly string[];
  /** Bits per second received, over the last seconds. */
  readonly bitrate: number;
  /** Video frames per second received, over the last seconds. */
  readonly fps: number;
  /** On the answering node, and on all nodes that answered it. */
  readonly viewers: { readonly here: number; readonly all: number };
  /** Every node that has it or waits for it, the publisher's first. */
  readonly copies: readonly StreamCopyRow[];
  readonly gop: { readonly frames: number; readonly bytes: number; readonly seconds: number };
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Times that a lagging viewer was moved to a later key frame. */
  readonly skips: number;
}

export interface StreamsAnswer {
  /** Those of the answering node first, then those that only other nodes have. */
  readonly streams: readonly StreamRow[];
  readonly total: number;
  /** Ids of nodes that did not answer: their viewers are missing, and streams that only they have. */
  readonly silent: readonly string[];
}

export interface VideoRow {
  /** FourCC: avc1, hvc1, av01, vp09 …; legacy codecs by name. */
  readonly codec: string;
  /** RFC 6381, such as `avc1.64001f`; empty while unknown. */
  readonly codecString: string;
  readonly width: number;
  readonly height: number;
}

export interface AudioRow {
  readonly codec: string;
  readonly codecString: string;
  readonly sampleRate: number;
  readonly channels: number;
}

/** `GET /api/v1/sessions` answers `{ sessions: SessionRow[], total }`, a page as of streams, of one stream by `?key=`; `DELETE /api/v1/sessions/<id>` ends one (204 or 404). */
export interface SessionRow {
  readonly id: string;
  readonly protocol: Protocol;
  readonly role: "publisher" | "player" | "idle";
  /** Empty while idle. */
  readonly key: string;
  readonly app: string;
  readonly address: string;
  readonly agent: string;
  readonly since: string;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly lagging: boolean;
  readonly skips: number;
}

export type NodeRole = "origin" | "edge" | "voter";

/** suspect: no node hears it; left: it said goodbye; dead: silent, and its leases have run out. */
export type NodeState = "starting" | "ready" | "draining" | "suspect" | "left" | "dead";

/** off: it has no engine; client: it uses the engine of other nodes, or of a server. */
export type EngineRole = "leader" | "voter" | "learner" | "client" | "off";

/** What every node of the cluster knows about a node. */
export interface NodeFacts {
  readonly id: string;
  /** True for the node that answers. */
  readonly self: boolean;
  /** Later lives of one id have higher numbers; 0 outside a cluster. */
  readonly incarnation: number;
  readonly version: string;
  readonly roles: readonly NodeRole[];
  readonly state: NodeState;
  /** The answering node has a link to it, or is it. */
  readonly linked: boolean;
  /** By protocol (`rtmp`, `rtmps`, `http`, `https`, `ws`, `cluster`): `host:port` for URLs, or for other nodes to dial. */
  readonly addresses: Readonly<Record<string, string>>;
  /** Start of its process, by its own clock. */
  readonly since: string;
  /** Properties that the answering node's configuration gives it; null unless it is a configured seed there. */
  readonly seed: Readonly<Record<string, string>> | null;
  /** Differences from the answering node that a cluster should not have. */
  readonly differs: readonly ("version" | "auth")[];
}

/** Current figures that a node reports about itself. */
export interface NodeCounts {
  /** How near it is to its limits, 0 to 1, as an average. */
  readonly heat: number;
  readonly engine: EngineRole;
  readonly load: {
    /** 0 to 1 of one core. */
    readonly cpu: number;
    /** Event loop utilisation, 0 to 1. */
    readonly loop: number;
    readonly memoryBytes: number;
  };
  readonly uptimeSeconds: number;
  readonly sessions: number;
  readonly streams: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Publish and play need no credentials: shown as a warning. */
  readonly open: { readonly publish: boolean; readonly play: boolean };
  /** Why it is not ready, as its `/readyz` says; empty when it is ready. */
  readonly reasons: readonly string[];
}

/** The answering node. */
export interface OwnNodeRow extends NodeFacts, NodeCounts {}

/** Any node; its own figures are null if it did not answer in time. */
export type NodeRow = NodeFacts & { readonly [Name in keyof NodeCounts]: NodeCounts[Name] | null };

/** `GET /api/v1/nodes`; `POST /api/v1/nodes/<id>/drain` answers 202, `DELETE /api/v1/sessions/<id>?node=<id>` asks another node. */
export interface NodesAnswer {
  /** One for each id. */
  readonly nodes: readonly NodeRow[];
  /** Ids of nodes that should be there and did not answer. */
  readonly silent: readonly string[];
  /** A node is suspect for longer than it takes to be dead, and the engine cannot confirm it: the view may be wrong. */
  readonly stale: boolean;
}

/** A node that has, or will have, a copy of the state. */
export interface EngineMemberRow {
  readonly id: string;
  readonly role: "leader" | "voter" | "learner";
  /** Address for the other members; empty for one that only dials. */
  readonly address: string;
  /** Whether the answering node sees it. A missing voter still counts until it is removed. */
  readonly present: boolean;
}

/**
 * `GET /api/v1/cluster`: the state engine and its members, as this node, or the first member that it asks, knows them.
 * `DELETE /api/v1/cluster/members/<id>` removes one that is gone for good, `POST /api/v1/cluster/members/<id>/replace`
 * replaces its lost store by the one that its node has now: 204 when done, 409 with the reason.
 */
export interface EngineAnswer {
  readonly kind: "off" | "gcache" | "nats" | "redis";
  /** Null without a leader; also with `nats` and `redis`, which have no members here. */
  readonly leader: string | null;
  readonly members: readonly EngineMemberRow[];
}

/** Queues of the channels of one class of a link. */
export interface LinkClassRow {
  /** Bytes that wait to be sent. */
  readonly queued: number;
  /** Bytes that the peer allows this side to send now. */
  readonly credit: number;
  /** Messages that were not sent, by reason. */
  readonly drops: Readonly<Record<string, number>>;
}

/** `GET /api/v1/links` answers `{ links: LinkRow[] }`: the links of the answering node. */
export interface LinkRow {
  /** Node id. */
  readonly peer: string;
  /** out: this node dialled. */
  readonly direction: "in" | "out";
  /** The address dialled, or the remote address of an accepted connection. */
  readonly address: string;
  readonly since: string;
  /** Round trip in milliseconds; null before the first. */
  readonly rtt: number | null;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly messagesIn: number;
  readonly messagesOut: number;
  readonly classes: {
    readonly control: LinkClassRow;
    readonly state: LinkClassRow;
    readonly media: LinkClassRow;
    readonly bulk: LinkClassRow;
  };
}

/** `POST /api/v1/test-patterns` with `{ key?: string }` (default `demo/test-pattern`) answers 201 with this; `DELETE /api/v1/test-patterns/<key>` 204; `GET` lists `{ testPatterns: TestPatternRow[] }`. */
export interface TestPatternRow {
  readonly key: string;
}

/** `POST /api/v1/previews` with `{ key: string }` answers 201 with this: a right to begin playing one stream over HTTP-FLV or WS-FLV. */
export interface PreviewRow {
  readonly key: string;
  /** For the stream's URL, as `?preview=TOKEN`. */
  readonly token: string;
  readonly expires: string;
}

/**
 * Which streams of the node a `stats` event contains: all, or the next part of a round. A stream in none of the events
 * from `begin` to `end` is gone.
 */
export type StatsPart = "whole" | "begin" | "middle" | "end";

/** `GET /api/v1/events` (SSE): each event's `event:` is `type`, its `data:` this object as JSON; `stats` comes once a second. */
export type AdminEvent =
  | { readonly type: "stream-live"; readonly at: string; readonly key: string }
  | { readonly type: "stream-grace"; readonly at: string; readonly key: string }
  | { readonly type: "stream-ended"; readonly at: string; readonly key: string; readonly reason: string }
  | {
      readonly type: "session-opened";
      readonly at: string;
      readonly id: string;
      readonly protocol: Protocol;
      readonly address: string;
    }
  | { readonly type: "session-closed"; readonly at: string; readonly id: string; readonly reason: string }
  /** Seen for the first time in this incarnation. */
  | { readonly type: "node-joined"; readonly at: string; readonly id: string; readonly incarnation: number }
  | { readonly type: "node-suspect"; readonly at: string; readonly id: string; readonly incarnation: number }
  /** A suspect node is heard again. */
  | { readonly type: "node-back"; readonly at: string; readonly id: string; readonly incarnation: number }
  /** With the reason `restarted` it joins again at once. */
  | {
      readonly type: "node-left";
      readonly at: string;
      readonly id: string;
      readonly incarnation: number;
      readonly reason: "goodbye" | "restarted";
    }
  | { readonly type: "node-dead"; readonly at: string; readonly id: string; readonly incarnation: number }
  | { readonly type: "link-up"; readonly at: string; readonly peer: string; readonly direction: "in" | "out" }
  | { readonly type: "link-down"; readonly at: string; readonly peer: string; readonly reason: string }
  | ObjectEvent
  | {
      readonly type: "stats";
      readonly at: string;
      readonly node: OwnNodeRow;
      readonly streams: readonly StreamRow[];
      readonly part: StatsPart;
    };

/** Every error answer of `/api/v1`. */
export interface AdminError {
  readonly error: { readonly code: string; readonly message: string };
}
