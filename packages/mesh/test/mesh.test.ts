/** One link for each pair: simultaneous dials, self-dials, restarts, strangers, and whatever a bad network does. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Millis } from "@sluice/base/brand";
import { DEFAULT_LINK_TIMINGS } from "@sluice/mesh/limits";
import { randomBelow } from "@sluice/testkit/random";
import { everySeed } from "@sluice/testkit/seeds";
import { MeshWorld, targetsOf } from "./mesh-world.ts";

/** Each of the two has one link to the other, the same one, and has heard the other on it. */
function assertLinked(world: MeshWorld, one: string, other: string, hint = ""): void {
  const [a, b] = [world.nodes.get(one), world.nodes.get(other)];
  assert.ok(a && b);
  const [toB, toA] = [a.mesh.links.get(other), b.mesh.links.get(one)];
  assert.ok(toB && toA, `${one} and ${other} are not linked ${hint}\n${a.log.join("\n")}\n--\n${b.log.join("\n")}`);
  assert.notEqual(toB.driver.side, toA.driver.side, `${one} and ${other} keep different links ${hint}`);
  assert.ok(a.heard.has(other) && b.heard.has(one), `${one} and ${other} do not hear each other ${hint}`);
}

test("[MSH40] two nodes that dial each other at once end with one link", () => {
  for (let seed = 1; seed <= 30; seed++) {
    const world = new MeshWorld(seed);
    world.start("a", ["b"]);
    world.advance(seed % 40);
    world.start("b", ["a"]);
    world.advance(DEFAULT_LINK_TIMINGS.handshake + 1_000); // a dial that b was not there for has ended by then
    assertLinked(world, "a", "b", `seed ${seed}`);
    assert.deepEqual([world.nodes.get("a")?.host.connectionCount, world.nodes.get("b")?.host.connectionCount], [1, 1]);
    const before = world.nodes.get("a")?.log.length;
    world.advance(60_000);
    assert.equal(world.nodes.get("a")?.log.length, before, "it stays");
  }
});

test("[MSH376] who answered at a dialled address is known on both sides of one kept link", () => {
  const world = new MeshWorld(3);
  const [a, b] = [world.start("a", []), world.start("b", [])];
  assert.equal(a.mesh.reachedAt("b:7935"), undefined);
  a.mesh.reach(new Map([["seed", { address: "b:7935", to: "" }]]));
  b.mesh.reach(new Map([["seed", { address: "a:7935", to: "" }]]));
  world.advance(5_000);
  assertLinked(world, "a", "b", "both dialled");
  assert.deepEqual([a.mesh.reachedAt("b:7935"), b.mesh.reachedAt("a:7935")], ["b", "a"]);
});

test("[MSH377] who has closed takes nobody", () => {
  const world = new MeshWorld(1);
  const [a, b] = [world.start("a", []), world.start("b", ["a"])];
  world.advance(1_000);
  assertLinked(world, "a", "b", "at first");
  a.mesh.close("over");
  world.advance(5_000);
  assert.deepEqual([a.mesh.links.size, b.mesh.links.size], [0, 0]);
  assert.ok(a.log.some((line) => line.includes("The mesh is closed")));
});

test("[MSH41] a node that dials itself notices once and leaves it", () => {
  const world = new MeshWorld(1);
  const { mesh, log, host } = world.start("a", []);
  mesh.reach(new Map([["seed", { address: "a:7935", to: "" }]]));
  world.advance(30_000);
  assert.equal(log.filter((line) => line.includes('"self"')).length, 2, log.join("\n")); // both ends of the one connection
  assert.deepEqual([host.connectionCount, mesh.links.size], [0, 0]);
});

test("[MSH42] a target that is not there is dialled until it is, and again when it is lost", () => {
  const world = new MeshWorld(2);
  const a = world.start("a", ["b"]);
  world.advance(20_000);
  world.start("b", []);
  world.advance(3_000);
  assertLinked(world, "a", "b");
  world.network.cut("a", "b", "close");
  world.advance(500);
  world.network.heal();
  world.advance(3_000);
  assertLinked(world, "a", "b");
  assert.deepEqual(
    a.log.filter((line) => !line.startsWith("failed")),
    ["up b", "down b lost", "up b"],
  );
});

