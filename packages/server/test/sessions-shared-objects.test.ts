/** Shared objects over RTMP, against a whole server in this process. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { AmfObject } from "@sluice/amf/value";
import type { StreamKey } from "@sluice/media/stream-key";
import type { SharedObjectEvent } from "@sluice/rtmp/shared-object-message";
import { ObjectForms, openingCode } from "@sluice/server/rtmp/rtmp-object-events";
import { RtmpSharedObject } from "@sluice/server/rtmp/rtmp-shared-object";
import { refusal } from "@sluice/state/change";
import { ObjectClient } from "@sluice/state/object-client";
import { toPlain } from "@sluice/state/plain-data";
import { FakeClock } from "@sluice/testkit/fake-clock";
import { until } from "@sluice/testkit/until";
import { LATER_PLAYER, ObjectPeer } from "./object-peer.ts";
import { ownObjects } from "./objects-fixture.ts";
import { AVC_DELTA, openPublisher, openServer, RtmpPeer, sendGop } from "./sessions-fixture.ts";

const MEMORY = ["engine.kind=off"];

test("[SOB433] who uses an object hears of use-success, clear and one change for each property, in one message", async () => {
  await using server = await openServer(MEMORY);
  await using first = await ObjectPeer.open(server.rtmpPort);
  await first.use("ball");
  assert.deepEqual(first.said("ball"), ["use-success", "clear"]);
  first.set("ball", ["x", 1], ["y", 2]);
  await first.heard("ball", "success x", "success y");
  await using second = await ObjectPeer.open(server.rtmpPort);
  await second.use("ball");
  const [message] = second.messages("ball");
  assert.deepEqual(second.said("ball"), ["use-success", "clear", "change x=1", "change y=2"]);
  assert.equal(message?.events.length, 4);
  assert.ok((message?.version ?? 0) > (first.messages("ball")[0]?.version ?? 0), "the version of the object");
});

test("[SOB434] a change is one event for each property: change for the others, success or change-echo for its writer", async () => {
  await using server = await openServer(MEMORY);
  await using early = await ObjectPeer.open(server.rtmpPort);
  await using later = await ObjectPeer.open(server.rtmpPort, LATER_PLAYER);
  for (const peer of [early, later]) await peer.use("ball");
  early.set("ball", ["x", 1], ["y", 2]);
  await later.heard("ball", "change x=1", "change y=2");
  await early.heard("ball", "success x", "success y");
  later.set("ball", ["x", 3]);
  await early.heard("ball", "change x=3");
  await later.heard("ball", "change-echo x=3");
  assert.deepEqual(later.said("ball").slice(2), ["change x=1", "change y=2", "change-echo x=3"]);
});

test("[SOB435] null and remove take a property away, clear all of them", async () => {
  await using server = await openServer(MEMORY);
  await using writer = await ObjectPeer.open(server.rtmpPort, LATER_PLAYER);
  await using reader = await ObjectPeer.open(server.rtmpPort);
  for (const peer of [writer, reader]) await peer.use("ball");
  writer.set("ball", ["a", 1], ["b", 2], ["c", 3], ["d", 4]);
  writer.set("ball", ["a", null]);
  writer.ask("ball", [{ type: "request-remove", names: ["b", "c"] }]);
  await reader.heard("ball", "remove a", "remove b", "remove c");
  assert.deepEqual(reader.copy("ball"), { d: 4 });
  writer.ask("ball", [{ type: "request-clear" }]);
  await until("nothing is left", () => Object.keys(reader.copy("ball")).length === 0);
  await until("at its writer too", () => Object.keys(writer.copy("ball")).length === 0);
});

test("[SOB436] messages come to all, their sender included, in order with the changes", async () => {
  await using server = await openServer(MEMORY);
  await using sender = await ObjectPeer.open(server.rtmpPort, LATER_PLAYER);
  await using other = await ObjectPeer.open(server.rtmpPort);
  for (const peer of [sender, other]) await peer.use("ball");
  sender.ask("ball", [
    { type: "request-change", properties: [["x", 1]] },
    { type: "send-message", name: "kick", args: [7, "hard"] },
    { type: "request-change", properties: [["x", 2]] },
  ]);
  await Promise.all([sender.heard("ball", "change-echo x=2"), other.heard("ball", "change x=2")]);
  assert.deepEqual(sender.said("ball").slice(2), ["change-echo x=1", 'send kick [7,"hard"]', "change-echo x=2"]);
  assert.deepEqual(other.said("ball").slice(2), ["change x=1", 'send kick [7,"hard"]', "change x=2"]);
});

test("[SOB437] an object is persistent for all or for nobody, and a default server keeps it over a restart", async (t) => {
  const sets = [`data.dir=${folder(t)}`];
  {
    await using server = await openServer(sets);
    await using peer = await ObjectPeer.open(server.rtmpPort);
    await peer.use("scores", { isPersistent: true });
    peer.ask("scores", [{ type: "use" }]);
    await peer.heard("scores", "status BadPersistence");
    peer.set("scores", ["best", 12]);
    await peer.heard("scores", "success best");
    await using other = await ObjectPeer.open(server.rtmpPort);
    await other.use("scores");
    assert.deepEqual(other.said("scores"), ["status BadPersistence"]);
  }
  await using again = await openServer(sets);
  await using peer = await ObjectPeer.open(again.rtmpPort);
  await peer.use("scores", { isPersistent: true });
  assert.deepEqual(peer.said("scores"), ["use-success", "clear", "change best=12"]);
});

test("[OBJ107] a node that kept objects alone founds a cluster with them", async (t) => {
  const sets = [`data.dir=${folder(t)}`];
  for (const best of [1, 2]) {
    await using server = await openServer(sets);
    await using peer = await ObjectPeer.open(server.rtmpPort, LATER_PLAYER);
    await peer.use("scores", { isPersistent: true });
    peer.set("scores", ["best", best]);
    await peer.heard("scores", `change-echo best=${best}`);
  }
  await using founder = await openServer([...sets, "cluster.port=0"]);
  await using peer = await ObjectPeer.open(founder.rtmpPort, LATER_PLAYER);
  await peer.use("scores", { isPersistent: true });
  assert.deepEqual(peer.said("scores"), ["use-success", "clear", "change best=2"]);
  peer.set("scores", ["best", 3]);
  await peer.heard("scores", "change-echo best=3");
});

test("[SOB437] without an engine persistent objects are refused", async () => {
  await using server = await openServer(MEMORY);
  await using peer = await ObjectPeer.open(server.rtmpPort);
  await peer.use("scores", { isPersistent: true });
  assert.deepEqual(peer.said("scores"), ["status ObjectCreationFailed"]);
});

test("[SOB438] several objects of one connection, in either encoding, are those that others have by another split", async () => {
  await using server = await openServer(MEMORY);
  await using one = await ObjectPeer.open(server.rtmpPort);
  await using two = await ObjectPeer.open(server.rtmpPort, { app: "live/room" });
  await one.use("room/ball");
  await one.use("room/bat", { encoding: "amf3" });
  await two.use("ball", { encoding: "amf3" });
  await two.use("bat");
  two.set("ball", ["at", { x: 1, y: [2, "three"] }]);
  two.set("bat", ["since", new Date(5)]);
  await one.heard("room/ball", 'change at={"x":1,"y":[2,"three"]}');
  await one.heard("room/bat", 'change since="1970-01-01T00:00:00.005Z"');
  const encodings = ["room/ball", "room/bat"].map((name) => one.messages(name).at(-1)?.encoding);
  assert.deepEqual(encodings, ["amf0", "amf3"]);
});

test("[SOB431] what is asked of an object that is not open has one status for a message, and the session goes on", async () => {
  await using server = await openServer(MEMORY);
  await using publisher = await openPublisher(server.rtmpPort, "cam");
  sendGop(publisher);
  await using player = new RtmpPeer(server.rtmpPort).play("cam");
  await using peer = await ObjectPeer.open(server.rtmpPort);
  const change = { type: "request-change", properties: [["x", 1]] } as const;
  peer.ask("ball", [change, change, { type: "send-message", name: "hi", args: [] }, { type: "release" }]);
  peer.ask("ball", [{ type: "change", properties: [["x", 1]] }, { type: "use-success" }]);
  peer.ask("bat", [{ type: "request-clear" }]);
  await peer.heard("bat", "status NoWriteAccess");
  assert.deepEqual(peer.said("ball"), ["status NoWriteAccess"]);
  publisher.engine.sendSharedObject({ encoding: "amf0", name: "b", version: 0, isPersistent: false, events: [change] });
  publisher.send("video", 200, AVC_DELTA);
  await until("a frame from behind the request", () => player.media.some((event) => event.timestamp === 200));
});

test("[SOB439] writes behind a use that has no answer yet are done once it is open, in order", async () => {
  await using server = await openServer(MEMORY);
  await using peer = await ObjectPeer.open(server.rtmpPort, LATER_PLAYER);
  const write = (x: number) => ({ type: "request-change", properties: [["x", x]] }) as const;
  peer.ask("ball", [{ type: "use" }, write(1), write(2)]);
  peer.ask("ball", [write(3)]);
  await peer.heard("ball", "change-echo x=3");
  assert.deepEqual(peer.said("ball"), ["use-success", "clear", ...[1, 2, 3].map((x) => `change-echo x=${x}`)]);
});

test("[SOB440] what cannot be shared is refused with a status and what stands, and nothing ends", async () => {
  await using server = await openServer(MEMORY);
  await using peer = await ObjectPeer.open(server.rtmpPort, LATER_PLAYER);
  await peer.use("ball");
  peer.set("ball", ["x", 1]);
  await peer.heard("ball", "change-echo x=1");
  const circle: Record<string, unknown> = {};
  circle["self"] = circle;
  const bad: [string, unknown][] = [
    ["x", circle],
    ["x", "long".repeat(20_000)],
    ["__proto__", 1],
    ["n".repeat(300), 1],
  ];
  for (const [name, value] of bad) {
    const before = peer.said("ball").length;
    peer.set("ball", [name, value as AmfObject]);
    await until(`an answer about ${name}`, () => peer.said("ball").length > before);
    const stands = name === "x" ? "change x=1" : `remove ${name}`;
    assert.deepEqual(peer.said("ball").slice(before), ["status NoWriteAccess", stands]);
  }
  peer.set("ball", ["x", 2]);
  await peer.heard("ball", "change-echo x=2");
});

test("[SOB441] a peer that does not read is given the last values in place of all of them", async () => {
  await using server = await openServer(MEMORY);
  await using writer = await ObjectPeer.open(server.rtmpPort, LATER_PLAYER);
  await using slow = await ObjectPeer.open(server.rtmpPort);
  for (const peer of [writer, slow]) await peer.use("ball");
  slow.socket.pause();
  const text = "-".repeat(60_000);
  const count = 400;
  for (let i = 1; i <= count; i++) {
    writer.set("ball", ["text", text + i], ["i", i]);
    if (i % 20 > 0) continue;
    await writer.heard("ball", `change-echo i=${i}`);
    writer.events.length = 0;
  }
  slow.socket.resume();
  await slow.heard("ball", `change i=${count}`);
  assert.ok(slow.messages("ball").length < count / 2, `${slow.messages("ball").length} messages`);
  assert.equal(slow.copy("ball")["text"], text + count);
});

test("[SOB442] who releases an object hears no more of it, and may use it again", async () => {
  await using server = await openServer(MEMORY);
  await using writer = await ObjectPeer.open(server.rtmpPort, LATER_PLAYER);
  await using reader = await ObjectPeer.open(server.rtmpPort);
  for (const peer of [writer, reader]) await peer.use("ball");
  await reader.use("bat");
  reader.ask("ball", [{ type: "release" }]);
  reader.ask("ball", [{ type: "request-clear" }]);
  await reader.heard("ball", "status NoWriteAccess");
  writer.set("ball", ["x", 1]);
  await writer.heard("ball", "change-echo x=1");
  reader.set("bat", ["y", 1]);
  await reader.heard("bat", "success y");
  assert.deepEqual(reader.said("ball"), ["use-success", "clear", "status NoWriteAccess"]);
  await reader.use("ball");
  assert.deepEqual(reader.said("ball").slice(3), ["use-success", "clear", "change x=1"]);
});

test("[SOB443] an equal value is a success for its writer, and nothing for anybody else", async () => {
  await using server = await openServer(MEMORY);
  await using writer = await ObjectPeer.open(server.rtmpPort, LATER_PLAYER);
  await using reader = await ObjectPeer.open(server.rtmpPort);
  for (const peer of [writer, reader]) await peer.use("ball");
  for (const x of [1, 1, 1]) writer.set("ball", ["x", x]);
  writer.set("ball", ["y", 2]);
  await Promise.all([writer.heard("ball", "change-echo y=2"), reader.heard("ball", "change y=2")]);
  assert.deepEqual(reader.said("ball").slice(2), ["change x=1", "change y=2"]);
  assert.ok(writer.said("ball").filter((one) => one === "change-echo x=1").length >= 1);
});

test("[SOB444] one connection has so many objects and no more, and a name that makes no path none", async () => {
  await using server = await openServer(MEMORY);
  await using peer = await ObjectPeer.open(server.rtmpPort);
  const names = Array.from({ length: 257 }, (_, i) => `object-${i}`);
  for (const name of names) peer.ask(name, [{ type: "use" }]);
  await peer.heard("object-256", "status ObjectCreationFailed");
  await peer.heard("object-255", "use-success");
  peer.ask("a/../b", [{ type: "use" }]);
  await peer.heard("a/../b", "status UriMismatch");
  await using admin = await ObjectPeer.open(server.rtmpPort, { app: "api" });
  await admin.use("ball");
  assert.deepEqual(admin.said("ball"), ["status ObjectCreationFailed"]);
});

test("[SOB446] who opens and releases objects without end is refused for a while, and others are not", async () => {
  await using server = await openServer(MEMORY);
  await using flood = await ObjectPeer.open(server.rtmpPort);
  await using other = await ObjectPeer.open(server.rtmpPort);
  const names = Array.from({ length: 3_000 }, (_, i) => `flood-${i}`);
  for (const name of names) flood.ask(name, [{ type: "use" }, { type: "release" }]);
  await until("a refusal", () => names.some((name) => flood.said(name).includes("status ObjectCreationFailed")));
  await other.use("ball");
  assert.deepEqual(other.said("ball"), ["use-success", "clear"]);
});

test("[SOB447] who writes and never reads has so many writes waiting to be told of, and then hears what stands", async () => {
  const clock = new FakeClock();
  const objects = ownObjects(clock);
  const path = "live/ball" as StreamKey;
  const who = toPlain({}, "who", 100);
  const client = objects.connect(path, { client: objects.nextClientId(), who, ready: () => {} });
  assert.ok(client instanceof ObjectClient);
  await clock.advanceAsync(500);
  const object = new RtmpSharedObject({
    form: { name: "ball", encoding: "amf0", isPersistent: false },
    echo: "change-echo",
    forms: new ObjectForms(),
    client,
    clock,
    state: () => objects.find(path)?.copy.state,
    wake: () => {},
  });
  for (let i = 1; i <= 10_000; i++) {
    object.write({ type: "request-change", properties: [["x", i]] });
    if (i % 500 === 0) await clock.advanceAsync(1_000);
  }
  const told: SharedObjectEvent[] = [];
  for (let one = object.next(); one !== undefined; one = object.next()) if ("events" in one) told.push(...one.events);
  const stands = objects.find(path)?.copy.state.properties.get("x")?.plain.value;
  assert.ok(told.length < 2_500, `${told.length} events`);
  assert.equal(told.filter(({ type }) => type === "status").length, 1);
  const last = told.findLast((event) => event.type === "change" || event.type === "change-echo");
  assert.deepEqual(last, { type: last?.type, properties: [["x", stands]] });
  objects.find(path)?.[Symbol.dispose]();
});

for (const [says, code, refused] of [
  ["a guard that hides it", "NoReadAccess", refusal("denied", "read")],
  ["a guard that forbids to create it", "ObjectCreationFailed", refusal("denied", "create")],
  ["another persistence", "BadPersistence", refusal("mismatch")],
  ["no home", "ObjectCreationFailed", refusal("unavailable")],
] as const)
  test(`[SOB445] ${says} is ${code}`, () => assert.equal(openingCode(refused), code));

test("[SOB426] a broken body ends the session that sent it, and no other", async () => {
  await using server = await openServer(MEMORY);
  await using publisher = await openPublisher(server.rtmpPort, "cam");
  await using broken = new RtmpPeer(server.rtmpPort);
  await until("the connection", () => broken.engine.phase === "connected");
  broken.engine.sendSharedObject({ encoding: "amf3", body: Uint8Array.of(1, 0, 0) });
  broken.flush();
  await broken.closed;
  sendGop(publisher);
  await using player = new RtmpPeer(server.rtmpPort).play("cam");
  await until("frames", () => player.media.length >= 5);
});

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), "sluice-objects-"));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}
