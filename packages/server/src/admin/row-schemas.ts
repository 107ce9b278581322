/** JSON schemas of the rows and events of `/api/v1`; each must match its type in the contract or it does not compile. */
import type {
  AdminError,
  AdminEvent,
  EngineMemberRow,
  EngineRole,
  LinkClassRow,
  LinkRow,
  NodeRole,
  NodeRow,
  NodeState,
  OwnNodeRow,
  PreviewRow,
  Protocol,
  SessionRow,
  StatsPart,
  StreamCopyRow,
  StreamRow,
  TestPatternRow,
} from "@sluice/client/admin-contract";
import { OBJECT_ROW, PROPERTY_ROW } from "./object-schemas.ts";
import { amount, arrayOf, count, flag, instant, objectOf, oneOf, orNull, schemaOf, text } from "./schema-form.ts";

const PROTOCOL = oneOf<Protocol>(["rtmp", "rtmps", "rtmp-ws", "http-flv", "ws-flv", "sluice", "internal"]);

const STREAM_COPY = schemaOf<StreamCopyRow>()(
  objectOf({
    node: text("Node id"),
    role: oneOf(
      ["publisher", "home", "relay", "edge"],
      "publisher: it has the publisher; relay: it gives to other nodes",
    ),
    path: arrayOf(text("Node id: from this one to the one with the publisher")),
    viewers: orNull(count("On this node; null where it did not answer")),
    bitrate: orNull(amount("Bits per second received; null where it did not answer")),
    delayMs: orNull(amount("Age of a frame when it arrives, as far as the link before is the cause")),
    drops: orNull(
      objectOf({
        video: count("Frames it was not given because the link before was slow"),
        audio: count(),
        data: count(),
      }),
    ),
  }),
);

/** Also what another node answers about its own streams is checked by it. */
export const STREAM_ROW = schemaOf<StreamRow>()(
  objectOf({
    key: text("StreamKey: canonical path without leading slash, such as live/cam"),
    app: text(),
    state: oneOf(
      ["live", "grace", "waiting"],
      "live: fed by a publisher; grace: its publisher is gone and may return; waiting: viewers before any publisher",
    ),
    home: text("Node id of the origin; of a stream that waits, this node"),
    publisherAt: orNull(text("Node id of the one that has the publisher")),
    publication: orNull(text("16 hexadecimal digits, new for each publication")),
    epoch: orNull(text("Of the home, as GENERATION.NUMBER; null where the state engine has no row of it")),
    since: instant("When the current publication began; the time of the first viewer while waiting"),
    publisher: orNull(objectOf({ sessionId: text(), protocol: PROTOCOL, address: text(), agent: text() })),
    video: orNull(
      objectOf({
        codec: text("FourCC: avc1, hvc1, av01, vp09 …; legacy codecs by name"),
        codecString: text("RFC 6381, such as avc1.64001f; empty while unknown"),
        width: count("Pixels; 0 while unknown"),
        height: count("Pixels; 0 while unknown"),
      }),
    ),
    audio: orNull(objectOf({ codec: text(), codecString: text(), sampleRate: count("Hz"), channels: count() })),
    extraTracks: arrayOf(text("A track beyond the default one of its kind, as video:1")),
    bitrate: amount("Bits per second received, over the last seconds"),
    fps: amount("Video frames per second received, over the last seconds"),
    viewers: objectOf({ here: count("On this node"), all: count("On all nodes") }),
    copies: arrayOf(STREAM_COPY),
    gop: objectOf({ frames: count(), bytes: count(), seconds: amount() }),
    bytesIn: count(),
    bytesOut: count(),
    skips: count("Times that a lagging viewer was moved to a later key frame"),
  }),
);

