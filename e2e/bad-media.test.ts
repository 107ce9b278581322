/** Publishers whose media makes no sense: viewers get what can be shown, in order of time, and other streams go on. */
import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { serialDistance } from "@sluice/base/serial-number";
import { type Bystander, BYSTANDER_SETS, startBystander } from "./support/bystander.ts";
import { makeClip, WorkFolder } from "./support/clip.ts";
import { connectPeer, type RtmpPeer } from "./support/rtmp-peer.ts";
import { type Server, startServer } from "./support/server.ts";
import { assertTimeNeverBack, codedFrames, isCoded, isConfig, isKey, readFlvFile, type Unit } from "./support/units.ts";
import { until } from "@sluice/testkit/until";

let folder: WorkFolder;
let server: Server;
let units: Unit[];
let bystander: Bystander;

before(async () => {
  folder = new WorkFolder();
  units = readFlvFile(makeClip(folder, "clip.flv", { seconds: 4 }));
  server = await startServer({ set: BYSTANDER_SETS });
  bystander = await startBystander(server, units);
});

after(async () => {
  await bystander.finish();
  await bystander[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

afterEach(() => bystander.assertLives());

describe("publishers that misbehave", () => {
  const peer = (): Promise<RtmpPeer> => connectPeer({ port: server.port(), app: "live" });

  test("timestamps that jump forth and back reach viewers as time that never goes back", async () => {
    await using player = await peer();
    player.play("jumps");
    await using publisher = await peer();
    await publisher.publish("jumps");
    const jumps = [0, 5_000_000, -4_000_000, 2 ** 31 - 10, -(2 ** 31) + 10, 600, -600, 0];
    let base = 1_000;
    const step = Math.floor(units.length / jumps.length);
    const sent = jumps.flatMap((jump, i) => {
      base = (base + jump + 2 ** 32) % 2 ** 32;
      return units
        .slice(i * step, (i + 1) * step)
        .map((unit) => ({ ...unit, timestamp: (unit.timestamp + base) % 2 ** 32 }));
    });
    await publisher.sendAll(sent);
    publisher.leave();
    await player.status("NetStream.Play.UnpublishNotify");
    const bodies = (list: readonly Unit[]): string[] => codedFrames(list.map((unit) => ({ ...unit, timestamp: 0 })));
    assert.deepEqual(bodies(player.units), bodies(sent), "every frame arrives");
    assertTimeNeverBack(player.units, "the player");
    const coded = player.units.filter(isCoded);
    assert.ok(serialDistance((coded[0] as Unit).timestamp, (coded.at(-1) as Unit).timestamp) > 0);
  });

  test("frames before their headers are withheld, and shown from a key frame on once headers came", async () => {
    await using player = await peer();
    player.play("headless");
    await using publisher = await peer();
    await publisher.publish("headless");
    const split = units.findIndex((unit, i) => i > units.length / 2 && isKey(unit));
    const headers = units.filter(isConfig);
    await publisher.sendAll(units.slice(0, split).filter(isCoded));
    await server.stream("live/headless", ({ bytesIn }) => bytesIn > 10_000);
    assert.deepEqual(player.units.filter(isCoded), []);
    const { timestamp } = units[split] as Unit;
    await publisher.sendAll([...headers.map((unit) => ({ ...unit, timestamp })), ...units.slice(split)]);
    publisher.leave();
    await player.status("NetStream.Play.UnpublishNotify");
    assert.deepEqual(codedFrames(player.units), codedFrames(units.slice(split)));
    assert.ok(isConfig(player.units.filter(({ kind }) => kind !== "data")[0] as Unit));
  });

  test("empty and truncated bodies are passed over or passed on, and the stream goes on", async () => {
    await using player = await peer();
    player.play("stumps");
    await using publisher = await peer();
    await publisher.publish("stumps");
    await publisher.sendAll(units.slice(0, 50));
    const stumps = [[], [0x17], [0x17, 1], [0x27, 1, 0], [0x90], [0x96], [0x9f, 1, 2], [0xaf], [0xaf, 1], [0x9c, 9]];
    for (const kind of ["video", "audio", "data"] as const)
      for (const stump of stumps)
        publisher.send({ kind, timestamp: (units[49] as Unit).timestamp, body: Uint8Array.from(stump) });
    await publisher.sendAll(units.slice(50));
    publisher.leave();
    await player.status("NetStream.Play.UnpublishNotify");
    const whole = new Set(codedFrames(units));
    assert.deepEqual(
      codedFrames(player.units).filter((frame) => whole.has(frame)),
      codedFrames(units),
    );
  });

  test("names that make no stream key are refused, and the connection lives", async () => {
    await using player = await peer();
    for (const name of ["..", "a/../b", "a\u0000b", "x".repeat(2_000)]) {
      const from = player.events.length;
      player.play(name);
      await player.status("NetStream.Play.StreamNotFound", { from });
      player.engine.publish(name);
      player.flush();
      await player.status("NetStream.Publish.BadName", { from });
    }
    assert.equal(player.isClosed, false);
  });

  test("a new picture size in mid-stream reaches those who play and those who join, headers first", async () => {
    await using player = await peer();
    player.play("resized");
    await using publisher = await peer();
    await publisher.publish("resized");
    await publisher.sendAll(units.slice(0, 100));
    const { timestamp } = units[99] as Unit;
    const other = readFlvFile(makeClip(folder, "small.flv", { seconds: 2, size: "160x90" }));
    const after = other.map((unit) => ({ ...unit, timestamp: unit.timestamp + timestamp + 40 }));
    await publisher.sendAll(after);
    const row = await server.stream("live/resized", ({ video }) => video?.width === 160);
    assert.equal(row.video?.height, 90);
    const wanted = codedFrames([...units.slice(0, 100), ...after]);
    await until("all frames", () => (codedFrames(player.units).length === wanted.length ? true : undefined));
    assert.deepEqual(codedFrames(player.units), wanted);
    await using joiner = await peer(); // with the new header alone it would still be given the former pictures first
    joiner.play("resized");
    const firstNew = player.units.findIndex((unit) => isKey(unit) && unit.timestamp > timestamp);
    const header = player.units
      .slice(0, firstNew)
      .filter((unit) => isConfig(unit) && unit.kind === "video")
      .at(-1);
    const expected = other.find((unit) => isConfig(unit) && unit.kind === "video")?.body;
    assert.deepEqual(Buffer.from(header?.body ?? []), Buffer.from(expected ?? []));
    await joiner.heard("a frame", () => joiner.units.find(isCoded));
    const joined = joiner.units.find((unit) => isConfig(unit) && unit.kind === "video")?.body;
    assert.deepEqual(Buffer.from(joined ?? []), Buffer.from(expected ?? []));
  });
});
