/** Shared objects as server code uses them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { amfObject } from "@sluice/amf/value";
import { toPlain } from "@sluice/state/plain-data";
import { type MapEvent, SharedMap } from "@sluice/state/shared-map";
import { SimCluster } from "./sim-cluster.ts";

const WHO = toPlain(amfObject({}), "who", 100);

async function open(): Promise<{ cluster: SimCluster; maps: SharedMap[] }> {
  const cluster = new SimCluster({ nodes: 3, seed: 2 });
  await cluster.run(50);
  const maps = cluster.nodes.map(
    ({ host, name }) => new SharedMap(host, "app/tables", { client: `map-${name}`, who: WHO }),
  );
  return { cluster, maps };
}

test("[OBJ70] of all that get or create at once one creates", async () => {
  const { cluster, maps } = await open();
  const answers = maps.map((map, i) => map.getOrCreate("leader", () => `n${i}`));
  await cluster.run(1_500);
  const outcomes = await Promise.all(answers);
  const created = outcomes.filter(({ type }) => type === "created");
  assert.equal(created.length, 1);
  const values = new Set(outcomes.map((one) => (one.type === "refused" ? undefined : one.value)));
  assert.deepEqual([values.size, maps.map((map) => map.get("leader"))], [1, maps.map(() => [...values][0])]);
  assert.deepEqual(await maps[2]?.getOrCreate("leader", () => "late"), { type: "found", value: [...values][0] });
});

test("[OBJ71] listeners hear everywhere, or at home alone, in order", async () => {
  const { cluster, maps } = await open();
  await cluster.run(1_500);
  const heard = maps.map(() => [] as MapEvent[]);
  const atHome = maps.map(() => [] as MapEvent[]);
  maps.forEach((map, i) => {
    map.listen("everywhere", (event) => heard[i]?.push(event));
    map.listen("home", (event) => atHome[i]?.push(event));
  });
  void maps[1]?.set("x", 1);
  void maps[1]?.send("moved", "x", 1);
  void maps[1]?.delete("x");
  await cluster.run(100);
  const expected: MapEvent[] = [
    { type: "set", name: "x", value: 1 },
    { type: "message", name: "moved", args: ["x", 1] },
    { type: "removed", name: "x" },
  ];
  assert.deepEqual(heard, [expected, expected, expected]);
  assert.deepEqual(atHome, [expected, [], []]);
  void cluster.home("app/tables")?.moveTo("n2");
  await cluster.run(500);
  const position = maps[0]?.positionOf("y");
  if (position !== undefined) void maps[0]?.compareAndSet("y", position, 1);
  await cluster.run(100);
  assert.deepEqual(
    atHome.map(({ length }) => length),
    [3, 0, 1],
  );
});
