/** One URL is one stream, however a program splits it into application and stream name. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startChild } from "@sluice/testkit/child";
import { makeClip, WorkFolder } from "./support/clip.ts";
import { watchHttp } from "./support/flv-viewer.ts";
import { connectPeer, type RtmpPeer } from "./support/rtmp-peer.ts";
import { type Server, startServer } from "./support/server.ts";
import { assertSameFrames, readFlvFile, type Unit } from "./support/units.ts";

/** Each the way of some program to say `live/room/cam`. */
const SPLITS: readonly { readonly says: string; readonly app: string; readonly name: string }[] = [
  { says: "application of one part", app: "live", name: "room/cam" },
  { says: "application of two parts", app: "live/room", name: "cam" },
  { says: "all in the application", app: "live/room/cam", name: "" },
  { says: "query behind the name", app: "live", name: "room/cam?token=abc&x=1" },
  { says: "query behind the application", app: "live/room?token=abc", name: "cam" },
  { says: "query behind both", app: "live?a=1", name: "room/cam?b=2" },
  { says: "slash after the application", app: "live/", name: "room/cam" },
  { says: "slash before the name", app: "live", name: "/room/cam" },
  { says: "slash after the name", app: "live/room/", name: "cam/" },
  { says: "doubled slashes", app: "live//room", name: "//cam" },
  { says: "slash before the application", app: "/live/room", name: "cam" },
  { says: "query cut at its own slash", app: "live/room/cam?token=ab", name: "cd&x=1" },
  { says: "query cut at its own slash, one value", app: "live/room/cam?token=ab", name: "cd==" },
  { says: "escaped letters", app: "live/%72oom", name: "c%61m" },
];

let folder: WorkFolder;
let server: Server;
let clip: string;
let sent: Unit[];

before(async () => {
  folder = new WorkFolder();
  clip = makeClip(folder, "clip.flv", { seconds: 2 });
  sent = readFlvFile(clip);
  server = await startServer();
});

after(async () => {
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

const peerOf = (app: string): Promise<RtmpPeer> => connectPeer({ port: server.port(), app });

test("players of every split hear one publisher, and the API shows one stream", async () => {
  const players = await Promise.all(
    SPLITS.map(async ({ app, name }) => {
      const peer = await peerOf(app);
      peer.play(name);
      return peer;
    }),
  );
  const row = await server.viewers("live/room/cam", SPLITS.length);
  assert.equal(row.app, "live");
  await using publisher = await peerOf("live/room");
  await publisher.publish("cam");
  await publisher.sendAll(sent);
  publisher.leave();
  for (const [i, player] of players.entries()) {
    await player.status("NetStream.Play.UnpublishNotify");
    assertSameFrames(player.units, sent, SPLITS[i]?.says ?? "");
    await player[Symbol.asyncDispose]();
  }
  await server.gone("live/room/cam");
});

for (const { says, app, name } of SPLITS) {
  test(`a publisher that splits the URL otherwise is the same stream: ${says}`, async () => {
    await using viewer = await peerOf("live");
    viewer.play("room/cam");
    await using publisher = await peerOf(app);
    await publisher.publish(name);
    const row = await server.stream("live/room/cam", ({ state }) => state === "live");
    assert.equal((await server.streams()).length, 1, `streams beside ${row.key}`);
    await publisher.sendAll(sent.slice(0, 20));
    await using web = await watchHttp(server.http("/live/room/cam.flv?token=abc"));
    assert.equal(web.status, 200);
    publisher.leave();
    await viewer.status("NetStream.Play.UnpublishNotify");
    assertSameFrames(viewer.units, sent.slice(0, 20), says);
    await web.ended;
  });
}

test("ffmpeg's rtmp_app and rtmp_playpath reach the stream that its plain URL reaches", async () => {
  const url = server.rtmp("live/room/cam");
  const ways = [
    ["-rtmp_app", "live", "-rtmp_playpath", "room/cam"],
    ["-rtmp_app", "live/room", "-rtmp_playpath", "cam"],
    [],
  ];
  await using viewer = await peerOf("live/room");
  viewer.play("cam");
  await server.viewers("live/room/cam", 1);
  for (const way of ways) {
    const from = viewer.events.length;
    await using publisher = startChild([
      "ffmpeg",
      "-nostdin",
      "-loglevel",
      "error",
      "-copyts",
      "-i",
      clip,
      "-c",
      "copy",
      "-f",
      "flv",
      ...way,
      url,
    ]);
    await viewer.status("NetStream.Play.UnpublishNotify", { from });
    assert.equal((await publisher.exited).code, 0, publisher.output());
  }
  assert.equal(viewer.codes().filter((code) => code === "NetStream.Play.PublishNotify").length, ways.length);
});

test("ffmpeg reaches the stream of a URL with a slash in its query", async () => {
  await using publisher = startChild([
    ...["ffmpeg", "-nostdin", "-loglevel", "error", "-re", "-i", clip, "-c", "copy", "-f", "flv"],
    server.rtmp("live/slash?token=ab/cd&x=1"),
  ]);
  await server.stream("live/slash", ({ state }) => state === "live");
  assert.deepEqual(
    (await server.streams()).map(({ key }) => key),
    ["live/slash"],
  );
  await publisher.stop();
  await server.gone("live/slash");
});

test("a publish that is refused for its name leaves the connection usable", async () => {
  await using peer = await peerOf("");
  peer.engine.publish("");
  peer.flush();
  const refused = await peer.status("NetStream.Publish.BadName");
  assert.equal(refused.level, "error");
  assert.equal(peer.isClosed, false);
  assert.deepEqual(await server.streams(), []);
});
