/** Homes that die, stop, move and are cut off; standbys; and what waits meanwhile. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { compareEpochs, type Epoch } from "@sluice/engine/epoch";
import { messageWish, setWish } from "@sluice/state/wishes";
import { decodeMessage } from "@sluice/state/wire/decode";
import { encodeMessage } from "@sluice/state/wire/encode";
import type { ObjectMessage } from "@sluice/state/wire/object-message";
import { TestClient } from "./sim-clients.ts";
import { SimCluster } from "./sim-cluster.ts";

const PATH = "room/ball";

/** The home is n0, the standby n1; clients stand on n0 and n2. */
async function open(
  nodes = 3,
  limits = {},
): Promise<{ cluster: SimCluster; a: TestClient; b: TestClient; sent: (readonly [string, string, ObjectMessage])[] }> {
  const cluster = new SimCluster({ nodes, seed: 5, limits });
  const sent: (readonly [string, string, ObjectMessage])[] = [];
  const { send } = cluster.network;
  cluster.network.send = (from, to, message) => {
    const decoded = decodeMessage(message);
    if (decoded !== undefined) sent.push([from, to, decoded]);
    send.call(cluster.network, from, to, message);
  };
  await cluster.run(50);
  const a = new TestClient(cluster.node("n0"), PATH, { client: "a" });
  await cluster.run(700);
  const b = new TestClient(cluster.node(`n${nodes - 1}`), PATH, { client: "b" });
  await cluster.run(200);
  assert.equal(cluster.homeNode(PATH), "n0");
  return { cluster, a, b, sent };
}

function epochOf(cluster: SimCluster): Epoch {
  return cluster.home(PATH)?.epoch ?? { generation: 0, number: 0 };
}

test("[OBJ40] the home is where the directory places it, and each node attaches once", async () => {
  const { cluster, sent } = await open();
  for (let i = 0; i < 10; i++) new TestClient(cluster.node("n2"), PATH);
  await cluster.run(100);
  const attached = sent.filter(([from, , { type }]) => from === "n2" && type === "attach");
  assert.equal(attached.length, 1);
});

test("[OBJ41] success is told once the standby has the change", async () => {
  const { cluster, a } = await open();
  assert.equal(cluster.home(PATH)?.standby, "n1");
  cluster.network.cut("n0", "n1", "hold");
  a.write(setWish("x", 1));
  await cluster.run(900);
  assert.equal(a.outcomes.length, 0);
  cluster.network.heal("n0", "n1");
  await cluster.run(20);
  assert.equal(a.outcomes[0]?.type, "success");
});

test("[OBJ42] a silent standby is given up, and the lease must be confirmed after that", async () => {
  const { cluster, a } = await open(2);
  cluster.network.cut("n0", "n1", "hold");
  cluster.directory.cutOff.add("n0");
  a.write(setWish("x", 1));
  await cluster.run(2_000);
  assert.equal(a.outcomes.length, 0);
  cluster.directory.heal("n0");
  await cluster.run(1_000);
  assert.equal(a.outcomes[0]?.type, "success");
});

test("[OBJ42] another standby takes the place of a dead one", async () => {
  const { cluster, a } = await open(3);
  cluster.kill("n1");
  await cluster.run(50);
  assert.equal(cluster.home(PATH)?.standby, "n2");
  a.write(setWish("x", 1));
  await cluster.run(20);
  assert.equal(a.outcomes[0]?.type, "success");
});

test("[OBJ43] a home that was stopped acknowledges nothing stale, and follows the new one", async () => {
  const { cluster, a, b } = await open();
  a.write(setWish("x", 1));
  cluster.node("n0").clock.pause(); // the standby's answer is under way
  b.write(setWish("x", 2));
  await cluster.run(6_000);
  assert.deepEqual([cluster.homeNode(PATH), b.outcomes[0]?.type], ["n1", "success"]);
  const epoch = epochOf(cluster);
  cluster.node("n0").clock.resume();
  assert.equal(a.outcomes.length, 0);
  await cluster.run(200);
  assert.deepEqual(
    [cluster.node("n0").host.find(PATH)?.role, a.values, compareEpochs(epochOf(cluster), epoch)],
    ["attached", b.values, 0],
  );
});