const SESSION_ROW = schemaOf<SessionRow>()(
  objectOf({
    id: text(),
    protocol: PROTOCOL,
    role: oneOf(["publisher", "player", "idle"]),
    key: text("StreamKey; empty while idle"),
    app: text(),
    address: text(),
    agent: text("What the peer calls itself; its own claim"),
    since: instant(),
    bytesIn: count(),
    bytesOut: count(),
    lagging: flag(),
    skips: count(),
  }),
);

const NODE_FACTS = {
  id: text(),
  self: flag("The node that answers"),
  incarnation: count("Later lives of one id have higher numbers; 0 on a node that is not one of a cluster"),
  version: text(),
  roles: arrayOf(oneOf<NodeRole>(["origin", "edge", "voter"])),
  state: oneOf<NodeState>(
    ["starting", "ready", "draining", "suspect", "left", "dead"],
    "suspect: nobody hears it; left: it said goodbye; dead: silent, and what it owned has run out",
  ),
  linked: flag("The node that answers has a link to it, or is it"),
  addresses: {
    type: "object",
    additionalProperties: text("host:port to put into a URL, or for other nodes to dial"),
    description: "By protocol: rtmp, rtmps, http, https, ws, cluster",
  },
  since: instant("When its process began, by its own clock"),
  seed: orNull({
    type: "object",
    additionalProperties: text(),
    description:
      "Properties that the configuration of the node that answers gives it; null where that does not name it",
  } as const),
  differs: arrayOf(oneOf(["version", "auth"], "In what it differs from the node that answers, and should not")),
} as const;

const NODE_COUNTS = {
  heat: amount("How near it is to its limits, as an average", 1),
  engine: oneOf<EngineRole>(["leader", "voter", "learner", "client", "off"]),
  load: objectOf({
    cpu: amount("Of one core; above 1 when several are busy"),
    loop: amount("Event loop utilisation", 1),
    memoryBytes: count("Resident"),
  }),
  uptimeSeconds: amount(),
  sessions: count(),
  streams: count(),
  bytesIn: count(),
  bytesOut: count(),
  open: { ...objectOf({ publish: flag(), play: flag() }), description: "Needs no credentials" },
  reasons: arrayOf(text("Why it is not ready; none when it is")),
} as const;

const OWN_NODE_ROW = schemaOf<OwnNodeRow>()(objectOf({ ...NODE_FACTS, ...NODE_COUNTS }));

/** What a node would say itself is null where it did not answer in time. */
const NODE_ROW = schemaOf<NodeRow>()(
  objectOf({
    ...NODE_FACTS,
    heat: orNull(NODE_COUNTS.heat),
    engine: orNull(NODE_COUNTS.engine),
    load: orNull(NODE_COUNTS.load),
    uptimeSeconds: orNull(NODE_COUNTS.uptimeSeconds),
    sessions: orNull(NODE_COUNTS.sessions),
    streams: orNull(NODE_COUNTS.streams),
    bytesIn: orNull(NODE_COUNTS.bytesIn),
    bytesOut: orNull(NODE_COUNTS.bytesOut),
    open: orNull(NODE_COUNTS.open),
    reasons: orNull(NODE_COUNTS.reasons),
  }),
);

const LINK_CLASS = schemaOf<LinkClassRow>()(
  objectOf({
    queued: count("Bytes that wait to be sent"),
    credit: count("Bytes that the peer lets this side send now"),
    drops: { type: "object", additionalProperties: count(), description: "Messages that were not sent, by reason" },
  }),
);

const LINK_ROW = schemaOf<LinkRow>()(
  objectOf({
    peer: text("Node id"),
    direction: oneOf(["in", "out"], "out: this node dialled"),
    address: text("Address dialled, or that the connection came from"),
    since: instant(),
    rtt: orNull(amount("Round trip in milliseconds")),
    bytesIn: count(),
    bytesOut: count(),
    messagesIn: count(),
    messagesOut: count(),
    classes: objectOf({ control: LINK_CLASS, state: LINK_CLASS, media: LINK_CLASS, bulk: LINK_CLASS }),
  }),
);

