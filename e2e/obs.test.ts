/** A real OBS Studio publishes as a person's does: viewers get all of it, and a broken wire costs them a moment. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startChild } from "@sluice/testkit/child";
import { FaultProxy } from "@sluice/testkit/fault-proxy";
import { makeClip, WorkFolder } from "./support/clip.ts";
import { watchHttp, watchWebSocket } from "./support/flv-viewer.ts";
import { type Obs, startObs } from "./support/obs.ts";
import { connectPeer } from "./support/rtmp-peer.ts";
import { assertGoesOn, moreOf } from "./support/seam.ts";
import { type Server, startServer } from "./support/server.ts";
import { assertSameList, assertTimeNeverBack, codedFrames, isCoded, isKey } from "./support/units.ts";

const KEY = "live/obs";
/** Some two seconds of pictures and sound. */
const FRAME_COUNT = 150;
/** The first error of the decoder ends it. */
const STRICT = ["-nostdin", "-loglevel", "error", "-xerror"];

let folder: WorkFolder;
let server: Server;
let wire: FaultProxy;
let obs: Obs;

before(async () => {
  folder = new WorkFolder();
  server = await startServer({ set: ["play.httpWait=forever", "grace.windowMs=60s"] });
  wire = await FaultProxy.start({ port: server.port() });
  const clip = makeClip(folder, "clip.flv", { seconds: 10 });
  obs = await startObs({ folder, clip, server: `rtmp://127.0.0.1:${wire.port}/live`, streamKey: "obs" });
});

after(async () => {
  await obs?.[Symbol.asyncDispose]();
  await wire[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

test("the API names what OBS sends, and ffmpeg decodes it without an error", async () => {
  const row = await server.stream(KEY, ({ video, audio, fps }) => video !== null && audio !== null && fps > 0);
  assert.equal(row.state, "live");
  assert.deepEqual([row.video?.codec, row.video?.width, row.video?.height], ["avc1", 320, 180]);
  assert.deepEqual([row.audio?.codec, row.audio?.sampleRate, row.audio?.channels], ["mp4a", 48_000, 2]);
  for (const input of [server.rtmp(KEY), server.http(`/${KEY}.flv`)]) {
    await using decoder = startChild(["ffmpeg", ...STRICT, "-i", input, "-t", "2", "-f", "null", "-"]);
    assert.equal((await decoder.exited).code, 0, decoder.output());
    assert.equal(decoder.output(), "", input);
  }
});

test("viewers over RTMP, HTTP and WebSocket begin with a key frame and get the same frames from there on", async () => {
  await server.stream(KEY, ({ gop }) => gop.frames > 0);
  await using rtmp = await connectPeer({ port: server.port(), app: "live" });
  rtmp.play("obs");
  const url = server.http(`/${KEY}.flv`);
  await using web = await watchHttp(url);
  await using socket = await watchWebSocket(url.replace("http:", "ws:"));
  const viewers = { RTMP: rtmp, "HTTP-FLV": web, "WS-FLV": socket };
  for (const viewer of Object.values(viewers)) await viewer.heardUnits(FRAME_COUNT * 2);
  const lists = Object.entries(viewers).map(([who, { units }]) => {
    assertTimeNeverBack(units, who);
    const first = units.find((unit) => isCoded(unit) && unit.kind === "video");
    assert.ok(first !== undefined && isKey(first), `${who} begins with a key frame`);
    return { who, frames: codedFrames(units) };
  });
  const latest = lists.map(({ frames }) => frames[0] as string).sort((a, b) => timeOf(b) - timeOf(a))[0] as string;
  const [one = [], ...others] = lists.map(({ frames }) => frames.slice(frames.indexOf(latest)).slice(0, FRAME_COUNT));
  assert.equal(one.length, FRAME_COUNT);
  for (const [i, other] of others.entries()) assertSameList(other, one, lists[i + 1]?.who ?? "");
});

test("when its wire breaks OBS comes back by itself, and its viewers go on where they were", async () => {
  await using rtmp = await connectPeer({ port: server.port(), app: "live" });
  rtmp.play("obs");
  await using web = await watchHttp(server.http(`/${KEY}.flv`));
  for (const viewer of [rtmp, web]) await viewer.heardUnits(FRAME_COUNT);
  wire.cutWithClose();
  const cutAt = performance.now();
  await server.stream(KEY, ({ state }) => state === "grace");
  wire.heal();
  await server.stream(KEY, ({ state, gop }) => state === "live" && gop.frames > 0, 60_000);
  const passed = performance.now() - cutAt;
  for (const viewer of [rtmp, web]) await moreOf(() => viewer.units, FRAME_COUNT);
  assertGoesOn(rtmp.units, passed, "RTMP");
  assertGoesOn(web.units, passed, "HTTP-FLV");
  assert.deepEqual([rtmp.isClosed, web.isEnded], [false, false]);
});

/** Of a frame as `codedFrames` describes it. */
function timeOf(frame: string): number {
  return Number(frame.split(" ")[1]);
}