test("[OBJ44] the highest copy is adopted, and whoever is ahead begins anew", async () => {
  const { cluster, a, b } = await open();
  a.write(setWish("x", 1));
  await cluster.run(50);
  cluster.network.cut("n0", "n1", "hold");
  a.write(setWish("x", 2)); // n2 hears of it, the standby does not
  await cluster.run(20);
  assert.deepEqual(b.values, { x: 2 });
  cluster.network.cut("n1", "n2", "hold"); // and n2 is silent while the standby takes over
  cluster.kill("n0");
  await cluster.run(4_500);
  assert.equal(cluster.homeNode(PATH), "n1");
  cluster.network.heal();
  await cluster.run(500);
  assert.deepEqual([b.values, b.story], [{ x: 1 }, "snapshot 1, 2, 3, snapshot 2"]);
});

test("[OBJ44] what any linked replica has is found", async () => {
  const { cluster, a, b } = await open();
  cluster.network.cut("n0", "n1", "hold");
  a.write(setWish("x", 2));
  await cluster.run(20);
  cluster.kill("n0");
  await cluster.run(4_500);
  assert.deepEqual([cluster.homeNode(PATH), b.values, b.story], ["n1", { x: 2 }, "snapshot 1, 2"]);
});

test("[OBJ45] a request without an answer is asked again of the next home, and not done twice", async () => {
  const { cluster, b } = await open();
  cluster.network.cut("n0", "n2", "hold"); // answers and changes do not come back
  b.write(messageWish("kick", []));
  await cluster.run(50);
  cluster.kill("n0");
  await cluster.run(4_800);
  assert.equal(b.outcomes[0]?.type, "success");
  assert.equal(cluster.home(PATH)?.copy.state.messageCount, 1);
});

test("[OBJ45] where nobody can know, the outcome is unknown", async () => {
  const { cluster, a, b } = await open(3, { historyChanges: 2 });
  cluster.network.cut("n0", "n2", "hold");
  b.write(messageWish("kick", []));
  await cluster.run(50);
  for (let i = 0; i < 5; i++) a.write(setWish("x", i));
  await cluster.run(50);
  cluster.kill("n0");
  await cluster.run(4_800);
  assert.equal(b.outcomes[0]?.type === "refused" && b.outcomes[0].status, "unknown-outcome");
});

test("[OBJ46] requests wait for a home for a time, and within limits", async () => {
  const { cluster, b } = await open(3, { heldWrites: 3 });
  cluster.kill("n0");
  cluster.kill("n1");
  await cluster.run(50);
  for (const name of cluster.network.names) cluster.directory.cutOff.add(name);
  for (let i = 0; i < 4; i++) b.write(setWish("x", i));
  await cluster.run(10);
  assert.deepEqual(
    b.outcomes.map((one) => one.type === "refused" && [one.status, one.detail]),
    [["unavailable", "heldWrites"]],
  );
  await cluster.run(5_000);
  assert.deepEqual(
    b.outcomes.slice(1).map((one) => one.type === "refused" && one.status),
    ["unavailable", "unavailable", "unavailable"],
  );
});

test("[OBJ47] a planned move waits for no lease", async () => {
  const { cluster, a, b } = await open();
  a.write(setWish("x", 1));
  await cluster.run(20);
  const result = cluster.home(PATH)?.moveTo("n2");
  b.write(setWish("x", 2));
  await cluster.run(200);
  assert.deepEqual([await result, cluster.homeNode(PATH)], [{ type: "moved" }, "n2"]);
  assert.deepEqual(
    [b.outcomes[0]?.type, a.values, a.story, b.story],
    ["success", { x: 2 }, "snapshot 1, 2, 3", "snapshot 1, 2, 3"],
  );
});

