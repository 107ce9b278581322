/** FFmpeg 8 publishes and plays what newer encoders send: HEVC, AV1, Opus and several tracks over enhanced RTMP. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { StreamRow } from "@sluice/client/admin-contract";
import { parseAudioBody } from "@sluice/formats/flv/audio-body";
import { selectTrack } from "@sluice/formats/flv/rewrite";
import { parseVideoBody } from "@sluice/formats/flv/video-body";
import { type Child, startChild } from "@sluice/testkit/child";
import type { AvPacket } from "./support/av-packets.ts";
import { run, WorkFolder } from "./support/clip.ts";
import { watchHttp } from "./support/flv-viewer.ts";
import { connectPeer } from "./support/rtmp-peer.ts";
import { type Server, startServer } from "./support/server.ts";
import { assertSameFrames, assertSameList, isConfig, readFlvFile, type Unit } from "./support/units.ts";

const SUPPORT = join(import.meta.dirname, "support");
const SOURCE = ["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25"];
const SOUND = ["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000"];
const OPUS = ["-c:a", "libopus", "-b:a", "48k"];
const LENGTH = ["-t", "3", "-threads", "1"];

/** How ffmpeg makes the material of each publication. */
const CLIPS = {
  hevc: [
    ...SOURCE,
    ...SOUND,
    ...LENGTH,
    "-c:v",
    "libx265",
    "-preset",
    "ultrafast",
    "-x265-params",
    "log-level=none:keyint=25:bframes=2",
    "-tag:v",
    "hvc1",
    ...OPUS,
  ],
  av1: [...SOURCE, ...SOUND, ...LENGTH, "-c:v", "libsvtav1", "-preset", "12", "-g", "25", ...OPUS],
  vp9: [
    ...SOURCE,
    ...SOUND,
    ...LENGTH,
    ...["-c:v", "libvpx-vp9", "-deadline", "realtime", "-g", "25", "-c:a", "flac", "-strict", "-2"],
  ],
  tracks: [
    ...[
      ...SOURCE,
      ...SOUND,
      "-f",
      "lavfi",
      "-i",
      "testsrc=size=160x90:rate=25",
      "-f",
      "lavfi",
      "-i",
      "sine=frequency=880:sample_rate=48000",
    ],
    ...["-map", "0:v", "-map", "1:a", "-map", "2:v", "-map", "3:a", ...LENGTH],
    ...["-c:v", "libx264", "-preset", "veryfast", "-g", "25", "-pix_fmt", "yuv420p", "-c:a", "aac", "-b:a", "64k"],
  ],
} as const;

let folder: WorkFolder;
let server: Server;

before(async () => {
  folder = new WorkFolder();
  server = await startServer({ set: ["play.httpWait=forever", "grace.windowMs=300ms"] });
});

