/** JSON schemas of the rows and events of `/api/v1`; each must match its type in the contract or it does not compile. */
import type {
  AdminError,
  AdminEvent,
  NodeRow,
  PreviewRow,
  Protocol,
  SessionRow,
  StatsPart,
  StreamRow,
  TestPatternRow,
} from "@sluice/client/admin-contract";
import { amount, arrayOf, count, flag, instant, objectOf, oneOf, orNull, schemaOf, text } from "./schema-form.ts";

const PROTOCOL = oneOf<Protocol>(["rtmp", "rtmps", "rtmp-ws", "http-flv", "ws-flv", "internal"]);

const STREAM_ROW = schemaOf<StreamRow>()(
  objectOf({
    key: text("StreamKey: canonical path without leading slash, such as live/cam"),
    app: text(),
    state: oneOf(
      ["live", "grace", "waiting"],
      "live: fed by a publisher; grace: its publisher is gone and may return; waiting: viewers before any publisher",
    ),
    home: text("Node id of the origin"),
    epoch: count(),
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
    copies: count("Nodes that hold a mirror of it"),
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

const NODE_ROW = schemaOf<NodeRow>()(
  objectOf({
    id: text(),
    self: flag("The node that answers"),
    version: text(),
    roles: arrayOf(oneOf(["origin", "edge"])),
    addresses: {
      type: "object",
      additionalProperties: text("host:port to put into a URL"),
      description: "By listener name: rtmp, rtmps, http, https",
    },
    load: objectOf({
      cpu: amount("Of one core; above 1 when several are busy"),
      loop: amount("Event loop utilisation", 1),
      memoryBytes: count("Resident"),
    }),
    state: oneOf(["starting", "ready", "draining"]),
    uptimeSeconds: amount(),
    sessions: count(),
    streams: count(),
    bytesIn: count(),
    bytesOut: count(),
    open: { ...objectOf({ publish: flag(), play: flag() }), description: "Needs no credentials" },
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

const streamEvent = <const Type extends string>(type: Type) =>
  objectOf({ type: { const: type }, at: instant(), key: text() });

const ADMIN_EVENT = schemaOf<AdminEvent>()({
  anyOf: [
    streamEvent("stream-live"),
    streamEvent("stream-grace"),
    objectOf({ type: { const: "stream-ended" }, at: instant(), key: text(), reason: text() }),
    objectOf({ type: { const: "session-opened" }, at: instant(), id: text(), protocol: PROTOCOL, address: text() }),
    objectOf({ type: { const: "session-closed" }, at: instant(), id: text(), reason: text() }),
    objectOf({
      type: { const: "stats" },
      at: instant(),
      node: { $ref: "NodeRow#" },
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
  TestPatternRow: TEST_PATTERN_ROW,
  PreviewRow: PREVIEW_ROW,
  AdminError: ADMIN_ERROR,
  AdminEvent: ADMIN_EVENT,
} as const;
