/** Clients that go while something of theirs is under way, or while nobody is home: nothing of them stays. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Millis } from "@sluice/base/brand";
import { Departures } from "@sluice/state/departures";
import { setWish } from "@sluice/state/wishes";
import { TestClient } from "./sim-clients.ts";
import { SimCluster } from "./sim-cluster.ts";

const PATH = "room/ball";
const LOCK = { type: "lock", lease: 60_000 as Millis } as const;

async function open(): Promise<{ cluster: SimCluster; a: TestClient; b: TestClient; c: TestClient }> {
  const cluster = new SimCluster({ nodes: 3, seed: 5 });
  await cluster.run(50);
  const a = new TestClient(cluster.node("n0"), PATH, { client: "a" });
  await cluster.run(700);
  const b = new TestClient(cluster.node("n1"), PATH, { client: "b" });
  const c = new TestClient(cluster.node("n2"), PATH, { client: "c" });
  await cluster.run(200);
  assert.equal(cluster.homeNode(PATH), "n0");
  return { cluster, a, b, c };
}

for (const last of ["a", "b", "c"] as const) {
  test(`[OBJ49] an object is forgotten though its last client, ${last}, went with a write under way`, async () => {
    const { cluster, ...clients } = await open();
    for (const name of ["a", "b", "c"] as const) if (name !== last) clients[name].client[Symbol.dispose]();
    await cluster.run(100);
    clients[last].write(setWish("x", 1));
    clients[last].client[Symbol.dispose]();
    await cluster.run(60_000);
    assert.deepEqual(
      cluster.nodes.map(({ host }) => host.find(PATH)),
      [undefined, undefined, undefined],
    );
  });
}

test("[OBJ12] the lock of a client that went while nobody was home is free at the next home", async () => {
  const { cluster, b, c } = await open();
  b.write(LOCK);
  await cluster.run(100);
  cluster.kill("n0");
  await cluster.run(50);
  b.client[Symbol.dispose]();
  await cluster.run(8_000);
  c.write(setWish("x", 1));
  await cluster.run(200);
  assert.equal(c.outcomes.at(-1)?.type, "success");
});

test("[OBJ12] the lock of a client that went after the next home took over is free", async () => {
  const { cluster, b, c } = await open();
  c.write(LOCK);
  await cluster.run(100);
  cluster.kill("n0");
  await cluster.run(8_000);
  c.client[Symbol.dispose]();
  await cluster.run(200);
  b.write(setWish("x", 1));
  await cluster.run(200);
  assert.equal(b.outcomes.at(-1)?.type, "success");
});

for (const who of ["b", "c"] as const) {
  test(`[OBJ12] a lock that ${who} asked for before it went, and that only the next home gave, is free`, async () => {
    const { cluster, ...clients } = await open();
    cluster.kill("n0");
    await cluster.run(50);
    clients[who].write(LOCK);
    clients[who].client[Symbol.dispose]();
    await cluster.run(8_000);
    const other = who === "b" ? clients.c : clients.b;
    other.write(setWish("x", 1));
    await cluster.run(200);
    assert.equal(other.outcomes.at(-1)?.type, "success");
  });
}

test("[OBJ35] of those that went while no home heard it no more are remembered than an object may have clients", () => {
  const told: string[] = [];
  let hasHome = false;
  const departures = new Departures(2, (client) => hasHome && told.push(client) > 0);
  for (const client of ["a", "b", "c"]) departures.left(client);
  hasHome = true;
  departures.tell();
  departures.tell();
  assert.deepEqual(told, ["b", "c"]);
});
