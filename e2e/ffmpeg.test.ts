/** Real programs publish and play: every frame arrives with its time and its bytes, whichever program and protocol. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type Child, startChild } from "@sluice/testkit/child";
import { makeCertificate, makeClip, run, WorkFolder } from "./support/clip.ts";
import { watchHttp, watchWebSocket } from "./support/flv-viewer.ts";
import { probeCommand, readPackets } from "./support/packets.ts";
import { connectPeer } from "./support/rtmp-peer.ts";
import { type Server, startServer } from "./support/server.ts";
import {
  assertSameFrames,
  assertSameList,
  assertTailOfFrames,
  codedFrames,
  isCoded,
  isConfig,
  isKey,
  readFlvFile,
  type Unit,
} from "./support/units.ts";

const QUIET = ["-hide_banner", "-nostdin", "-loglevel", "error"];
/** Until a program that plays has seen the stream end. */
const END_MILLIS = 20_000;

let folder: WorkFolder;
let server: Server;
let clip: string;

before(async () => {
  folder = new WorkFolder();
  clip = makeClip(folder, "clip.flv", { seconds: 5 });
  const { cert, key } = makeCertificate(folder);
  const tls = ["rtmps.port=0", "https.port=0", `tls.cert=${cert}`, `tls.key=${key}`];
  server = await startServer({ set: [...tls, "play.httpWait=forever"] });
});

