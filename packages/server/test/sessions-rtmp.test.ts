/** RTMP sessions against a whole server: who publishes, who plays, and that nobody stays behind who has gone. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeAmf0Values } from "@sluice/amf/amf0-encode";
import type { MessageStreamId } from "@sluice/rtmp/ids";
import { until } from "@sluice/testkit/until";
import { openHook } from "./guard-fixture.ts";
import {
  AAC_FRAME,
  AAC_HEADER,
  AVC_DELTA,
  AVC_HEADER,
  AVC_KEY,
  openPublisher,
  openServer,
  RtmpPeer,
  type RunningServer,
  sendGop,
} from "./sessions-fixture.ts";

interface Rows {
  readonly streams: { readonly key: string; readonly state: string; readonly viewers: { readonly here: number } }[];
}

const streamsOf = async (server: RunningServer): Promise<Rows["streams"]> =>
  ((await server.get("/api/v1/streams")) as Rows).streams;

test("[SES1] a player gets set-up, cached GOP and live frames, with the publisher's bytes and times", async () => {
  await using server = await openServer();
  await using publisher = await openPublisher(server.rtmpPort, "cam");
  sendGop(publisher, 1000);
  await using player = new RtmpPeer(server.rtmpPort, { app: "", tcUrl: "rtmp://127.0.0.1/" }).play("live/cam");
  await until("the cached GOP", () => player.media.some((event) => event.timestamp === 1080));
  publisher.send("video", 1120, AVC_DELTA);
  await until("the live frame", () => player.media.some((event) => event.timestamp === 1120));
  const coded = player.media.filter((event) => event.kind !== "data");
  assert.deepEqual(
    coded.map((event) => [event.kind, event.timestamp, Buffer.from(event.payload).toString("hex")]),
    [
      ["video", 1000, Buffer.from(AVC_HEADER).toString("hex")],
      ["audio", 1000, Buffer.from(AAC_HEADER).toString("hex")],
      ["video", 1000, Buffer.from(AVC_KEY).toString("hex")],
      ...[1040, 1080, 1120].map((time) => ["video", time, Buffer.from(AVC_DELTA).toString("hex")]),
    ],
  );
  assert.deepEqual(player.codes.slice(0, 2), ["NetStream.Play.Reset", "NetStream.Play.Start"]);
});

test("[SES2] a player that came first hears of the publisher's coming and going, and stays", async () => {
  await using server = await openServer(["grace.windowMs=0"]);
  await using player = new RtmpPeer(server.rtmpPort).play("cam");
  await player.status("NetStream.Play.Start");
  const publisher = await openPublisher(server.rtmpPort, "cam");
  sendGop(publisher);
  await player.status("NetStream.Play.PublishNotify");
  await until("frames", () => player.media.length >= 5);
  await publisher[Symbol.asyncDispose]();
  await player.status("NetStream.Play.UnpublishNotify");
  await using again = await openPublisher(server.rtmpPort, "cam");
  sendGop(again, 500);
  await player.status("NetStream.Play.PublishNotify", 2);
  await until("frames of the second publication", () => player.media.length >= 10);
});

test("[SES3] a second publisher is refused with BadName and counted; the first goes on", async () => {
  await using server = await openServer();
  await using first = await openPublisher(server.rtmpPort, "cam");
  await using second = new RtmpPeer(server.rtmpPort).publish("cam");
  await second.status("NetStream.Publish.BadName");
  sendGop(first);
  assert.equal(await server.metric('publish_refused_total{reason="taken"}'), 1);
  assert.equal(first.isClosed, false);
});

test("[SES4] every way a publish can end gives its place back", async () => {
  await using server = await openServer(["limits.publishers=1", "publish.policy=replace", "grace.windowMs=0"]);
  for (let i = 0; i < 4; i++) {
    const peer = await openPublisher(server.rtmpPort, `cam${i}`);
    if (i % 2 === 0) peer.engine.close();
    peer.flush();
    await peer[Symbol.asyncDispose]();
    await until("the end of the stream", async () => (await streamsOf(server)).length === 0);
  }
  await using held = await openPublisher(server.rtmpPort, "cam");
  await using other = new RtmpPeer(server.rtmpPort).publish("other");
  await other.status("NetStream.Publish.Denied");
  assert.equal(await server.metric('publish_refused_total{reason="limit"}'), 1);
  assert.equal(held.isClosed, false);
});

test("[SES5] a replaced publisher hears why and its session ends; the new one's frames flow", async () => {
  await using server = await openServer(["publish.policy=replace"]);
  await using first = await openPublisher(server.rtmpPort, "cam");
  await using player = new RtmpPeer(server.rtmpPort).play("cam");
  await using second = await openPublisher(server.rtmpPort, "cam");
  await first.closed;
  assert.ok(first.codes.includes("NetStream.Publish.BadName"));
  sendGop(second);
  await until("frames of the second", () => player.media.length >= 5);
  assert.equal((await streamsOf(server))[0]?.state, "live");
});

test("[SES6] a peer that goes while a hook is asked publishes nothing and plays nothing", async () => {
  const answers: (() => void)[] = [];
  await using hook = await openHook((response) => answers.push(() => response.writeHead(200).end()));
  const sets = ["publish", "play"].flatMap((action) => [`auth.${action}=hook`, `auth.hooks.${action}=${hook.url}`]);
  await using server = await openServer([...sets, "limits.publishers=1"]);
  for (const intent of ["publish", "play"] as const) {
    const asked = answers.length;
    const peer = new RtmpPeer(server.rtmpPort)[intent]("cam");
    await until("the question", () => answers.length > asked);
    peer.socket.destroy();
    await until("the end of the session", async () => (await server.metric("sessions")) === 0);
    answers.at(-1)?.();
    assert.deepEqual(await streamsOf(server), []);
  }
  assert.equal(hook.heard.length, 2);
});

test("[SES7] of several requests in one burst on one message stream only the last is judged and answered", async () => {
  const heldAnswers: (() => void)[] = [];
  await using hook = await openHook((response) => heldAnswers.push(() => response.writeHead(200).end()));
  await using server = await openServer(["auth.play=hook", `auth.hooks.play=${hook.url}`]);
  await using publisher = await openPublisher(server.rtmpPort, "b");
  sendGop(publisher);
  await using player = new RtmpPeer(server.rtmpPort).play("first");
  await until("the first question", () => heldAnswers.length === 1);
  const id = 1 as MessageStreamId;
  for (const name of ["a", "b"]) player.engine.tellStream(id, "play", [name]);
  player.flush();
  await new Promise((resolve) => setTimeout(resolve, 50));
  heldAnswers[0]?.();
  await until("the second question", () => heldAnswers.length === 2);
  heldAnswers[1]?.();
  await until("frames of b", () => player.media.some((event) => event.kind === "video"));
  assert.deepEqual(
    hook.heard.map(({ body }) => body["key"]),
    ["live/first", "live/b"],
  );
  assert.equal(player.codes.filter((code) => code === "NetStream.Play.Start").length, 1);
  assert.deepEqual(
    (await streamsOf(server)).map(({ key, viewers }) => [key, viewers.here]),
    [["live/b", 1]],
  );
});

test("[SES8] a paused player gets nothing, and goes on with whoever publishes by then", async () => {
  await using server = await openServer(["grace.windowMs=0"]);
  const publisher = await openPublisher(server.rtmpPort, "cam");
  sendGop(publisher);
  await using player = new RtmpPeer(server.rtmpPort).play("cam");
  await until("video", () => player.media.some((event) => event.kind === "video"));
  player.tell("pause", true, 0);
  await player.status("NetStream.Pause.Notify");
  const before = player.media.length;
  sendGop(publisher, 1000);
  await publisher[Symbol.asyncDispose]();
  await player.status("NetStream.Play.UnpublishNotify");
  await using again = await openPublisher(server.rtmpPort, "cam");
  sendGop(again, 0);
  await player.status("NetStream.Play.PublishNotify");
  assert.equal(player.media.length, before);
  player.tell("pause", false, 0);
  await player.status("NetStream.Unpause.Notify");
  sendGop(again, 2000);
  await until("frames of the second publication", () => player.media.length >= before + 5);
  const [last, resumed] = [player.media[before - 1], player.media[before]];
  assert.ok((resumed?.timestamp ?? 0) >= (last?.timestamp ?? 0));
});

test("[SES9] who is refused at connect hears the reason before the connection ends", async () => {
  await using hook = await openHook((response) => response.writeHead(403).end(JSON.stringify({ reason: "not today" })));
  await using server = await openServer([`auth.hooks.connect=${hook.url}`]);
  await using peer = new RtmpPeer(server.rtmpPort).play("cam");
  await peer.closed;
  const rejected = peer.events.find((event) => event.type === "connect-rejected");
  assert.equal(rejected?.type === "connect-rejected" ? rejected.description : "", "not today");
  assert.equal(await server.metric('sessions_closed_total{protocol="rtmp",reason="denied"}'), 1);
});

test("[SES10] a kicked player hears Play.Stop and the reason; others play on", async () => {
  await using server = await openServer();
  await using publisher = await openPublisher(server.rtmpPort, "cam");
  sendGop(publisher);
  await using kicked = new RtmpPeer(server.rtmpPort).play("cam");
  await kicked.status("NetStream.Play.Start");
  await using other = new RtmpPeer(server.rtmpPort).play("cam");
  await other.status("NetStream.Play.Start");
  const { sessions } = (await server.get("/api/v1/sessions")) as { sessions: { id: string; role: string }[] };
  const id = sessions.find(({ role }) => role === "player")?.id ?? "";
  await fetch(`http://127.0.0.1:${server.httpPort}/api/v1/sessions/${id}?reason=too+loud`, { method: "DELETE" });
  for (let i = 0; i < 50; i++) publisher.send("video", 1000 + i, AVC_DELTA);
  await kicked.closed;
  const said = kicked.events.filter((event) => event.type === "status").slice(-2);
  assert.deepEqual(
    said.map(({ code }) => code),
    ["NetStream.Play.Stop", "NetConnection.Connect.Closed"],
  );
  assert.equal(said[1]?.description, "too loud");
  await until("the frames that followed", () => other.media.some((event) => event.timestamp === 1049));
});

test("[SES13] two servers live in one process, each with its own streams", async () => {
  await using one = await openServer();
  await using two = await openServer();
  await using publisher = await openPublisher(one.rtmpPort, "cam");
  sendGop(publisher);
  assert.equal((await streamsOf(one)).length, 1);
  assert.equal((await streamsOf(two)).length, 0);
  assert.equal(await two.metric("streams_live"), 0);
});

test("[SES14] garbage ends its own session, counted, and nobody else's", async () => {
  await using server = await openServer();
  await using publisher = await openPublisher(server.rtmpPort, "cam");
  sendGop(publisher);
  await using bad = await openPublisher(server.rtmpPort, "bad");
  bad.socket.write(Buffer.from("02000000000004010000000000000000", "hex")); // SetChunkSize 0
  await bad.closed;
  assert.equal(publisher.isClosed, false);
  assert.equal(await server.metric("streams_live"), 1);
  const page = await (await fetch(`http://127.0.0.1:${server.httpPort}/metrics`)).text();
  assert.match(page, /sluice_wire_errors_total\{code="[A-Z_]+"\} 1/);
});

test("[SES20] a player that cannot take the stream's codec gets the rest, and that is counted", async () => {
  await using server = await openServer(["play.legacyFourCc=withhold"]);
  await using publisher = await openPublisher(server.rtmpPort, "cam");
  const hevc = (head: number): Uint8Array => Uint8Array.from([head, 0x68, 0x76, 0x63, 0x31, 0, 0, 0, 1]);
  publisher.send("video", 0, hevc(0x90));
  publisher.send("audio", 0, AAC_HEADER);
  publisher.send("video", 0, hevc(0x91));
  publisher.send("audio", 20, AAC_FRAME);
  await using old = new RtmpPeer(server.rtmpPort).play("cam");
  await using able = new RtmpPeer(server.rtmpPort, { fourCcList: ["hvc1"] }).play("cam");
  const kinds = (peer: RtmpPeer): string[] => peer.media.flatMap(({ kind }) => (kind === "data" ? [] : [kind]));
  await until("frames", () => kinds(old).length >= 2 && kinds(able).length >= 4);
  assert.deepEqual(kinds(old), ["audio", "audio"]);
  assert.deepEqual(kinds(able), ["video", "audio", "video", "audio"]);
  assert.equal(await server.metric('plays_without_codec_total{kind="video"}'), 1);
});

test("[SES22] metadata that its publisher took back is not told to who joins from the next key frame on", async () => {
  await using server = await openServer();
  await using publisher = await openPublisher(server.rtmpPort, "cam");
  publisher.send("data", 0, encodeAmf0Values(["@setDataFrame", "onMetaData", { width: 640 }]));
  sendGop(publisher);
  await using before = new RtmpPeer(server.rtmpPort).play("cam");
  await until("the first GOP", () => before.media.length >= 5);
  publisher.send("data", 100, encodeAmf0Values(["@clearDataFrame", "onMetaData"]));
  publisher.send("video", 120, AVC_KEY);
  await until("the next key frame", () => before.media.at(-1)?.timestamp === 120);
  await using after = new RtmpPeer(server.rtmpPort).play("cam");
  await until("the next key frame", () => after.media.at(-1)?.timestamp === 120);
  const metadata = (peer: RtmpPeer): number =>
    peer.media.filter(({ payload }) => Buffer.from(payload).includes("onMetaData")).length;
  assert.deepEqual([metadata(before), metadata(after)], [1, 0]);
});

test("[SES21] nothing is left of two hundred publishers and viewers that came and went", async () => {
  await using server = await openServer(["grace.windowMs=0", "limits.connectsPerSecondPerAddress=0"]);
  for (let i = 0; i < 10; i++) {
    const peers = await Promise.all(Array.from({ length: 10 }, (_, k) => openPublisher(server.rtmpPort, `cam${k}`)));
    for (const peer of peers) sendGop(peer);
    const viewers = peers.map((_, k) => new RtmpPeer(server.rtmpPort).play(`cam${k}`));
    await until("frames", () => viewers.every((viewer) => viewer.media.length > 0));
    for (const peer of i % 2 === 0 ? [...peers, ...viewers] : [...viewers, ...peers]) peer.socket.destroy();
    await Promise.all([...peers, ...viewers].map((peer) => peer.closed));
  }
  for (const line of ["sessions", "streams", "viewers", "cohorts"])
    await until(`no ${line}`, async () => (await server.metric(line)) === 0);
});