test("[NOD461] what becomes of an object is told once, by its home", async () => {
  const { cluster, a } = await open();
  const told = (name: string) => cluster.node(name).notices.map(({ type }) => type);
  assert.deepEqual(cluster.node("n0").notices, [{ type: "created", path: PATH }]);
  const users = cluster.home(PATH)?.users;
  assert.deepEqual([users?.here.size, users?.elsewhere.counts.get("n2")], [1, 1]);
  assert.notEqual(users?.elsewhere.findWho("b"), undefined);
  await cluster.home(PATH)?.retire();
  assert.equal(cluster.homeNode(PATH), "n0", "it is used");
  void cluster.home(PATH)?.moveTo("n2");
  await cluster.run(200);
  assert.deepEqual(cluster.node("n2").notices, [{ type: "moved", path: PATH, from: "n0" }]);
  cluster.kill("n2");
  await cluster.run(5_000);
  const heir = cluster.homeNode(PATH) ?? "";
  assert.deepEqual(told(heir).at(-1), "taken-over");
  assert.equal(cluster.nodes.flatMap(({ notices }) => notices).length, 2, "the others tell nothing");
  a.client[Symbol.dispose]();
  await cluster.run(6_000);
  assert.deepEqual(cluster.node(heir).notices.at(-1), { type: "forgotten", path: PATH, isStored: false });
});

test("[OBJ47] a move that fails leaves the home as it was", async () => {
  const { cluster, a } = await open();
  assert.deepEqual(await cluster.home(PATH)?.moveTo("n9"), { type: "kept", detail: "not linked" });
  cluster.node("n2").clock.pause();
  const result = cluster.home(PATH)?.moveTo("n2");
  a.write(setWish("x", 1));
  await cluster.run(2_500);
  assert.deepEqual(
    [await result, cluster.homeNode(PATH), a.outcomes[0]?.type],
    [{ type: "kept", detail: "no answer" }, "n0", "success"],
  );
});

test("[OBJ48] a lower epoch than was seen is refused", async () => {
  const { cluster, b } = await open();
  const node = cluster.node("n2").host;
  const { at } = (node.find(PATH) as NonNullable<ReturnType<typeof node.find>>).copy;
  const change = {
    from: at,
    to: { ...at, version: at.version + 1 },
    operations: [{ type: "clear" as const }],
    droppedMessages: 0,
  };
  node.receive("n1", encodeMessage({ type: "inquire", path: PATH, epoch: { generation: 1, number: 1_000 } }));
  node.receive("n0", encodeMessage({ type: "change", path: PATH, epoch: at.epoch, change }));
  node.receive("n1", encodeMessage({ type: "change", path: PATH, epoch: at.epoch, change }));
  await cluster.run(0);
  assert.deepEqual([node.find(PATH)?.copy.at, b.story], [at, "snapshot 1"]);
});

test("[OBJ49] what nobody uses is forgotten everywhere, unless it is pinned", async () => {
  const { cluster, a, b } = await open();
  const pin = cluster.node("n2").host.pin(PATH);
  a.client[Symbol.dispose]();
  b.client[Symbol.dispose]();
  await cluster.run(20_000);
  assert.equal(cluster.home(PATH)?.copy.at.version, 1);
  pin[Symbol.dispose]();
  await cluster.run(20_000);
  assert.deepEqual(
    cluster.nodes.map(({ host }) => host.objects.length),
    [0, 0, 0],
  );
  assert.equal(cluster.directory.rows.size, 0);
  const again = new TestClient(cluster.node("n2"), PATH);
  await cluster.run(1_000);
  assert.deepEqual([again.values, again.story], [{}, "snapshot 1"]);
});
