/** Members on the links of nodes, over the simulated network: who founds, who joins, who is refused, how a cluster grows. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Millis } from "@sluice/base/brand";
import type { MemberId } from "@sluice/cache/ids";
import type { Operation } from "@sluice/cache/state/operation";
import { factsOf, type MemberIdentity, memberOf, OwnMember } from "@sluice/gcache/members/member-identity";
import { PeerPins } from "@sluice/gcache/members/peer-pins";
import { openMemoryStore } from "@sluice/gcache/store/memory-store";
import { checkAll, textAt, WorldWriter } from "./world-writer.ts";
import { NodeWorld, set } from "./node-world.ts";

const AUTO = { voters: "auto" } as const;

test("[REP340] members talk over the links of their nodes: one that is added gets all that was written", async () => {
  const world = new NodeWorld(1);
  world.start("a", "self");
  world.start("b", "join");
  await world.until("a to lead", () => world.leader !== undefined);
  assert.deepEqual(world.votersAt("a"), ["a"]);
  const a = world.cacheOf("a");
  const written = a.write(set("colour", "blue"));
  await world.until("the link", () => world.nodes.get("a")?.mesh.links.has("b") === true);
  await world.pass(1_000);
  assert.equal((await written).type, "answer");
  const added = a.changeMembers({ type: "add", id: "b" as MemberId, address: "b:7935" });
  await world.until("b to follow", () => world.cacheOf("b").status().leader === "a");
  await added;
  await world.until("b to have it all", () => world.cacheOf("b").status().applied === a.status().applied);
  assert.ok(a.status().applied > 0);
});

test("[REP341] a store of another cluster is refused as a member on both sides, while the link stands", async () => {
  const world = new NodeWorld(2);
  world.start("a", "self");
  world.network.cut("a", "b", "close");
  world.start("b", "self");
  await world.until("each to lead its own", () => ["a", "b"].every((name) => world.votersAt(name)[0] === name));
  world.network.heal();
  const reasons = (name: string) => world.cacheOf(name).refusals.map(({ member, reason }) => `${member} ${reason}`);
  let told = 0;
  world.cacheOf("b").onRefusals(() => told++);
  await world.until("both to say so", () => reasons("a").length + reasons("b").length === 2);
  assert.deepEqual([reasons("a"), reasons("b")], [["b wrong-cluster"], ["a wrong-cluster"]]);
  assert.ok(told > 0);
  await world.pass(10_000);
  assert.ok(world.nodes.get("a")?.mesh.links.has("b"), "the link stands");
  assert.deepEqual([world.votersAt("a"), world.votersAt("b")], [["a"], ["b"]]);
});

test("[REP341] a member that speaks another version is refused with that reason", () => {
  const store = openMemoryStore({ member: "a", clusterId: new Uint8Array(32) });
  const own = new OwnMember(store);
  const peers = new PeerPins(own, store, Buffer.from("s"));
  const peer = { ...own.identity, id: "b", storeId: new Uint8Array(16).fill(2) };
  const told = (version: number) => memberOf({ id: "b", facts: factsOf({ ...peer, version }) });
  assert.equal(peers.judge(told(own.identity.version) as MemberIdentity), undefined);
  assert.equal(peers.judge(told(own.identity.version + 1) as MemberIdentity), "version");
});

test("[REP342] a founder with an empty disk that a cluster calls joins it instead of founding a second one", async () => {
  const world = new NodeWorld(3);
  world.start("a", "self");
  world.start("b", "join");
  await world.until("a to lead", () => world.leader !== undefined);
  await world.pass(1_000);
  const added = world.cacheOf("a").changeMembers({ type: "add", id: "b" as MemberId, address: "b:7935" });
  await world.until("b to follow", () => world.cacheOf("b").status().leader === "a");
  await added;
  world.kill("b");
  world.loseDisk("b");
  const again = world.start("b", "self");
  await world.until("b to be open", () => again.cache !== undefined);
  await world.pass(5_000);
  assert.deepEqual(world.cacheOf("b").status().members, []);
  assert.ok(again.log.some((line) => line.includes("joins it instead of founding")));
  assert.deepEqual(
    world.cacheOf("b").refusals.map(({ by, reason, advice }) => `${by}: ${reason}: ${advice}`),
    ['the other member: other-store: if the former disk of "b" is lost: sluice cluster replace b'],
  );
  assert.equal(world.leader?.id, "a");
});

test("[REP20] [REP343] a cluster grows from one to three to five voters while it is written to, nobody being restarted", async () => {
  const world = new NodeWorld(4);
  world.start("a", "self", AUTO);
  await world.until("a to lead", () => world.leader !== undefined);
  const writer = new WorldWriter(world);
  await world.pass(500);
  world.start("b", "join", AUTO);
  await world.pass(5_000);
  assert.deepEqual(world.cacheOf("a").status().members.length, 1, "two nodes: the founder alone holds it");
  world.start("c", "join", AUTO);
  await world.until("three voters", () => ["a", "b", "c"].every((name) => world.votersAt(name).length === 3));
  world.start("x", "join", { ...AUTO, roles: ["edge"] });
  world.start("d", "join", AUTO);
  await world.pass(5_000);
  assert.deepEqual(world.votersAt("a"), ["a", "b", "c"], "an edge does not make five");
  world.start("e", "join", AUTO);
  const five = ["a", "b", "c", "d", "e"];
  await world.until("five voters", () => five.every((name) => world.votersAt(name).length === 5));
  assert.deepEqual(world.votersAt("e"), five);
  await checkAll(world, five, writer);
  assert.deepEqual(world.cacheOf("x").status().members, []);
});

for (const [who, isLeader] of [
  ["the leader", true],
  ["the other", false],
] as const) {
  test(`[REP346] the death of ${who} in the moment of two voters loses nothing that was acknowledged`, async () => {
    for (const seed of [5, 6, 7, 8]) {
      const world = new NodeWorld(seed);
      world.start("a", "self", AUTO);
      await world.until("a to lead", () => world.leader !== undefined);
      const writer = new WorldWriter(world);
      await world.pass(300);
      world.start("b", "join", AUTO);
      world.start("c", "join", AUTO);
      while (world.votersAt("a").length < 2) await world.pass(1);
      assert.equal(world.votersAt("a").length, 2);
      const other = world.votersAt("a").find((id) => id !== "a") ?? "";
      const dead = isLeader ? "a" : other;
      world.kill(dead);
      await world.pass(3_000);
      world.start(dead, "join", AUTO);
      await world.until("three voters", () => ["a", "b", "c"].every((name) => world.votersAt(name).length === 3));
      await world.pass(500);
      await checkAll(world, ["a", "b", "c"], writer);
    }
  });
}

test("[REP347] a founder that is started to join goes on with the cluster that it founded", async () => {
  const world = new NodeWorld(9);
  world.start("a", "self", AUTO);
  await world.until("a to lead", () => world.leader !== undefined);
  const written = world.cacheOf("a").write(set("colour", "blue"));
  await world.pass(100);
  assert.equal((await written).type, "answer");
  world.kill("a");
  world.start("a", "join", { ...AUTO, address: { host: "a", port: 7936 } });
  await world.until("a to lead again", () => world.leader?.id === "a");
  await world.until("its new address", () => world.cacheOf("a").status().members[0]?.address === "a:7936");
  assert.equal(textAt(world, "a", "colour"), "blue");
});

test("[ENT6] leases run out under a leader whose clock is an hour behind that of the last one", async () => {
  const world = new NodeWorld(7);
  world.start("a", "self");
  await world.until("a to lead", () => world.leader !== undefined);
  const granted = world.cacheOf("a").write({ type: "lease-grant", ttl: 3_000 as Millis });
  await world.pass(200);
  const outcome = await granted;
  const lease = outcome.type === "answer" && outcome.answer.type === "lease" ? outcome.answer.lease : undefined;
  assert.ok(lease !== undefined);
  const written = world.cacheOf("a").write({ ...set("bound", "1"), type: "set", lease } as Operation);
  await world.pass(200);
  assert.equal((await written).type, "answer");
  world.kill("a");
  world.start("a", "self").clock.jumpWall(-3_600_000);
  await world.until("a to lead again", () => world.leader !== undefined);
  await world.until("the row to be there", () => textAt(world, "a", "bound") !== undefined);
  await world.until("the row to be gone", () => textAt(world, "a", "bound") === undefined);
});

test("[CLU423] what was asked of the leader ends with the link, and is answered over the next one", async () => {
  const world = new NodeWorld(9);
  world.start("a", "self", AUTO);
  for (const name of ["b", "c"]) world.start(name, "join", AUTO);
  await world.until("three voters", () => world.votersAt("b").length === 3);
  const leader = world.leader?.id;
  const follower = world.cacheOf(["a", "b", "c"].find((name) => name !== leader) as string);
  const outcomes: unknown[] = [];
  void follower.barrier().then((outcome) => outcomes.push(outcome));
  void follower.write(set("colour", "blue")).then(({ type }) => outcomes.push(type));
  world.network.cut(follower.id, leader as string, "close");
  world.network.heal();
  await world.until("both to end", () => outcomes.length === 2);
  assert.deepEqual([outcomes.includes("unknown-outcome"), outcomes.includes("failed")], [true, true]);
  assert.equal(world.leader?.id, leader);
  const again: unknown[] = [];
  await world.until("a new link", () => world.nodes.get(follower.id)?.mesh.links.has(leader as string) === true);
  await world.pass(500);
  void follower.barrier().then((outcome) => again.push(outcome));
  await world.until("an answer", () => again.length === 1);
  assert.deepEqual(again, ["reached"]);
});