after(async () => {
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

const av = (program: "av-copy" | "av-packets", ...args: readonly string[]): Child =>
  startChild([process.execPath, join(SUPPORT, `${program}.ts`), ...args]);

/** Makes the clip, and what FFmpeg 8 writes of it to a file: the very tags that it publishes. */
async function prepare(name: keyof typeof CLIPS): Promise<{ readonly clip: string; readonly flv: string }> {
  const clip = folder.file(`${name}.mp4`);
  const flv = folder.file(`${name}.flv`);
  run("ffmpeg", ["-y", ...CLIPS[name], clip]);
  await using copy = av("av-copy", clip, flv);
  assert.equal((await copy.exited).code, 0, copy.output());
  return { clip, flv };
}

/** Packets of each stream as text. */
function listPackets(output: string): string[][] {
  const lists: string[][] = [];
  for (const line of output.split("\n").slice(1)) {
    const { stream, codec, dts, pts, size, hash } = JSON.parse(line) as AvPacket;
    const list = (lists[stream] ??= []);
    list.push(`${codec} ${dts} ${pts} ${size} ${hash}`);
  }
  return lists;
}

/** The clip goes through the server to node-av, to a capable viewer and to one over HTTP; then both are compared with the file. */
async function carryWhole(name: keyof typeof CLIPS): Promise<{ readonly row: StreamRow; readonly sent: Unit[] }> {
  const { clip, flv } = await prepare(name);
  const key = `live/${name}`;
  await using player = av("av-packets", name === "tracks" ? server.http(`/${key}.flv`) : server.rtmp(key));
  await using viewer = await connectPeer({
    port: server.port(),
    app: "live",
    connect: { fourCcList: ["*"], capsEx: 2 + 4 },
  });
  viewer.play(name);
  await using web = await watchHttp(server.http(`/${key}.flv`));
  await server.viewers(key, 3);
  await using publisher = av("av-copy", clip, server.rtmp(key));
  const row = await server.stream(
    key,
    (now) => now.video !== null && now.video.width > 0 && now.audio !== null && now.audio.channels > 0,
  );
  assert.equal((await publisher.exited).code, 0, publisher.output());
  await viewer.status("NetStream.Play.UnpublishNotify");
  await Promise.all([player.exited, web.ended]);
  const sent = readFlvFile(flv);
  assertSameFrames(viewer.units, sent, "a capable viewer");
  assertSameFrames(web.units, sent, "HTTP-FLV");
  await using reader = av("av-packets", flv);
  await reader.exited;
  const expected = listPackets(reader.output("stdout"));
  const got = listPackets(player.output("stdout"));
  const byCodec = (a: string[], b: string[]): number => (a[0] ?? "").localeCompare(b[0] ?? "");
  assert.equal(got.length, expected.length, `streams that node-av saw: ${player.output("stdout").split("\n")[0]}`);
  got.sort(byCodec); // streams are numbered as they appear
  for (const [i, list] of expected.sort(byCodec).entries()) assertSameList(got[i] ?? [], list, `node-av's stream ${i}`);
  return { row, sent };
}

test("HEVC and Opus by enhanced RTMP reach node-av and capable viewers byte for byte, and the API names them", async () => {
  const { row } = await carryWhole("hevc");
  assert.deepEqual([row.video?.codec, row.video?.width, row.video?.height], ["hvc1", 320, 180]);
  assert.match(row.video?.codecString ?? "", /^hvc1\.1\.6\.L\d+/);
  assert.deepEqual(
    [row.audio?.codec, row.audio?.codecString, row.audio?.sampleRate, row.audio?.channels],
    ["Opus", "opus", 48_000, 1],
  );
});

test("AV1 and Opus reach node-av and capable viewers byte for byte, and the API names them", async () => {
  const { row } = await carryWhole("av1");
  assert.deepEqual([row.video?.codec, row.video?.width, row.video?.height], ["av01", 320, 180]);
  assert.match(row.video?.codecString ?? "", /^av01\.0\.\d\dM\.08/);
  assert.equal(row.audio?.codec, "Opus");
});

test("[VIE5] VP9 and FLAC reach node-av and capable viewers byte for byte, and the API names them", async () => {
  const { row } = await carryWhole("vp9");
  assert.deepEqual([row.video?.codec, row.video?.width, row.video?.height], ["vp09", 320, 180]);
  assert.match(row.video?.codecString ?? "", /^vp09\.00\./);
  assert.deepEqual([row.audio?.codec, row.audio?.sampleRate, row.audio?.channels], ["fLaC", 48_000, 1]);
});

// By RTMP node-av does not announce that it reads several tracks, and so gets the default ones; by HTTP it gets all.
test("two video and two audio tracks reach node-av by HTTP-FLV as four streams, and the API lists the further ones", async () => {
  const { row } = await carryWhole("tracks");
  assert.deepEqual([...row.extraTracks].sort(), ["audio:1", "video:1"]);
  assert.deepEqual([row.video?.codec, row.video?.width], ["avc1", 320]);
});

test("a viewer that announced nothing gets the default tracks alone, in the plain form", async () => {
  const { clip, flv } = await prepare("tracks");
  await using legacy = await connectPeer({ port: server.port(), app: "live" });
  legacy.play("plain");
  const file = folder.file("plain-by-ffmpeg-5.flv");
  await using copier = startChild([
    "ffmpeg",
    "-nostdin",
    "-loglevel",
    "error",
    "-copyts",
    "-i",
    server.rtmp("live/plain"),
    "-map",
    "0",
    "-c",
    "copy",
    "-f",
    "flv",
    file,
  ]);
  await server.viewers("live/plain", 2);
  await using publisher = av("av-copy", clip, server.rtmp("live/plain"));
  await publisher.exited;
  await legacy.status("NetStream.Play.UnpublishNotify");
  await copier.exited;
  const defaults = readFlvFile(flv).flatMap((unit) => defaultTrack(unit));
  assertSameFrames(legacy.units, defaults, "a legacy viewer");
  assert.deepEqual(
    legacy.units.filter(isConfig).map(({ kind }) => kind),
    ["video", "audio"],
    "one header of each kind",
  );
  for (const kind of ["video", "audio"] as const) {
    const of = (units: readonly Unit[]): Unit[] => units.filter((unit) => unit.kind === kind);
    assertSameFrames(of(readFlvFile(file)), of(defaults), `ffmpeg 5's ${kind}`);
  }
});

/** The unit as a viewer of one track would have it; nothing when it belongs to another. */
function defaultTrack(unit: Unit): Unit[] {
  const { kind, body } = unit;
  if (kind === "data") return [unit];
  if (!(kind === "video" ? parseVideoBody(body) : parseAudioBody(body)).isMultitrack) return [unit];
  const plain = selectTrack(body, kind, 0);
  return plain === undefined ? [] : [{ ...unit, body: plain }];
}
