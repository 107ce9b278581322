/** Members on the links of nodes, over the simulated network: who founds, who joins, who is refused, how a cluster grows. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Millis } from "@sluice/base/brand";
import type { MemberId } from "@sluice/cache/ids";
import { factsOf, type MemberIdentity, memberOf, OwnMember } from "@sluice/gcache/members/member-identity";
import { PeerPins } from "@sluice/gcache/members/peer-pins";
import { openMemoryStore } from "@sluice/gcache/store/memory-store";
import { CACHE, NodeWorld, set } from "./node-world.ts";

const AUTO = { voters: "auto" } as const;

/** Writes one key after the other through whichever node leads, and remembers what was acknowledged. */
class Writer {
  readonly acknowledged = new Map<string, string>();
  readonly #world: NodeWorld;
  #count = 0;
  #isStopped = false;

  constructor(world: NodeWorld) {
    this.#world = world;
    void this.#run();
  }

  stop(): void {
    this.#isStopped = true;
  }

  #sleep(millis: number): Promise<undefined> {
    const { clock } = this.#world;
    return clock.sleep(millis as Millis, new AbortController().signal).then(() => undefined);
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      const key = `key ${this.#count % 50}`;
      const value = `value ${++this.#count}`;
      // Of a write whose outcome is not known, since who was asked died, say, the next to the same key decides.
      this.acknowledged.delete(key);
      const outcome = await Promise.race([this.#world.leader?.write(set(key, value)), this.#sleep(1_000)]);
      if (outcome?.type === "answer") this.acknowledged.set(key, value);
      await this.#sleep(5);
    }
  }
}

function textAt(world: NodeWorld, name: string, key: string): string | undefined {
  const found = world.cacheOf(name).state.find(CACHE, Buffer.from(key), 0 as Millis);
  return found && Buffer.from(found.value).toString();
}

/** Whatever was acknowledged is on all of them, once they have caught up. */
async function checkAll(world: NodeWorld, names: readonly string[], writer: Writer): Promise<void> {
  writer.stop();
  await world.until("everybody to have everything", () => {
    const applied = world.leader?.status().lastIndex;
    return applied !== undefined && names.every((name) => world.cacheOf(name).status().applied === applied);
  });
  assert.ok(writer.acknowledged.size > 10, `${writer.acknowledged.size} keys were written`);
  for (const name of names) {
    for (const [key, value] of writer.acknowledged) assert.equal(textAt(world, name, key), value, `${key} at ${name}`);
  }
}

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
  const writer = new Writer(world);
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
      const writer = new Writer(world);
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

/** Three voters that are written to, and a fourth node that is asked things. */
async function three(world: NodeWorld): Promise<Writer> {
  world.start("a", "self", AUTO);
  await world.until("a to lead", () => world.leader !== undefined);
  world.start("b", "join", AUTO);
  world.start("c", "join", AUTO);
  await world.until("three voters", () => ["a", "b", "c"].every((name) => world.votersAt(name).length === 3));
  const writer = new Writer(world);
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
  await refused(world.cacheOf(other).replace(third), /it runs with the store that is known here/);
  world.kill(third);
  await world.pass(3_000);
  const removal = world.cacheOf(leader).changeMembers({ type: "remove", id: other as MemberId });
  await refused(removal, /too few of the voters that would be left are heard/);
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
  }, /it runs with the store that is known here/);
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
