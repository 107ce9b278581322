/** Time-outs of RTMP sessions on a clock that the test moves. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { AVC_HEADER, AVC_KEY } from "./sessions-fixture.ts";
import { turns, World } from "./sessions-world.ts";

test("[SES15] handshake, connect and idleness each have their time, and no more", async () => {
  const world = new World();
  world.open();
  await world.pass(5);
  assert.deepEqual(world.ended, []);
  await world.pass(2);
  assert.deepEqual(world.ended, ["timeout"]);
  const idle = await world.open().connect();
  await world.pass(19);
  assert.equal(world.registry.size, 1);
  await world.pass(3);
  assert.equal(world.registry.size, 0);
  assert.ok(idle.codes.includes("NetConnection.Connect.Closed"));
});

test("[SES16] a publisher has its time to the first frame, then between frames; its stream ends with it", async () => {
  const world = new World();
  const mute = await (await world.open().connect()).publish("mute");
  const flowing = await (await world.open().connect()).publish("flowing");
  assert.deepEqual([mute.codes, world.publishers], [["NetStream.Publish.Start"], 2]);
  await flowing.send(AVC_HEADER);
  await flowing.send(AVC_KEY);
  await world.pass(11);
  assert.deepEqual([world.registry.size, world.publishers, world.streams.size], [1, 1, 1]);
  await world.pass(8);
  assert.equal(world.registry.size, 1);
  await world.pass(3);
  assert.deepEqual([world.registry.size, world.publishers, world.streams.size], [0, 0, 0]);
  assert.deepEqual(world.done, ["publish timeout", "publish timeout"]);
});

test("[SES17] a player waits for a publisher as long as it may, again after each publication, and is then told", async () => {
  const world = new World();
  const player = await (await world.open().connect()).play("cam");
  await world.pass(4);
  const publisher = await (await world.open().connect()).publish("cam");
  await publisher.send(AVC_HEADER);
  await publisher.send(AVC_KEY);
  await world.pass(9);
  assert.ok(!player.codes.includes("NetStream.Play.StreamNotFound"));
  publisher.engine.close();
  await publisher.flush();
  assert.ok(player.codes.includes("NetStream.Play.UnpublishNotify"));
  await world.pass(5);
  assert.ok(!player.codes.includes("NetStream.Play.StreamNotFound"));
  await world.pass(3);
  assert.ok(player.codes.includes("NetStream.Play.StreamNotFound"));
  assert.equal(world.streams.size, 0);
});

test("[SES19] ending twice, or while a verdict is awaited, ends once and gives everything back", async () => {
  const world = new World();
  const peer = await (await world.open().connect()).publish("cam");
  peer.session.end("kicked", "bye");
  peer.session.end("server-stopping");
  await turns();
  await turns();
  assert.deepEqual([world.ended, world.publishers, world.streams.size], [["kicked"], 0, 0]);
  assert.deepEqual(world.done, ["publish kicked"]);
  const other = await world.open().connect();
  other.engine.publish("cam");
  void other.flush();
  other.session.end("kicked");
  await turns();
  assert.deepEqual([world.publishers, world.streams.size], [0, 0]);
});
