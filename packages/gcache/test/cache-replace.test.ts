/** Members that are removed, replaced, or come back without their disks, over the simulated network. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { MemberId } from "@sluice/cache/ids";
import { OwnMember } from "@sluice/gcache/members/member-identity";
import { PeerPins } from "@sluice/gcache/members/peer-pins";
import { openMemoryStore } from "@sluice/gcache/store/memory-store";
import { checkAll, WorldWriter } from "./world-writer.ts";
import { NodeWorld } from "./node-world.ts";

const AUTO = { voters: "auto" } as const;

/** Three voters that are written to, and a fourth node that is asked things. */
async function three(world: NodeWorld): Promise<WorldWriter> {
  world.start("a", "self", AUTO);
  await world.until("a to lead", () => world.leader !== undefined);
  world.start("b", "join", AUTO);
  world.start("c", "join", AUTO);
  await world.until("three voters", () => ["a", "b", "c"].every((name) => world.votersAt(name).length === 3));
  const writer = new WorldWriter(world);
  await world.pass(300);
  return writer;
}

/** Asked of a follower; what comes of it, while time goes on. */
async function outcomeOf(world: NodeWorld, asked: Promise<void>): Promise<string> {
  let outcome = "";
  asked.then(
    () => (outcome = "done"),
    (error: Error) => (outcome = error.message),
  );
  await world.until("an outcome", () => outcome !== "");
  return outcome;
}

test("[REP349] a dead voter is removed by a word to any member, and a node that is there takes its place", async () => {
  const world = new NodeWorld(10);
  const writer = await three(world);
  world.kill("c");
  await world.pass(3_000);
  world.start("d", "join", AUTO);
  await world.pass(5_000);
  assert.deepEqual(world.votersAt("a"), ["a", "b", "c"], "nobody is removed for being dead");
  assert.equal(await outcomeOf(world, world.cacheOf("b").remove("c")), "done");
  await world.until("d to vote", () => world.votersAt("d").join() === "a,b,d");
  await checkAll(world, ["a", "b", "d"], writer);
});

test("[REP349] a removal that would stop the cluster, undo itself, or means nobody is refused with the reason", async () => {
  const world = new NodeWorld(11);
  (await three(world)).stop();
  const refused = async (asked: Promise<void>, reason: RegExp): Promise<void> =>
    assert.match(await outcomeOf(world, asked), reason);
  const leader = world.leader?.id ?? "";
  const [other = "", third = ""] = ["a", "b", "c"].filter((name) => name !== leader);
  await refused(world.cacheOf(other).remove(third), /Cannot remove member "[abc]": it runs, and would be added again/);
  await refused(world.cacheOf(other).remove("nobody"), /no such member/);
  await refused(world.cacheOf(other).replace("nobody"), /no such member/);
  await refused(world.cacheOf(other).replace(third), /it is running with its known store/);
  world.kill(third);
  await world.pass(3_000);
  const removal = world.cacheOf(leader).changeMembers({ type: "remove", id: other as MemberId });
  await refused(removal, /too few of the remaining voters are heard/);
  assert.equal(world.votersAt(leader).length, 3);
});

test("[REP350] a voter that lost its disk is told apart from a stranger, and replaced by an operator's word", async () => {
  const world = new NodeWorld(12);
  const writer = await three(world);
  world.kill("c");
  world.loseDisk("c");
  const again = world.start("c", "join", AUTO);
  await world.pass(6_000);
  assert.deepEqual(world.votersAt("a"), ["a", "b", "c"]);
  assert.deepEqual(world.cacheOf("c").status().members, [], "nobody gives it the log");
  const told = again.log.filter((line) => line.includes("knows this node with another store"));
  assert.equal(told.length, 1);
  assert.match(told[0] ?? "", /sluice cluster replace c/);
  world.start("d", "join");
  await world.pass(2_000);
  assert.deepEqual(world.cacheOf("d").refusals, [], "a stranger is no such case");
  assert.equal(await outcomeOf(world, world.cacheOf("b").replace("c")), "done");
  await world.until(
    "it to vote again",
    () => world.votersAt("c").length === 3 && world.cacheOf("c").status().leader !== undefined,
  );
  assert.deepEqual(world.cacheOf("c").refusals, []);
  await checkAll(world, ["a", "b", "c"], writer);
});

test("[REP351] where it may, a voter that lost its disk asks for its place by itself, the founder too", async () => {
  for (const [seed, lost] of [
    [13, "a"],
    [14, "b"],
  ] as const) {
    const world = new NodeWorld(seed);
    const writer = await three(world);
    world.kill(lost);
    world.loseDisk(lost);
    await world.pass(500);
    const again = world.start(lost, "self", { ...AUTO, rejoin: "auto" });
    await world.until("it to be open", () => again.cache !== undefined);
    await world.until("it to vote again", () => world.votersAt(lost).length === 3);
    await world.pass(1_000);
    await checkAll(world, ["a", "b", "c"], writer);
  }
});

test("[REP351] nobody takes the place of a member that runs", async () => {
  const world = new NodeWorld(15);
  (await three(world)).stop();
  const leader = world.leader?.id ?? "";
  const other = ["a", "b", "c"].find((name) => name !== leader) ?? "";
  await assert.rejects(async () => {
    const asked = world.cacheOf(leader).replace(other);
    asked.catch(() => {});
    await world.pass(1_000);
    await asked;
  }, /it is running with its known store/);
});

test("[REP352] a store that a leader took in the place of a lost one is taken by all; the lost one is not, should it come back", () => {
  const store = openMemoryStore({ member: "b", clusterId: new Uint8Array(32).fill(1) });
  const own = new OwnMember(store);
  own.listIndex = 40;
  const peers = new PeerPins(own, store, Buffer.from("s"));
  peers.setMembers(new Set(["a", "b", "c"]));
  const former = { ...own.identity, id: "c", storeId: new Uint8Array(16).fill(3), listIndex: 30 };
  peers.met(former);
  const empty = { ...former, storeId: new Uint8Array(16).fill(4), listIndex: 0 };
  assert.equal(peers.judge(empty), "other-store");
  const taken = { ...empty, listIndex: 40 };
  assert.equal(peers.judge(taken), undefined);
  peers.met(taken);
  assert.equal(peers.judge(former), "other-store");
  assert.equal(peers.judge({ ...taken, listIndex: 20 }), undefined, "it is the one that is known now");
});