after(async () => {
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

function publish(url: string, input = clip): Child {
  return startChild(["ffmpeg", ...QUIET, "-copyts", "-re", "-i", input, "-c", "copy", "-f", "flv", url]);
}

const rtmps = (key: string): string => `rtmps://127.0.0.1:${server.port("rtmps")}/${key}`;
const https = (key: string): string => `https://127.0.0.1:${server.port("https")}/${key}.flv`;

/** Metadata, then a sequence header of each kind, then frames. */
function assertHeadersFirst(units: readonly Unit[], who: string): void {
  const opening = units.slice(0, units.findIndex(isCoded));
  assert.deepEqual(
    opening.filter(isConfig).map(({ kind }) => kind),
    ["video", "audio"],
    who,
  );
  assert.ok(opening.findIndex(({ kind, body }) => kind === "data" && textOf(body).includes("onMetaData")) >= 0, who);
  assert.ok(isKey(units[opening.length] as Unit) || units[opening.length]?.kind === "audio", who);
}

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");

/** GStreamer drops the message in its hand when the end of stream comes right behind it. */
function assertAllButLast(got: readonly string[], sent: readonly string[], who: string): void {
  assert.ok(got.length >= sent.length - 1, `${who} wrote ${got.length} of ${sent.length} frames`);
  assertSameList(got, sent.slice(0, got.length), who);
}

async function endOf(child: Child): Promise<void> {
  const timer = setTimeout(() => child.kill("SIGKILL"), END_MILLIS);
  await child.exited;
  clearTimeout(timer);
}

/** Starts players, waits until all are in, publishes the clip whole, and waits until all have ended. */
async function playWhole(
  key: string,
  commands: readonly (readonly string[])[],
  url = server.rtmp(key),
): Promise<Child[]> {
  const players = commands.map((argv) => startChild(argv));
  await server.viewers(key, players.length);
  await using publisher = publish(url);
  await Promise.all([publisher, ...players].map(endOf));
  assert.equal((await publisher.exited).code, 0, publisher.output());
  return players;
}

describe("players that wait for ffmpeg's publish", () => {
  test("ffprobe gets every packet by RTMP, RTMPS, HTTP-FLV and HTTPS-FLV", async () => {
    const key = "live/probed";
    await assertProbed(key, [server.rtmp(key), rtmps(key), server.http(`/${key}.flv`), https(key)]);
  });

  test("and over TLS all the way, when ffmpeg publishes by RTMPS", async () => {
    const key = "live/sealed";
    await assertProbed(key, [rtmps(key), https(key)], rtmps(key));
  });

  async function assertProbed(key: string, inputs: readonly string[], url = server.rtmp(key)): Promise<void> {
    const commands = inputs.map((input) => probeCommand(input));
    const players = await playWhole(key, commands, url);
    const [program = "", ...args] = probeCommand(clip);
    const sent = readPackets(run(program, args));
    players.forEach((player, i) => {
      const got = readPackets(player.output("stdout"));
      for (const kind of ["video", "audio"] as const) assertSameList(got[kind], sent[kind], `${inputs[i]} ${kind}`);
    });
  }

  test("ffmpeg, rtmpdump and GStreamer write down every frame", async () => {
    const key = "live/copied";
    const url = server.rtmp(key);
    const files = ["ffmpeg.flv", "http.flv", "rtmpdump.flv", "gst.flv"].map((name) => folder.file(name));
    const [copied = "", fetched = "", dumped = "", taken = ""] = files;
    const copy = (input: string, output: string): string[] => [
      "ffmpeg",
      ...QUIET,
      "-copyts",
      "-i",
      input,
      "-c",
      "copy",
      "-f",
      "flv",
      output,
    ];
    await playWhole(key, [
      copy(url, copied),
      copy(server.http(`/${key}.flv`), fetched),
      ["rtmpdump", "-q", "--live", "-r", url, "-o", dumped],
      ["gst-launch-1.0", "-q", "rtmp2src", `location=${url}`, "!", "filesink", `location=${taken}`, "sync=false"],
    ]);
    const sent = readFlvFile(clip);
    for (const file of [copied, fetched, dumped]) assertSameFrames(readFlvFile(file), sent, file);
    assertAllButLast(codedFrames(readFlvFile(taken)), codedFrames(sent), "GStreamer");
  });

  test("mpv plays every frame by RTMP and HTTP-FLV", async () => {
    const key = "live/mpv";
    const files = ["mpv.flv", "mpv-http.flv"].map((name) => folder.file(name));
    const inputs = [server.rtmp(key), server.http(`/${key}.flv`)];
    const silent = ["--no-config", "--no-ytdl", "--really-quiet", "--vo=null", "--ao=null"];
    await playWhole(
      key,
      inputs.map((input, i) => ["mpv", ...silent, `--stream-record=${files[i]}`, input]),
    );
    for (const file of files) assertSameFrames(readFlvFile(file), readFlvFile(clip), file);
  });

  test("GStreamer writes down every frame over RTMPS too", async () => {
    const key = "live/secret";
    const url = rtmps(key);
    const taken = folder.file("gst-tls.flv");
    const source = ["rtmp2src", `location=${url}`, "tls-validation-flags=0"];
    await playWhole(key, [["gst-launch-1.0", "-q", ...source, "!", "filesink", `location=${taken}`]]);
    assertAllButLast(codedFrames(readFlvFile(taken)), codedFrames(readFlvFile(clip)), "GStreamer");
  });

  test("our own engine, HTTP-FLV and WS-FLV viewers hear the same messages, headers first", async () => {
    const key = "live/heard";
    await using rtmp = await connectPeer({ port: server.port(), app: "live" });
    rtmp.play("heard");
    const url = server.http(`/${key}.flv`);
    const [web, socket] = await Promise.all([watchHttp(url), watchWebSocket(url.replace("http:", "ws:"))]);
    await server.viewers(key, 3);
    await using publisher = publish(server.rtmp(key));
    await rtmp.status("NetStream.Play.UnpublishNotify");
    await Promise.all([web.ended, socket.ended, publisher.exited]);
    const sent = readFlvFile(clip);
    for (const [who, units] of [
      ["rtmp", rtmp.units],
      ["http", web.units],
      ["ws", socket.units],
    ] as const) {
      assertSameFrames(units, sent, who);
      assertHeadersFirst(units, who);
    }
    const codes = ["NetStream.Play.Reset", "NetStream.Play.Start", "NetStream.Data.Start"];
    assert.deepEqual(rtmp.codes(), [...codes, "NetStream.Play.PublishNotify", "NetStream.Play.UnpublishNotify"]);
  });
});

// Debian's librtmp takes the session tickets of TLS 1.3 for an error, whoever sends them.
test("rtmpdump plays by RTMPS where TLS is held to 1.2", async () => {
  const { cert, key } = makeCertificate(folder);
  const tls = ["rtmps.port=0", `tls.cert=${cert}`, `tls.key=${key}`];
  await using old = await startServer({ set: tls, env: { NODE_OPTIONS: "--tls-max-v1.2" } });
  await using publisher = await connectPeer({ port: old.port(), app: "live" });
  const file = folder.file("rtmpdump-tls.flv");
  await using player = startChild([
    "rtmpdump",
    "-q",
    "--live",
    "-r",
    `rtmps://127.0.0.1:${old.port("rtmps")}/live/cam`,
    "-o",
    file,
  ]);
  await old.viewers("live/cam", 1);
  await publisher.publish("cam");
  const sent = readFlvFile(clip);
  await publisher.sendAll(sent);
  publisher.leave();
  await endOf(player);
  assertSameFrames(readFlvFile(file), sent, "rtmpdump");
});

test("players that join midway get everything from a key frame on", async () => {
  const key = "live/joined";
  await using publisher = publish(server.rtmp(key));
  await server.stream(key, (row) => row.gop.frames > 10 && row.bytesIn > 60_000);
  await using rtmp = await connectPeer({ port: server.port(), app: "live" });
  rtmp.play("joined");
  const url = server.http(`/${key}.flv`);
  const [web, socket] = await Promise.all([watchHttp(url), watchWebSocket(url.replace("http:", "ws:"))]);
  const file = folder.file("joined.flv");
  await using copier = startChild([
    "ffmpeg",
    ...QUIET,
    "-copyts",
    "-i",
    server.rtmp(key),
    "-c",
    "copy",
    "-f",
    "flv",
    file,
  ]);
  await publisher.exited;
  await Promise.all([rtmp.status("NetStream.Play.UnpublishNotify"), web.ended, socket.ended, endOf(copier)]);
  const sent = readFlvFile(clip);
  assertTailOfFrames(rtmp.units, sent, "rtmp");
  assertTailOfFrames(web.units, sent, "http");
  assertTailOfFrames(socket.units, sent, "ws");
  assertTailOfFrames(readFlvFile(file), sent, "ffmpeg");
  assert.ok(codedFrames(web.units).length < codedFrames(sent).length, "it joined midway");
});

test("ffprobe that joins midway sees one video and one audio stream, and nothing that it takes for a third", async () => {
  await using publisher = publish(server.rtmp("live/seen"));
  await server.stream("live/seen", (row) => row.gop.frames > 10 && row.bytesIn > 60_000);
  for (const input of [server.rtmp("live/seen"), server.http("/live/seen.flv")]) {
    const streams = run("ffprobe", ["-v", "error", "-show_entries", "stream=codec_type", "-of", "csv=p=0", input]);
    assert.deepEqual(streams.split("\n").filter(Boolean).sort(), ["audio", "video"], input);
  }
  publisher.kill("SIGTERM");
  await publisher.exited;
});

test("the API names codecs, sizes and rates of what ffmpeg publishes", async () => {
  await using publisher = publish(server.rtmp("live/shown"));
  const row = await server.stream("live/shown", ({ fps, audio }) => fps > 15 && audio !== null);
  assert.equal(row.state, "live");
  assert.deepEqual([row.video?.codec, row.video?.width, row.video?.height], ["avc1", 320, 180]);
  assert.match(row.video?.codecString ?? "", /^avc1\.6400/);
  assert.deepEqual([row.audio?.codecString, row.audio?.sampleRate, row.audio?.channels], ["mp4a.40.2", 44_100, 1]);
  assert.ok(row.bitrate > 50_000, `bitrate is ${row.bitrate}`);
  assert.equal(row.publisher?.protocol, "rtmp");
  publisher.kill("SIGTERM");
  await publisher.exited;
});

test("GStreamer publishes, and ffmpeg plays what our own viewer hears", async () => {
  const key = "live/gst";
  const video =
    "videotestsrc is-live=true num-buffers=75 ! video/x-raw,width=320,height=180,framerate=25/1 ! x264enc tune=zerolatency key-int-max=25 bitrate=300 ! h264parse ! queue ! flvmux name=m streamable=true";
  const audio = "audiotestsrc is-live=true num-buffers=130 ! audioconvert ! avenc_aac ! aacparse ! queue ! m.";
  const pipeline = `${video} ! rtmp2sink location=${server.rtmp(key)} ${audio}`.split(" ");
  await using rtmp = await connectPeer({ port: server.port(), app: "live" });
  rtmp.play("gst");
  const file = folder.file("from-gst.flv");
  await using copier = startChild([
    "ffmpeg",
    ...QUIET,
    "-copyts",
    "-i",
    server.rtmp(key),
    "-c",
    "copy",
    "-f",
    "flv",
    file,
  ]);
  await server.viewers(key, 2);
  await using publisher = startChild(["gst-launch-1.0", "-q", ...pipeline]);
  await rtmp.heard("75 pictures", () =>
    rtmp.units.filter((unit) => unit.kind === "video").length >= 76 ? true : undefined,
  );
  assert.equal((await publisher.exited).code, 0, publisher.output());
  await endOf(copier);
  const written = readFlvFile(file);
  for (const kind of ["video", "audio"]) {
    const ofKind = (units: readonly Unit[]): string[] => codedFrames(units.filter((unit) => unit.kind === kind));
    assertSameList(ofKind(written), ofKind(rtmp.units), `ffmpeg's ${kind}`);
  }
});
