/** The metrics page after a little of everything, against what those who did it counted themselves. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { makeClip, WorkFolder } from "./support/clip.ts";
import { type FlvViewer, watchHttp, watchWebSocket } from "./support/flv-viewer.ts";
import { openRaw } from "./support/raw-peer.ts";
import { connectPeer, type RtmpPeer } from "./support/rtmp-peer.ts";
import { type Server, startServer } from "./support/server.ts";
import { isCoded, isKey, readFlvFile, type Unit } from "./support/units.ts";
import { until } from "@sluice/testkit/until";

/** Where no number can be foretold, or where asking for it changes it. */
const NOT_FORETOLD = [
  /^sluice_(process|nodejs)_/,
  /_utilization$/,
  /^sluice_delivery_(writes_total|window_milliseconds)$/,
  /^sluice_admin_requests_total/,
];

const CHUNK_SIZE = 4_096;
const RTMP_HEADER_BYTES = 12;
const FLV_HEADER_BYTES = 9 + 4;
const FLV_TAG_BYTES = 11 + 4;

let folder: WorkFolder;
let server: Server;
/** Metadata, set-up of both decoders, then frames, a key frame first. */
let clip: Unit[];

before(async () => {
  folder = new WorkFolder();
  clip = readFlvFile(makeClip(folder, "clip.flv", { seconds: 2 }));
  const hasty = ["applications.hasty.play.wait=0", "applications.hasty.play.httpWait=0"];
  server = await startServer({
    set: ["grace.windowMs=0", "play.httpWait=forever", `rtmp.chunkSize=${CHUNK_SIZE}`, ...hasty],
  });
});

after(async () => {
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

test("every count on the metrics page is what really happened", async () => {
  const atStart = await readCounts();
  assert.deepEqual([...new Set(Object.values(atStart))], [0]);
  const audience = await openAudience();
  const sent = await publishOnce(audience);
  await beRefused();
  await misbehave();
  await until("the end of all sessions", async () => ((await server.sessions()).length === 0 ? true : undefined));
  assert.deepEqual(await readCounts(), {
    ...atStart,
    sluice_ingest_bytes_total: sum(sent.map(({ body }) => body.length)),
    sluice_ingest_frames_total: sent.length,
    sluice_ingest_frames_before_key_total: 2,
    sluice_ingest_frames_without_config_total: 1,
    sluice_delivery_bytes_total: bytesHeardBy(audience),
    'sluice_sessions_opened_total{protocol="rtmp"}': 5,
    'sluice_sessions_opened_total{protocol="http-flv"}': 1,
    'sluice_sessions_opened_total{protocol="ws-flv"}': 1,
    'sluice_sessions_closed_total{protocol="rtmp",reason="peer-closed"}': 4,
    'sluice_sessions_closed_total{protocol="rtmp",reason="wire-error"}': 1,
    'sluice_sessions_closed_total{protocol="http-flv",reason="stream-ended"}': 1,
    'sluice_sessions_closed_total{protocol="ws-flv",reason="stream-ended"}': 1,
    'sluice_publish_refused_total{reason="taken"}': 1,
    'sluice_play_refused_total{protocol="rtmp",reason="not-found"}': 1,
    'sluice_play_refused_total{protocol="http-flv",reason="not-found"}': 1,
    'sluice_wire_errors_total{code="WIRE_RTMP_HTTP_ON_PORT"}': 1,
    'sluice_http_bad_requests_total{status="400"}': 1,
  });
});

interface Audience {
  readonly rtmp: RtmpPeer;
  readonly web: FlvViewer;
  readonly socket: FlvViewer;
}

async function openAudience(): Promise<Audience> {
  const rtmp = await connectPeer({ port: server.port(), app: "live" });
  rtmp.play("cam");
  const url = server.http("/live/cam.flv");
  const web = await watchHttp(url);
  const socket = await watchWebSocket(url.replace("http:", "ws:"));
  await server.viewers("live/cam", 3);
  return { rtmp, web, socket };
}

/** Of media with its headers: a long one for each RTMP message, FLV's, and WebSocket's around each tag. */
function bytesHeardBy({ rtmp, web, socket }: Audience): number {
  const sizes = ({ units }: { readonly units: readonly Unit[] }): number[] => units.map(({ body }) => body.length);
  const tags = (viewer: FlvViewer): number[] => [
    FLV_HEADER_BYTES,
    ...sizes(viewer).map((size) => FLV_TAG_BYTES + size),
  ];
  const framed = (size: number): number => size + (size < 126 ? 2 : size < 65_536 ? 4 : 10);
  const chunked = (size: number): number => RTMP_HEADER_BYTES + size + Math.ceil(size / CHUNK_SIZE) - 1;
  const media = sizes(rtmp).slice(1); // the first data message, |RtmpSampleAccess, belongs to the answer to `play`
  return sum(media.map(chunked)) + sum(tags(web)) + sum(tags(socket).map(framed));
}

/** With a second publisher that is turned away meanwhile. @returns all that it sent */
async function publishOnce({ rtmp, web, socket }: Audience): Promise<Unit[]> {
  await using publisher = await connectPeer({ port: server.port(), app: "live" });
  await publisher.publish("cam");
  const sound = clip.find((unit) => unit.kind === "audio" && isCoded(unit)) as Unit;
  const delta = clip.find((unit) => unit.kind === "video" && isCoded(unit) && !isKey(unit)) as Unit;
  const sent = [sound, ...clip.slice(0, 2), delta, delta, ...clip.slice(2)];
  await publisher.sendAll(sent);
  await using second = await connectPeer({ port: server.port(), app: "live" });
  second.engine.publish("cam");
  second.flush();
  await second.status("NetStream.Publish.BadName");
  publisher.leave();
  await rtmp.status("NetStream.Play.UnpublishNotify");
  await Promise.all([web.ended, socket.ended]);
  rtmp.destroy();
  return sent;
}

async function beRefused(): Promise<void> {
  await using rtmp = await connectPeer({ port: server.port(), app: "hasty" });
  rtmp.play("nothing");
  await rtmp.status("NetStream.Play.StreamNotFound");
  await using web = await watchHttp(server.http("/hasty/nothing.flv"));
  assert.equal(web.status, 404);
}

async function misbehave(): Promise<void> {
  await using browser = await openRaw(server.port());
  browser.write("GET / HTTP/1.1\r\n\r\n");
  await browser.closed;
  await using nobody = await openRaw(server.port("http"));
  nobody.write("NONSENSE\r\n\r\n");
  await nobody.closed;
}

/** A peer that goes may leave something unread, and so reset its connection: both ways of going count as one. */
async function readCounts(): Promise<Record<string, number>> {
  const page = await (await fetch(server.http("/metrics"))).text();
  const counts: Record<string, number> = {};
  for (const line of page.split("\n")) {
    const at = line.lastIndexOf(" ");
    const name = line.slice(0, at).replace("peer-error", "peer-closed");
    if (!name.startsWith("sluice_") || NOT_FORETOLD.some((pattern) => pattern.test(name))) continue;
    counts[name] = (counts[name] ?? 0) + Number(line.slice(at));
  }
  return counts;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}
