/** What a player may ask for while it plays: mutes, pauses, buffers; and streams of one kind only. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { serialDistance } from "@sluice/base/serial-number";
import { startChild } from "@sluice/testkit/child";
import { makeClip, WorkFolder } from "./support/clip.ts";
import { watchHttp } from "./support/flv-viewer.ts";
import { probeCommand } from "./support/packets.ts";
import { connectPeer, type RtmpPeer, unitsOf } from "./support/rtmp-peer.ts";
import { type Server, startServer } from "./support/server.ts";
import {
  assertSameFrames,
  assertTimeNeverBack,
  codedFrames,
  isCoded,
  isConfig,
  isKey,
  readFlvFile,
  type Unit,
} from "./support/units.ts";
import { until } from "@sluice/testkit/until";

let folder: WorkFolder;
let server: Server;
let units: Unit[];

before(async () => {
  folder = new WorkFolder();
  units = readFlvFile(makeClip(folder, "clip.flv", { seconds: 8 }));
  server = await startServer({ set: ["play.httpWait=forever", "delivery.window=0"] });
});

after(async () => {
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

/** A player and a publisher of one stream; a witness tells when the server has worked through what was sent. */
class Stage implements AsyncDisposable {
  readonly player: RtmpPeer;
  readonly publisher: RtmpPeer;
  readonly witness: RtmpPeer;
  #next = 0;

  constructor(player: RtmpPeer, publisher: RtmpPeer, witness: RtmpPeer) {
    this.player = player;
    this.publisher = publisher;
    this.witness = witness;
  }

  /** Units sent so far. */
  get sent(): number {
    return this.#next;
  }

