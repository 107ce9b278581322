/** Durable objects: their rows in the engine, and what outlives whom. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Millis } from "@sluice/base/brand";
import { MemoryEngine } from "@sluice/engine/memory-engine";
import type { Durability } from "@sluice/state/change";
import { setWish } from "@sluice/state/wishes";
import { decodeRow } from "@sluice/state/wire/decode";
import { encodeRow } from "@sluice/state/wire/encode";
import { TestClient } from "./sim-clients.ts";
import { SimCluster } from "./sim-cluster.ts";

const PATH = "room/score";
const ROW = "object/room/score";

async function open(
  durability: Durability,
): Promise<{ cluster: SimCluster; a: TestClient; row: () => ReturnType<typeof decodeRow> | undefined }> {
  const cluster = new SimCluster({ nodes: 3, seed: 9 });
  await cluster.run(50);
  const a = new TestClient(cluster.node("n0"), PATH, { durability });
  await cluster.run(800);
  const row = () => {
    const entry = cluster.store.find(ROW);
    return entry && decodeRow(entry.value);
  };
  return { cluster, a, row };
}

test("[OBJ60] a change is acknowledged once the engine has it, and many go in one write", async () => {
  const { cluster, a, row } = await open({ type: "each" });
  const revision = cluster.store.find(ROW)?.revision.number ?? 0;
  for (let i = 0; i < 100; i++) a.write(setWish("x", i));
  await cluster.run(2);
  assert.equal(a.outcomes.length, 0);
  await cluster.run(50);
  assert.deepEqual([a.outcomes.length, row()?.snapshot.at.version], [100, 101]);
  assert.equal((cluster.store.find(ROW)?.revision.number ?? 0) - revision, 2);
  cluster.directory.cutOff.add("n0");
  a.write(setWish("x", 0));
  await cluster.run(1_000);
  assert.equal(a.outcomes.length, 100);
  cluster.directory.heal("n0");
  await cluster.run(1_500);
  assert.deepEqual([a.outcomes.at(-1)?.type, row()?.snapshot.at.version], ["success", 102]);
});

test("[OBJ61] a durable object survives the end of all nodes", async () => {
  const { cluster, a } = await open({ type: "each" });
  a.write(setWish("x", { deep: [1, "two"] }), setWish("y", 1));
  await cluster.run(50);
  const from = a.client.at;
  for (const name of ["n0", "n1", "n2"]) cluster.kill(name);
  await cluster.run(100);
  cluster.start("n1");
  const b = new TestClient(cluster.node("n1"), PATH, from === undefined ? {} : { from });
  await cluster.run(4_000);
  assert.deepEqual(cluster.node("n1").notices, [{ type: "restored", path: PATH }], "[NOD461]");
  assert.deepEqual([b.connectOutcome, b.story], [{ type: "connected", recovered: true }, ""]);
  const c = new TestClient(cluster.node("n1"), PATH);
  await cluster.run(50);
  assert.deepEqual(JSON.parse(JSON.stringify(c.values)), { x: { deep: [1, "two"] }, y: 1 });
});

test("[OBJ62] every so often", async () => {
  const { cluster, a, row } = await open({ type: "every", interval: 1_000 as Millis });
  await cluster.run(1_000);
  for (let i = 0; i < 10; i++) a.write(setWish("x", i));
  await cluster.run(20);
  assert.deepEqual([a.outcomes.length, row()?.snapshot.at.version], [10, 1]);
  await cluster.run(1_000);
  assert.equal(row()?.snapshot.at.version, 11);
});

test("[OBJ62] on release: when its last client has gone, and when its home stops", async () => {
  const { cluster, a, row } = await open({ type: "release" });
  a.write(setWish("x", 1));
  await cluster.run(2_000);
  assert.deepEqual([a.outcomes[0]?.type, row()], ["success", undefined]);
  a.client[Symbol.dispose]();
  await cluster.run(10_000);
  assert.deepEqual([row()?.snapshot.at.version, cluster.directory.rows.size], [2, 0]);
  const b = new TestClient(cluster.node("n0"), PATH);
  await cluster.run(1_000);
  assert.deepEqual(b.values, { x: 1 });
  b.write(setWish("x", 2));
  await cluster.run(20);
  void cluster.node("n0").host[Symbol.asyncDispose]();
  await cluster.run(100);
  assert.equal(row()?.snapshot.at.version, 3);
});

test("[OBJ63] a new home raises the row first, and an earlier one steps down at its late write", async () => {
  const { cluster, a, row } = await open({ type: "each" });
  a.write(setWish("x", 1));
  await cluster.run(50);
  const before = row();
  const later = { generation: 1, number: 1_000_000 };
  const entry = cluster.store.find(ROW);
  const engine = new MemoryEngine(cluster.store);
  if (entry !== undefined && before !== undefined)
    await engine.cas(ROW, entry.revision, encodeRow(later, before.snapshot));
  a.write(setWish("x", 2));
  await cluster.run(1_000);
  assert.deepEqual([a.outcomes.length, row()?.epoch, row()?.snapshot.at.version], [1, later, 2]);
});
