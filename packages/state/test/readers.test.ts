/** Readers that come back, that are slow, and that cannot be given what they missed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Change } from "@sluice/state/change";
import { ObjectCopy } from "@sluice/state/object-copy";
import { History } from "@sluice/state/history";
import { toPlain } from "@sluice/state/plain-data";
import { ORIGIN, type Position } from "@sluice/state/position";
import { messageWish, setWish } from "@sluice/state/wishes";
import { decodeMessage } from "@sluice/state/wire/decode";
import { TestClient } from "./sim-clients.ts";
import { SimCluster } from "./sim-cluster.ts";

const PATH = "room/ball";
const LIMITS = { historyChanges: 10, historyBytes: 100_000, behindChanges: 3, behindBytes: 10_000 };

async function open(limits = {}): Promise<{ cluster: SimCluster; a: TestClient; b: TestClient }> {
  const cluster = new SimCluster({ nodes: 3, seed: 3, limits });
  await cluster.run(50);
  const a = new TestClient(cluster.node("n0"), PATH, { client: "a" });
  const b = new TestClient(cluster.node("n2"), PATH, { client: "b" });
  await cluster.run(700);
  return { cluster, a, b };
}

function position(version: number, epoch = 1): Position {
  return { epoch: { generation: 1, number: epoch }, version };
}

function setX(version: number, epoch = 1, from = position(version - 1, epoch)): Change {
  const operations = [{ type: "set" as const, name: "x", plain: toPlain(version, "x", 100) }];
  return { from, to: position(version, epoch), operations, droppedMessages: 0 };
}

test("[OBJ20] who comes back is given what it missed, at another node and after a take-over too", async () => {
  const { cluster, a, b } = await open();
  await cluster.run(50);
  const from = b.client.at as Position;
  b.client[Symbol.dispose]();
  for (let i = 0; i < 5; i++) a.write(setWish("x", i));
  await cluster.run(50);
  const elsewhere = new TestClient(cluster.node("n1"), PATH, { from });
  await cluster.run(50);
  assert.deepEqual(
    [elsewhere.connectOutcome, elsewhere.story],
    [{ type: "connected", recovered: true }, "2, 3, 4, 5, 6"],
  );
  cluster.kill("n0");
  await cluster.run(5_000);
  elsewhere.write(setWish("x", 9));
  const again = new TestClient(cluster.node("n2"), PATH, { from });
  await cluster.run(50);
  assert.deepEqual([again.connectOutcome, again.story], [{ type: "connected", recovered: true }, "2, 3, 4, 5, 6, 7"]);
});

test("[OBJ21] who cannot be given what it missed hears so, and begins anew", async () => {
  const { cluster, a, b } = await open({ historyChanges: 3 });
  const from = b.client.at as Position;
  b.client[Symbol.dispose]();
  for (let i = 0; i < 5; i++) a.write(setWish("x", i));
  await cluster.run(50);
  const late = new TestClient(cluster.node("n2"), PATH, { from });
  const forged = new TestClient(cluster.node("n2"), PATH, { from: { ...from, version: 99 } });
  await cluster.run(50);
  for (const one of [late, forged])
    assert.deepEqual([one.connectOutcome, one.story], [{ type: "connected", recovered: false }, "snapshot 6"]);
});

test("[OBJ22] a slow reader is given one change that says from where to where", async () => {
  const { cluster, a } = await open({ behindChanges: 4 });
  const slow = new TestClient(cluster.node("n2"), PATH, { isSlow: true });
  await cluster.run(50);
  slow.takeAll();
  for (let i = 0; i < 10; i++) a.write(setWish("x", i), messageWish("kick", [i]));
  a.write({ type: "clear" });
  a.write(setWish("y", 1));
  await cluster.run(100);
  slow.takeAll();
  const last = slow.deliveries.at(-1);
  assert.equal(slow.story, "snapshot 1, 2-13");
  assert.deepEqual([slow.values, last?.type === "change" && last.change.droppedMessages], [{ y: 1 }, 10]);
  assert.deepEqual(last?.type === "change" && last.change.operations.map(({ type }) => type), ["clear", "set"]);
});

test("[OBJ22] bytes make a reader slow as well", () => {
  const copy = new ObjectCopy({ ...LIMITS, behindBytes: 200 });
  const feed = copy.openFeed(undefined, () => {});
  feed.take();
  const big = { type: "set" as const, name: "x", plain: toPlain("v".repeat(150), "x", 1_000) };
  for (const version of [1, 2])
    copy.apply({ ...setX(version, 1, version === 1 ? ORIGIN : position(1)), operations: [big] });
  const delivery = feed.take();
  assert.equal(delivery?.type === "change" && delivery.change.to.version, 2);
});

test("[OBJ23] behind the history, or over a change of homes, there is a snapshot", () => {
  const copy = new ObjectCopy(LIMITS);
  const behind = copy.openFeed(undefined, () => {});
  const over = copy.openFeed(undefined, () => {});
  behind.take();
  copy.apply(setX(1, 1, ORIGIN));
  over.take();
  for (let version = 2; version <= 6; version++)
    copy.apply(setX(version, 2, version === 2 ? position(1) : position(version - 1, 2)));
  assert.equal(over.take()?.type, "change"); // of the second home alone
  for (let version = 7; version <= 12; version++)
    copy.apply(setX(version, 3, version === 7 ? position(6, 2) : position(version - 1, 3)));
  assert.deepEqual([behind.take()?.type, behind.at], ["snapshot", position(12, 3)]);
  copy.adopt({ ...copy.state.snapshot(), at: position(12, 4) });
  assert.deepEqual([over.take()?.type, over.at], ["snapshot", position(12, 4)]);
});

test("[OBJ23] a copy does not take a change that starts elsewhere", () => {
  const copy = new ObjectCopy(LIMITS);
  assert.equal(copy.apply(setX(1, 1, ORIGIN)), true);
  assert.equal(copy.apply(setX(3)), false);
  assert.equal(copy.apply(setX(2, 2, position(1, 2))), false);
  assert.deepEqual(copy.at, position(1));
});

test("[OBJ24] the history is bounded in changes and in bytes", () => {
  const history = new History({ historyChanges: 1_500, historyBytes: 1_000_000 });
  for (let version = 1; version <= 5_000; version++)
    history.push({ ...setX(version), by: { client: "c", sequence: version } });
  assert.deepEqual(
    [history.size, history.distance(position(3_500)), history.distance(position(3_499))],
    [1_500, 1_500, undefined],
  );
  assert.deepEqual(
    [history.findRequest({ client: "c", sequence: 5_000 }), history.findRequest({ client: "c", sequence: 3_000 })],
    [position(5_000), undefined],
  );
  assert.deepEqual([history.reaches(3_500), history.reaches(3_499)], [true, false]);
  const small = new History({ historyChanges: 1_500, historyBytes: 500 });
  for (let version = 1; version <= 50; version++) small.push(setX(version));
  assert.equal(small.size, 6);
});

test("[OBJ24] a replica that acknowledges nothing is sent no more than its limit", async () => {
  const { cluster, a } = await open({ inFlightBytes: 400, behindChanges: 4 });
  cluster.node("n2").clock.pause();
  for (let i = 0; i < 200; i++) {
    a.write(setWish("x", i));
    await cluster.run(1);
  }
  assert.ok(cluster.network.counters.sent < 1_500);
  const before = cluster.network.counters.delivered;
  cluster.node("n2").clock.resume();
  await cluster.run(100);
  assert.equal(cluster.node("n2").host.find(PATH)?.copy.at.version, 201);
  assert.ok(cluster.network.counters.delivered - before < 60);
});

test("[OBJ40] bytes between nodes are the same for 1 and for 100 clients behind a node", async () => {
  const bytesWith = async (clients: number): Promise<number> => {
    const { cluster, a } = await open();
    for (let i = 0; i < clients; i++) new TestClient(cluster.node("n2"), PATH);
    await cluster.run(100);
    let bytes = 0;
    const { send } = cluster.network;
    cluster.network.send = (from, to, message) => {
      if (decodeMessage(message)?.type === "change") bytes += message.length;
      send.call(cluster.network, from, to, message);
    };
    for (let i = 0; i < 50; i++) a.write(setWish("x", i));
    await cluster.run(100);
    return bytes;
  };
  assert.equal(await bytesWith(1), await bytesWith(100));
});