  /** Sends what follows, until `seconds` of it are out, and waits until the witness has it. */
  async advance(seconds: number): Promise<void> {
    const from = this.#next;
    const limit = (units[from] as Unit).timestamp + seconds * 1000;
    while (this.#next < units.length && (units[this.#next] as Unit).timestamp < limit) this.#next++;
    await this.publisher.sendAll(units.slice(from, this.#next));
    const wanted = codedFrames(units.slice(0, this.#next)).length;
    await until("the witness", () => (codedFrames(this.witness.units).length >= wanted ? true : undefined));
  }

  /** What the player hears from here on, while `act` goes on and a little longer. */
  async during(act: () => Promise<void>): Promise<Unit[]> {
    const from = this.player.events.length;
    await act();
    const ping = this.player.engine.call("_checkbw", []);
    this.player.flush();
    await this.player.heard(
      "an answer",
      (event) => (event.type === "call-result" && event.transactionId === ping ? true : undefined),
      { from },
    );
    return unitsOf(this.player.events.slice(from));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const peer of [this.player, this.publisher, this.witness]) await peer[Symbol.asyncDispose]();
  }
}

async function stage(name: string): Promise<Stage> {
  const open = (): Promise<RtmpPeer> => connectPeer({ port: server.port(), app: "live" });
  const [player, publisher, witness] = [await open(), await open(), await open()];
  for (const viewer of [player, witness]) {
    viewer.play(name);
    await viewer.status("NetStream.Play.Start");
  }
  await publisher.publish(name);
  return new Stage(player, publisher, witness);
}

const kinds = (list: readonly Unit[]): string[] => [...new Set(list.filter(isCoded).map(({ kind }) => kind))].sort();
const ofKind = (list: readonly Unit[], kind: Unit["kind"]): Unit[] => list.filter((unit) => unit.kind === kind);

describe("mutes", () => {
  test("receiveVideo(false) stops pictures at once; true brings them back at a key frame behind their header", async () => {
    await using scene = await stage("mute-video");
    await scene.advance(1.5);
    scene.player.tell("receiveVideo", false);
    await scene.during(async () => {});
    const muted = await scene.during(() => scene.advance(1.5));
    assert.deepEqual(kinds(muted), ["audio"]);
    scene.player.tell("receiveVideo", true);
    await scene.during(async () => {});
    const back = await scene.during(() => scene.advance(2.5));
    assert.deepEqual(kinds(back), ["audio", "video"]);
    const video = ofKind(back, "video");
    assert.ok(isConfig(video[0] as Unit), "the header comes first");
    assert.ok(isKey(video.find(isCoded) as Unit), "then a key frame");
    assertTimeNeverBack(scene.player.units, "the player");
    const tail = codedFrames(ofKind(units.slice(0, scene.sent), "video"));
    const got = codedFrames(video);
    assert.deepEqual(got, tail.slice(tail.indexOf(got[0] ?? "")), "no picture is missing from there on");
  });

  test("receiveAudio(false) stops sound alone, and true brings it back", async () => {
    await using scene = await stage("mute-audio");
    await scene.advance(1);
    scene.player.tell("receiveAudio", false);
    await scene.during(async () => {});
    const from = scene.sent;
    const muted = await scene.during(() => scene.advance(1.5));
    assert.deepEqual(kinds(muted), ["video"]);
    assert.deepEqual(
      codedFrames(muted),
      codedFrames(ofKind(units.slice(from, scene.sent), "video")),
      "every picture goes on",
    );
    scene.player.tell("receiveAudio", true);
    await scene.during(async () => {});
    assert.deepEqual(kinds(await scene.during(() => scene.advance(2))), ["audio", "video"]);
    assertTimeNeverBack(scene.player.units, "the player");
  });
});

test("pause is confirmed and silent; unpause goes on at the next key frame with its headers", async () => {
  await using scene = await stage("pause");
  await scene.advance(1.2);
  scene.player.tell("pause", true, 1200);
  await scene.player.status("NetStream.Pause.Notify");
  const silence = await scene.during(() => scene.advance(2));
  assert.deepEqual(silence.filter(isCoded), []);
  scene.player.tell("pause", false, 1200);
  await scene.player.status("NetStream.Unpause.Notify");
  const on = await scene.during(() => scene.advance(2.5));
  const firstFrame = on.findIndex(isCoded);
  assert.deepEqual(
    on
      .slice(0, firstFrame)
      .filter(isConfig)
      .map(({ kind }) => kind),
    ["video", "audio"],
  );
  assert.ok(isKey(on[firstFrame] as Unit));
  assertTimeNeverBack(scene.player.units, "the player");
  const all = codedFrames(units.slice(0, scene.sent));
  assert.deepEqual(codedFrames(on), all.slice(all.indexOf(codedFrames(on)[0] ?? "")));
});

test("a seek in a live stream is refused and disturbs nothing", async () => {
  await using scene = await stage("seek");
  await scene.advance(1);
  scene.player.tell("seek", 0);
  await scene.player.status("NetStream.Seek.Failed");
  await scene.advance(1);
  await scene.during(async () => {});
  assertSameFrames(scene.player.units, units.slice(0, scene.sent), "the player");
});

test("closeStream ends a play, and the same message stream plays again", async () => {
  await using scene = await stage("reopen");
  await scene.advance(1);
  scene.player.tell("closeStream");
  await server.viewers("live/reopen", 1);
  assert.deepEqual((await scene.during(() => scene.advance(1))).filter(isCoded), []);
  scene.player.tell("play", "reopen", -2000);
  const from = scene.player.events.length;
  await scene.player.status("NetStream.Play.Start", { from });
  const again = await scene.during(() => scene.advance(2));
  assert.deepEqual(kinds(again), ["audio", "video"]);
});

test("a player with a buffer of seconds gets every frame too", async () => {
  await using crowd = await startServer({ set: ["delivery.window=200ms"] });
  const open = (): Promise<RtmpPeer> => connectPeer({ port: crowd.port(), app: "live" });
  await using player = await open();
  player.play("buffered", { bufferLength: 5_000 });
  await using publisher = await open();
  await publisher.publish("buffered");
  await publisher.sendAll(units);
  publisher.leave();
  await player.status("NetStream.Play.UnpublishNotify");
  assertSameFrames(player.units, units, "the patient player");
});

describe("streams of one kind", () => {
  for (const only of ["audio", "video"] as const) {
    test(`${only} only: joiners over RTMP and HTTP start at once, and the FLV header says what there is`, async () => {
      const own = readFlvFile(makeClip(folder, `${only}.flv`, { seconds: 4, only }));
      await using publisher = await connectPeer({ port: server.port(), app: "live" });
      await publisher.publish(`only-${only}`);
      const half = Math.floor(own.length / 2);
      await publisher.sendAll(own.slice(0, half));
      const row = await server.stream(`live/only-${only}`, (now) => now[only] !== null && now.bytesIn > 0);
      assert.equal(row[only === "audio" ? "video" : "audio"], null);
      await using rtmp = await connectPeer({ port: server.port(), app: "live" });
      rtmp.play(`only-${only}`);
      await using web = await watchHttp(server.http(`/live/only-${only}.flv`));
      await rtmp.heard("a frame", () => rtmp.units.find(isCoded));
      await until("a frame over HTTP", () => web.units.find(isCoded));
      await publisher.sendAll(own.slice(half));
      publisher.leave();
      await rtmp.status("NetStream.Play.UnpublishNotify");
      await web.ended;
      const all = codedFrames(own);
      for (const got of [codedFrames(rtmp.units), codedFrames(web.units)])
        assert.deepEqual(got, all.slice(all.indexOf(got[0] ?? "")));
      assert.deepEqual(kinds(rtmp.units), [only]);
      assert.deepEqual(web.flvHeader, { hasAudio: only === "audio", hasVideo: only === "video" });
      const step = ofKind(web.units, only).filter(isCoded);
      assert.ok(serialDistance((step[0] as Unit).timestamp, (step.at(-1) as Unit).timestamp) > 1_000);
    });
  }

  test("ffprobe understands a stream of sound alone", async () => {
    const own = readFlvFile(makeClip(folder, "sound.flv", { seconds: 4, only: "audio" }));
    await using publisher = await connectPeer({ port: server.port(), app: "live" });
    await publisher.publish("sound");
    const pacing = (async () => {
      for (let at = 0; at < own.length; at += 10) {
        await publisher.sendAll(own.slice(at, at + 10));
        await pause(100); // ffprobe joins meanwhile
      }
      publisher.leave();
    })();
    await server.stream("live/sound", ({ audio }) => audio !== null);
    const [program = "", ...args] = probeCommand(server.rtmp("live/sound"));
    const [output] = await Promise.all([probe(program, args), pacing]);
    assert.match(output, /"codec_type": "audio"/);
    assert.doesNotMatch(output, /"codec_type": "video"/);
  });
});

async function probe(program: string, args: readonly string[]): Promise<string> {
  await using child = startChild([program, ...args]);
  await child.exited;
  return child.output("stdout");
}
