/** What viewers see of a publisher's life: waiting for it, its death and return, its successor, its end. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type Child, startChild } from "@sluice/testkit/child";
import { makeClip, WorkFolder } from "./support/clip.ts";
import { type FlvViewer, watchHttp, watchWebSocket } from "./support/flv-viewer.ts";
import { connectPeer, type RtmpPeer } from "./support/rtmp-peer.ts";
import { assertGoesOn, moreOf } from "./support/seam.ts";
import { type Server, startServer } from "./support/server.ts";
import { assertTimeNeverBack, codedFrames, readFlvFile, restamp, type Unit } from "./support/units.ts";

let folder: WorkFolder;
let server: Server;
let clip: string;
let units: Unit[];
const GRACE_MILLIS = 10_000;

before(async () => {
  folder = new WorkFolder();
  clip = makeClip(folder, "clip.flv", { seconds: 6 });
  units = readFlvFile(clip);
  server = await startServer({
    set: [
      `grace.windowMs=${GRACE_MILLIS}`,
      "applications.short.grace.windowMs=300ms",
      "applications.none.grace.windowMs=0",
      "applications.taken.publish.policy=replace",
      "applications.patient.play.httpWait=forever",
      "applications.patient.grace.windowMs=0",
      "applications.hasty.play.wait=0",
      "applications.brief.play.wait=1s",
    ],
  });
});

after(async () => {
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

const peer = (app: string): Promise<RtmpPeer> => connectPeer({ port: server.port(), app });

async function player(app: string, name: string): Promise<RtmpPeer> {
  const rtmp = await peer(app);
  rtmp.play(name);
  await rtmp.status("NetStream.Play.Start");
  return rtmp;
}

async function publisher(app: string, name: string): Promise<RtmpPeer> {
  const rtmp = await peer(app);
  await rtmp.publish(name);
  return rtmp;
}

const encoder = (key: string): Child =>
  startChild([
    "ffmpeg",
    "-nostdin",
    "-loglevel",
    "error",
    "-re",
    "-i",
    clip,
    "-c",
    "copy",
    "-f",
    "flv",
    server.rtmp(key),
  ]);

describe("a publisher that is killed and comes back within the grace window", () => {
  test("keeps RTMP, HTTP-FLV and WS-FLV viewers, whose time goes on", async () => {
    const key = "live/killed";
    await using first = encoder(key);
    await server.stream(key, ({ gop }) => gop.frames > 0);
    await using rtmp = await player("live", "killed");
    const url = server.http(`/${key}.flv`);
    await using web = await watchHttp(url);
    await using socket = await watchWebSocket(url.replace("http:", "ws:"));
    await moreOf(() => web.units, 60);
    first.kill("SIGKILL");
    const lostAt = performance.now();
    await server.stream(key, ({ state }) => state === "grace");
    await using second = encoder(key);
    const row = await server.stream(key, ({ state, gop }) => state === "live" && gop.frames > 0);
    assert.equal(row.viewers.here, 3);
    const passed = performance.now() - lostAt;
    for (const received of [() => rtmp.units, () => web.units, () => socket.units]) await moreOf(received, 40);
    assertGoesOn(rtmp.units, passed, "RTMP");
    assertGoesOn(web.units, passed, "HTTP-FLV");
    assertGoesOn(socket.units, passed, "WS-FLV");
    assert.deepEqual([rtmp.isClosed, web.isEnded, socket.isEnded], [false, false, false]);
    assert.ok(!rtmp.codes().includes("NetStream.Play.UnpublishNotify"), "nobody told the viewers of an end");
    second.kill("SIGTERM");
    await rtmp.status("NetStream.Play.UnpublishNotify");
    await Promise.all([web.ended, socket.ended]);
  });

  test("and whose clock begins anew, goes on from where the line stood", async () => {
    await using rtmp = await player("live", "anew");
    const first = await publisher("live", "anew");
    await first.sendAll(restamp(units.slice(0, 100), 3_600_000));
    await rtmp.heardUnits(80);
    first.destroy();
    const lostAt = performance.now();
    await server.stream("live/anew", ({ state }) => state === "grace");
    const seam = rtmp.units.length;
    await using second = await publisher("live", "anew");
    await second.sendAll(units.slice(0, 100));
    await rtmp.heardUnits(seam + 80);
    assertGoesOn(rtmp.units, performance.now() - lostAt, "RTMP");
  });
});

describe("a publisher that does not come back", () => {
  test("after the window RTMP viewers hear UnpublishNotify and stay, viewers over HTTP and WebSocket end", async () => {
    await using rtmp = await player("short", "dead");
    const source = await publisher("short", "dead");
    await source.sendAll(units.slice(0, 60));
    const url = server.http("/short/dead.flv");
    await using web = await watchHttp(url);
    await using socket = await watchWebSocket(url.replace("http:", "ws:"));
    await web.heardUnits(40);
    source.destroy();
    await rtmp.status("NetStream.Play.UnpublishNotify");
    await Promise.all([web.ended, socket.ended]);
    assert.equal(rtmp.isClosed, false);
    const row = await server.viewers("short/dead", 1);
    assert.equal(row.state, "waiting");
  });

  test("without a window the stream ends with the connection", async () => {
    await using rtmp = await player("none", "dead");
    const source = await publisher("none", "dead");
    await source.sendAll(units.slice(0, 20));
    source.destroy();
    await rtmp.status("NetStream.Play.UnpublishNotify");
    assert.equal((await server.stream("none/dead")).state, "waiting");
  });
});

describe("a second publisher", () => {
  test("is refused with BadName, and the first goes on", async () => {
    await using rtmp = await player("live", "busy");
    await using first = await publisher("live", "busy");
    await first.sendAll(units.slice(0, 50));
    await using second = await peer("live");
    second.engine.publish("busy");
    second.flush();
    const refused = await second.status("NetStream.Publish.BadName");
    assert.equal(refused.level, "error");
    await first.sendAll(units.slice(50, 100));
    await rtmp.heard("all frames", () =>
      codedFrames(rtmp.units).length === codedFrames(units.slice(0, 100)).length ? true : undefined,
    );
    assert.deepEqual(codedFrames(rtmp.units), codedFrames(units.slice(0, 100)));
    await using encoding = encoder("live/busy");
    assert.notEqual((await encoding.exited).code, 0, "ffmpeg is told and gives up");
    assert.equal(first.isClosed, false);
  });

  test("replaces the first where the policy says so, and viewers go on", async () => {
    await using rtmp = await player("taken", "over");
    const first = await publisher("taken", "over");
    await first.sendAll(units.slice(0, 100));
    await rtmp.heardUnits(80);
    const at = performance.now();
    await using second = await publisher("taken", "over");
    await first.closed;
    assert.ok(first.codes().includes("NetStream.Publish.BadName"), "the first is told why");
    const seam = rtmp.units.length;
    await second.sendAll(units.slice(0, 100));
    await rtmp.heardUnits(seam + 80);
    assertGoesOn(rtmp.units, performance.now() - at, "RTMP");
    assert.equal((await server.stream("taken/over")).state, "live");
    assert.equal(rtmp.isClosed, false);
  });
});

describe("viewers before any publisher", () => {
  test("over RTMP wait and are told when it comes", async () => {
    await using rtmp = await player("live", "early");
    assert.equal((await server.viewers("live/early", 1)).state, "waiting");
    await using source = await publisher("live", "early");
    await rtmp.status("NetStream.Play.PublishNotify");
    await source.sendAll(units.slice(0, 40));
    await rtmp.heard("a frame", (event) => (event.type === "media" && event.kind === "video" ? true : undefined));
    const told = rtmp.events.findIndex(
      (event) => event.type === "status" && event.code === "NetStream.Play.PublishNotify",
    );
    assert.ok(told < rtmp.events.findIndex((event) => event.type === "media" && event.kind === "video"), "told first");
  });

  test("over RTMP are refused at once or after a while where so configured", async () => {
    await using hasty = await peer("hasty");
    hasty.play("none");
    await hasty.status("NetStream.Play.StreamNotFound");
    await using brief = await player("brief", "none");
    await brief.status("NetStream.Play.StreamNotFound");
    await server.gone("brief/none");
  });

  test("over HTTP and WebSocket get 404, or wait where so configured", async () => {
    const url = server.http("/live/nobody.flv");
    const refused = await watchHttp(url);
    assert.equal(refused.status, 404);
    assert.match(refused.headers["content-type"] ?? "", /json/);
    await assert.rejects(watchWebSocket(url.replace("http:", "ws:")), /404/);
    const patient = server.http("/patient/cam.flv");
    const viewers: FlvViewer[] = [await watchHttp(patient), await watchWebSocket(patient.replace("http:", "ws:"))];
    await server.viewers("patient/cam", 2);
    await using source = await publisher("patient", "cam");
    await source.sendAll(units.slice(0, 40));
    source.leave();
    for (const viewer of viewers) {
      await viewer.ended;
      assert.deepEqual(codedFrames(viewer.units), codedFrames(units.slice(0, 40)));
    }
  });
});

test("after a clean unpublish a republish tells viewers, sends new headers and goes on in time", async () => {
  await using rtmp = await player("live", "again");
  await using first = await publisher("live", "again");
  await first.sendAll(units.slice(0, 60));
  const at = performance.now();
  first.leave();
  await rtmp.status("NetStream.Play.UnpublishNotify");
  const from = rtmp.events.length;
  const seam = rtmp.units.length;
  await using second = await publisher("live", "again");
  await rtmp.status("NetStream.Play.PublishNotify", { from });
  await second.sendAll(units.slice(0, 60));
  await rtmp.heardUnits(seam + 50);
  assertGoesOn(rtmp.units, performance.now() - at, "RTMP");
});

test("one connection publishes, unpublishes and publishes again", async () => {
  await using rtmp = await player("live", "same");
  await using source = await publisher("live", "same");
  await source.sendAll(units.slice(0, 30));
  source.leave();
  await source.status("NetStream.Unpublish.Success");
  const from = source.events.length;
  source.engine.publish("same");
  source.flush();
  await source.status("NetStream.Publish.Start", { from });
  await source.sendAll(units.slice(0, 30));
  await rtmp.heard("frames of both", () =>
    codedFrames(rtmp.units).length === 2 * codedFrames(units.slice(0, 30)).length ? true : undefined,
  );
  assertTimeNeverBack(rtmp.units, "RTMP");
});