const ENGINE_MEMBER_ROW = schemaOf<EngineMemberRow>()(
  objectOf({
    id: text(),
    role: oneOf(["leader", "voter", "learner"]),
    address: text("Where the others dial it; empty for one that only dials"),
    present: flag("The node is there; a voter that is not goes on counting until it is removed"),
  }),
);

const TEST_PATTERN_ROW = schemaOf<TestPatternRow>()(objectOf({ key: text("StreamKey of a running test pattern") }));

const PREVIEW_ROW = schemaOf<PreviewRow>()(
  objectOf({
    key: text("StreamKey"),
    token: text("For the stream's URL over HTTP-FLV or WS-FLV, as ?preview=TOKEN"),
    expires: instant("Until when a play may begin with it"),
  }),
);

const ADMIN_ERROR = schemaOf<AdminError>()(
  objectOf({ error: objectOf({ code: text("Stable, safe to match on"), message: text("For people") }) }),
);

const objectEvent = <const Type extends string, const More extends object>(type: Type, more: More) =>
  objectOf({ type: { const: type }, at: instant(), path: text("Path of the object"), ...more });

const streamEvent = <const Type extends string>(type: Type) =>
  objectOf({ type: { const: type }, at: instant(), key: text() });

const nodeEvent = <const Type extends string>(type: Type) =>
  objectOf({ type: { const: type }, at: instant(), id: text("Node id"), incarnation: count() });

const ADMIN_EVENT = schemaOf<AdminEvent>()({
  anyOf: [
    streamEvent("stream-live"),
    streamEvent("stream-grace"),
    objectOf({ type: { const: "stream-ended" }, at: instant(), key: text(), reason: text() }),
    objectOf({ type: { const: "session-opened" }, at: instant(), id: text(), protocol: PROTOCOL, address: text() }),
    objectOf({ type: { const: "session-closed" }, at: instant(), id: text(), reason: text() }),
    nodeEvent("node-joined"),
    nodeEvent("node-suspect"),
    nodeEvent("node-back"),
    objectOf({
      type: { const: "node-left" },
      at: instant(),
      id: text("Node id"),
      incarnation: count(),
      reason: oneOf(["goodbye", "restarted"], "restarted: it joins again at once"),
    }),
    nodeEvent("node-dead"),
    objectOf({ type: { const: "link-up" }, at: instant(), peer: text("Node id"), direction: oneOf(["in", "out"]) }),
    objectOf({ type: { const: "link-down" }, at: instant(), peer: text("Node id"), reason: text() }),
    objectEvent("object-created", {}),
    objectEvent("object-restored", {}),
    objectEvent("object-moved", { from: text("Node id"), to: text("Node id") }),
    objectEvent("object-taken-over", { by: text("Node id of its home from now on") }),
    objectEvent("object-forgotten", { isStored: flag("The state engine has it") }),
    objectOf({
      type: { const: "stats" },
      at: instant(),
      node: { $ref: "OwnNodeRow#" },
      streams: arrayOf({ $ref: "StreamRow#" }),
      part: oneOf<StatsPart>(
        ["whole", "begin", "middle", "end"],
        "whole: streams has all; else a piece of a round from begin to end, and a stream that no piece had is gone",
      ),
    }),
  ],
});

/** By the name under which the OpenAPI document and `$ref` know them. */
export const NAMED_SCHEMAS = {
  StreamRow: STREAM_ROW,
  SessionRow: SESSION_ROW,
  NodeRow: NODE_ROW,
  OwnNodeRow: OWN_NODE_ROW,
  LinkRow: LINK_ROW,
  EngineMemberRow: ENGINE_MEMBER_ROW,
  TestPatternRow: TEST_PATTERN_ROW,
  PreviewRow: PREVIEW_ROW,
  ObjectRow: OBJECT_ROW,
  PropertyRow: PROPERTY_ROW,
  AdminError: ADMIN_ERROR,
  AdminEvent: ADMIN_EVENT,
} as const;