test("[MSH42] who is no target any more is not dialled again, and its link stays", () => {
  const world = new MeshWorld(3);
  const a = world.start("a", ["b"]);
  world.start("b", []);
  world.advance(2_000);
  a.mesh.reach(targetsOf([]));
  world.advance(2_000);
  assertLinked(world, "a", "b");
  world.kill("b");
  world.advance(10_000);
  world.start("b", []);
  world.advance(10_000);
  assert.equal(a.mesh.links.size, 0);
});

test("[MSH43] a peer that was killed and came back replaces its earlier link at once", () => {
  const world = new MeshWorld(4);
  const a = world.start("a", []);
  world.start("b", ["a"]);
  world.advance(2_000);
  const first = a.mesh.links.get("b");
  // Its end never comes through: the link stands on this side for as long as the silence lasts.
  world.network.cut("b", "a", "vanish");
  world.network.cut("a", "b", "vanish");
  world.kill("b");
  world.network.heal();
  world.start("b", ["a"]);
  world.advance(1_000);
  assert.notEqual(a.mesh.links.get("b")?.peer.incarnation, first?.peer.incarnation);
  assertLinked(world, "a", "b");
});

test("another secret is told at every attempt, and no link comes about", () => {
  const world = new MeshWorld(6);
  const a = world.start("a", ["b"], "one secret");
  const b = world.start("b", [], "another secret");
  world.advance(5_000);
  assert.deepEqual([a.mesh.links.size, b.mesh.links.size], [0, 0]);
  for (const { log } of [a, b]) assert.ok(log.length > 3 && log.every((line) => line.includes("wrong-secret")));
});

test("closing says goodbye to all", () => {
  const world = new MeshWorld(7);
  const a = world.start("a", ["b"]);
  const b = world.start("b", []);
  world.advance(2_000);
  a.mesh.close("stopping");
  world.advance(5_000);
  assert.deepEqual(b.log, ["up a", "down a goodbye"]);
  assert.deepEqual([a.host.connectionCount, b.host.connectionCount], [0, 0]);
});

everySeed(
  "[MSH44] after any trouble every pair has one link that both sides hear",
  { count: 40, file: "packages/mesh/test/mesh.test.ts" },
  (seed) => {
    const world = new MeshWorld(seed);
    const names = ["a", "b", "c", "d"];
    for (const name of names) world.start(name, names);
    for (let step = 0; step < 25; step++) {
      trouble(world, names);
      world.advance(randomBelow(world.random, 3_000));
    }
    for (const { clock } of world.nodes.values()) clock.resume();
    world.network.heal();
    for (const name of names) if (!world.nodes.has(name)) world.start(name, names);
    world.advance(DEFAULT_LINK_TIMINGS.silence * 2 + 4_000);
    for (const one of names)
      for (const other of names) if (one < other) assertLinked(world, one, other, `seed ${seed}`);
    for (const { host, name } of world.nodes.values())
      assert.equal(host.connectionCount, names.length - 1, `${name}, seed ${seed}`);
  },
);

function trouble(world: MeshWorld, names: readonly string[]): void {
  const name = names[randomBelow(world.random, names.length)] as string;
  const other = names[randomBelow(world.random, names.length)] as string;
  const node = world.nodes.get(name);
  switch (randomBelow(world.random, 7)) {
    case 0:
      if (node !== undefined) world.kill(name);
      break;
    case 1:
      if (node === undefined) world.start(name, names);
      break;
    case 2:
      node?.clock.pause();
      break;
    case 3:
      node?.clock.resume();
      break;
    case 4:
      if (name !== other)
        world.network.cut(name, other, (["close", "vanish", "hold"] as const)[randomBelow(world.random, 3)] ?? "close");
      break;
    case 5:
      world.network.heal(name, other);
      break;
    default:
      world.advance(randomBelow(world.random, 8_000) as Millis);
  }
}
