/** What real programs sent, replayed: the same events however the bytes are split, and nothing worse than an error when spoilt. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { amfObject } from "@sluice/amf/value";
import { LimitError, WireError } from "@sluice/bytes/wire-error";
import type { RtmpServerEvent } from "@sluice/rtmp/server-event";
import { everySplitGives } from "@sluice/testkit/byte-splitter";
import { bytesFrom, decodeCapture, piecesFrom } from "@sluice/testkit/capture";
import { fuzz } from "@sluice/testkit/fuzz";
import { acceptAll, createServer, NODE_CRYPTO, takeAll } from "./ports.ts";

const FOLDER = new URL("../../../fixtures/rtmp/", import.meta.url);
const load = (name: string) => decodeCapture(readFileSync(new URL(`${name}.jsonl`, FOLDER), "utf8"));

function run(pieces: readonly Uint8Array[]): RtmpServerEvent[] {
  const server = createServer({ crypto: { ...NODE_CRYPTO, randomBytes: (count) => new Uint8Array(count) } });
  const events: RtmpServerEvent[] = [];
  for (const piece of pieces) {
    server.receive(piece);
    for (let event = server.nextEvent(); event !== undefined; event = server.nextEvent()) {
      events.push(event);
      acceptAll(event, server);
    }
    server.nextOutput();
  }
  return events;
}

/** Types in order, runs of media folded. */
function outline(events: readonly RtmpServerEvent[]): string[] {
  const names = events.map((event) => (event.type === "media" ? event.kind : event.type));
  return names.filter((name, i) => name !== names[i - 1] || !["audio", "video"].includes(name)).slice(0, 8);
}

const CAPTURES = [
  {
    name: "ffmpeg-publish",
    form: "digest",
    flashVer: "FMLE/3.0 (compatible; Lavf59.27.100)",
    streamName: "cam?token=abc",
    outline: ["handshake-done", "connect", "publish", "data", "video", "audio", "video", "audio"],
  },
  {
    name: "gstreamer-publish",
    form: "plain",
    flashVer: "LNX 10,0,32,18",
    streamName: "gst",
    outline: ["handshake-done", "connect", "publish", "data", "audio", "video", "audio", "video"],
  },
  {
    name: "librtmp-play",
    form: "plain",
    flashVer: "LNX 10,0,32,18",
    streamName: "cam",
    outline: ["handshake-done", "connect", "buffer-length", "play", "buffer-length", "stream-closed"],
  },
] as const;

for (const capture of CAPTURES) {
  test(`[HSK2] [CHK13] [NST1] capture ${capture.name}`, () => {
    const recorded = load(capture.name);
    const events = run(piecesFrom(recorded, "peer"));
    assert.deepEqual(outline(events), capture.outline);
    assert.deepEqual(events[0], { type: "handshake-done", form: capture.form });
    assert.ok(events[1]?.type === "connect" && events[1].request.app === "live");
    assert.equal(events[1].request.flashVer, capture.flashVer);
    const named = events.find((event) => event.type === "publish" || event.type === "play");
    assert.ok(named !== undefined && "streamName" in named);
    assert.equal(named.streamName, capture.streamName);
    assert.deepEqual(everySplitGives(bytesFrom(recorded, "peer"), run, { runs: 20 }), events);
  });
}

test("[MSG1] metadata of real encoders is told as such", () => {
  for (const name of ["ffmpeg-publish", "gstreamer-publish"]) {
    const data = run(piecesFrom(load(name), "peer")).find((event) => event.type === "media" && event.kind === "data");
    assert.ok(data?.type === "media" && data.kind === "data" && data.data === "set-data-frame");
    assert.equal(Buffer.from(data.payload.subarray(3, 13)).toString(), "onMetaData");
  }
});

test("[SOB432] capture rtmp-client-objects", () => {
  const recorded = load("rtmp-client-objects");
  const events = run(piecesFrom(recorded, "peer"));
  const told = events.flatMap((event) => (event.type === "shared-object" ? [event.message] : []));
  const best = amfObject({ name: "a", points: [1, 2], since: new Date(1_180_000_000_000) });
  assert.deepEqual(
    told.map(({ name, version, isPersistent, events: [event] }) => [name, version, isPersistent, event]),
    [
      ["ball", 0, false, { type: "use" }],
      ["scores", 0, false, { type: "use" }],
      ["ball", 0, false, { type: "request-change", properties: [["x", 12.5]] }],
      ["ball", 0, false, { type: "request-change", properties: [["label", "Käse"]] }],
      ["scores", 0, false, { type: "request-change", properties: [["best", best]] }],
      ["ball", 0, false, { type: "request-remove", names: ["x"] }],
      ["ball", 0, false, { type: "request-clear" }],
    ],
  );
  assert.deepEqual(everySplitGives(bytesFrom(recorded, "peer"), run, { runs: 20 }), events);
});

const HANDSHAKE_BYTES = 1 + 2 * 1536;
const NAMES = [...CAPTURES.map(({ name }) => name), "rtmp-client-objects"];
const handshakes = NAMES.map((name) => bytesFrom(load(name), "peer"));
fuzz(
  "[RLM3] server-engine",
  (bytes) => {
    const server = createServer();
    server.receive((handshakes[1] as Uint8Array).subarray(0, HANDSHAKE_BYTES));
    server.receive(bytes);
    for (const event of takeAll(server)) acceptAll(event, server);
    takeAll(server);
    server.nextOutput();
  },
  { seeds: handshakes.map((bytes) => bytes.slice(HANDSHAKE_BYTES)), allowed: [WireError, LimitError], seconds: 1 },
);
