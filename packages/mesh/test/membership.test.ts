/** Who is in the cluster: learning, suspicion, death, goodbyes and restarts, each told once. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Millis } from "@sluice/base/brand";
import { LinkFrameError } from "@sluice/mesh/errors";
import type { Incarnation } from "@sluice/mesh/hello";
import { MembershipView } from "@sluice/mesh/membership/membership-view";
import { decodeMessage, encodeMessage, isNews, type NodeRecord } from "@sluice/mesh/membership/node-record";
import { fuzz } from "@sluice/testkit/fuzz";
import { randomBelow } from "@sluice/testkit/random";
import { everySeed } from "@sluice/testkit/seeds";
import { MembershipWorld } from "./membership-world.ts";

const RECORD: NodeRecord = {
  id: "a",
  incarnation: 3 as Incarnation,
  version: 4,
  state: "ready",
  roles: ["origin", "edge"],
  addresses: { cluster: "10.0.0.1:7935", rtmp: "10.0.0.1:1935" },
  build: "0.1.0",
  settings: "5f3a",
  heat: 0.25,
  services: ["engine"],
  since: 1_700_000_000_000,
  links: ["b", "c"],
};

function three(seed = 1): MembershipWorld {
  const world = new MembershipWorld(seed);
  world.start("a");
  world.start("b", { seeds: ["a"] });
  world.clock.advance(500);
  world.start("c", { seeds: ["b"] });
  world.clock.advance(3_000);
  return world;
}

test("[MSH60] one seed teaches the rest, and the seed itself needs none", () => {
  const world = three();
  assert.deepEqual(world.seenBy("a"), ["b ready linked", "c ready linked"]);
  assert.deepEqual(world.seenBy("b"), ["a ready linked", "c ready linked"]);
  assert.deepEqual(world.seenBy("c"), ["a ready linked", "b ready linked"]);
});

test("[MSH60, MSH61] nodes that only dial know each other through those that they dial", () => {
  const world = three();
  world.start("e1", { seeds: ["a"], isDialOnly: true });
  world.start("e2", { seeds: ["c"], isDialOnly: true });
  world.clock.advance(5_000);
  assert.deepEqual(world.seenBy("e1"), ["a ready linked", "b ready linked", "c ready linked", "e2 ready"]);
  assert.deepEqual(world.seenBy("e2"), ["a ready linked", "b ready linked", "c ready linked", "e1 ready"]);
  world.stop("e1");
  world.clock.advance(1_000);
  assert.ok(world.seenBy("e2").includes("e1 left"));
});

test("[MSH61] only a later life or a later version is news", () => {
  const at = (incarnation: number, version: number): NodeRecord => ({
    ...RECORD,
    incarnation: incarnation as Incarnation,
    version,
  });
  assert.deepEqual(
    [at(3, 5), at(4, 1), at(3, 4), at(3, 3), at(2, 9)].map((record) => isNews(record, RECORD)),
    [true, true, false, false, false],
  );
});

test("[MSH62] a broken link between two living nodes makes neither suspect", () => {
  const world = three();
  world.network.cut("a", "b", "close");
  world.clock.advance(20_000);
  assert.deepEqual(world.seenBy("a"), ["b ready", "c ready linked"]);
  assert.deepEqual(world.seenBy("b"), ["a ready", "c ready linked"]);
  world.network.heal();
  world.clock.advance(3_000);
  assert.deepEqual(world.seenBy("a"), ["b ready linked", "c ready linked"]);
  for (const { log } of world.nodes.values()) assert.ok(!log.some((line) => /suspect|left|dead/.test(line)));
});

test("[MSH62, MSH63] who is killed is suspect, then dead once the engine says so, each told once", () => {
  const world = three();
  world.isGone = () => false;
  world.kill("c");
  world.clock.advance(6_000);
  assert.deepEqual(world.seenBy("a"), ["b ready linked", "c suspect"]);
  assert.ok(world.nodes.get("a")?.membership.isStale);
  world.isGone = (id) => id === "c";
  world.clock.advance(1_000);
  assert.deepEqual(world.seenBy("a"), ["b ready linked", "c dead"]);
  assert.equal(world.nodes.get("a")?.membership.isStale, false);
  for (const name of ["a", "b"]) {
    assert.deepEqual(
      world.nodes.get(name)?.log.filter((line) => line.endsWith("c")),
      ["joined c", "suspect c", "dead c"],
    );
  }
});

test("[MSH63] while the engine cannot say, a suspect stays one, the view is stale, and healing takes it back", () => {
  const world = three();
  world.isGone = undefined;
  world.network.partition([["a"], ["b", "c"]], "vanish");
  world.clock.advance(30_000);
  assert.deepEqual(world.seenBy("a"), ["b suspect", "c suspect"]);
  assert.ok(world.nodes.get("a")?.membership.isStale);
  world.network.heal();
  world.clock.advance(6_000);
  assert.deepEqual(world.seenBy("a"), ["b ready linked", "c ready linked"]);
  assert.deepEqual(world.nodes.get("a")?.log.slice(-2).sort(), ["back b", "back c"]);
});

test("[MSH64] a goodbye is a leave at once; coming back is a join", () => {
  const world = three();
  world.stop("b");
  world.clock.advance(500);
  assert.deepEqual(world.seenBy("a"), ["b left", "c ready linked"]);
  world.start("b", { seeds: ["c"] });
  world.clock.advance(3_000);
  for (const name of ["a", "c"]) {
    assert.deepEqual(
      world.nodes.get(name)?.log.filter((line) => line.includes(" b")),
      ["joined b", "left b goodbye", "joined b"],
    );
  }
});

test("[MSH64] a node that was killed and is back before anybody missed it is one leave and one join", () => {
  const world = three();
  world.kill("b");
  world.clock.advance(300);
  world.start("b", { seeds: ["a"] });
  world.clock.advance(5_000);
  for (const name of ["a", "c"]) {
    assert.deepEqual(
      world.nodes.get(name)?.log.filter((line) => line.includes(" b")),
      ["joined b", "left b restarted", "joined b"],
    );
  }
  assert.deepEqual(world.seenBy("a"), ["b ready linked", "c ready linked"]);
});

test("[MSH65] a pause of 2 s costs nothing; one of 20 s is a suspicion that is taken back, and the paused one suspects nobody", () => {
  const world = three();
  world.isGone = () => false;
  const paused = world.nodes.get("b");
  assert.ok(paused);
  paused.clock.pause();
  world.clock.advance(2_000);
  paused.clock.resume();
  world.clock.advance(5_000);
  for (const { log } of world.nodes.values()) assert.ok(!log.some((line) => line.startsWith("suspect")));
  const before = paused.log.length;
  paused.clock.pause();
  world.clock.advance(20_000);
  assert.ok(world.seenBy("a").includes("b suspect"));
  paused.clock.resume();
  world.clock.advance(6_000);
  assert.deepEqual(world.seenBy("a"), ["b ready linked", "c ready linked"]);
  assert.deepEqual(paused.log.slice(before), []);
});

test("[MSH420] a node that stood still until it was dead joins again in the same life, everywhere and once", () => {
  const world = three();
  const paused = world.nodes.get("b");
  assert.ok(paused);
  paused.clock.pause();
  world.isGone = (id) => id === "b";
  world.clock.advance(20_000);
  assert.deepEqual(world.seenBy("a"), ["b dead", "c ready linked"]);
  const before = [...world.nodes.values()].map(({ log }) => log.length);
  paused.clock.resume();
  world.isGone = () => false;
  world.clock.advance(6_000);
  const after = [...world.nodes.values()].map(({ log }, index) => log.slice(before[index]));
  assert.deepEqual(after, [["joined b"], [], ["joined b"]]);
  assert.deepEqual(world.seenBy("c"), ["a ready linked", "b ready linked"]);
});

test("[MSH423] that a peer has a link to a node tells nothing of its dead life: only its new life joins", () => {
  const view = new MembershipView({
    self: "c",
    suspectAfter: 2_000 as Millis,
    deadAfter: 1_000 as Millis,
    forgetAfter: 60_000 as Millis,
    isGone: (id) => id === "b",
  });
  const record = (id: string, links: readonly string[], more: Partial<NodeRecord> = {}): NodeRecord => ({
    ...RECORD,
    id,
    links,
    ...more,
  });
  const told = (): string[] => {
    const changes: string[] = [];
    for (let change = view.nextChange(); change !== undefined; change = view.nextChange())
      if (change.type !== "changed")
        changes.push(`${change.type} ${change.row.record.id} ${change.row.record.incarnation}`);
    return changes;
  };
  const at = (millis: number): Millis => millis as Millis;
  view.heard(record("c", ["a"]), at(0));
  view.heard(record("a", ["c"]), at(0));
  view.heard(record("b", []), at(0));
  view.linked(record("a", []), true, at(0));
  for (let now = 0; now <= 5_000; now += 500) view.judge(at(now));
  assert.deepEqual(told().slice(3), ["suspect b 3", "dead b 3"]);
  view.heard(record("a", ["b", "c"], { version: 5 }), at(5_600)); // its next life has reached a, and not this node
  view.judge(at(6_000));
  assert.deepEqual(told(), []);
  view.heard(record("b", ["a"], { incarnation: 4 as Incarnation, version: 1 }), at(6_100));
  view.judge(at(6_500));
  assert.deepEqual(told(), ["joined b 4"]);
});

test("[MSH423] a newcomer hears nothing of the dead", () => {
  const world = three();
  world.isGone = (id) => id === "c";
  world.kill("c");
  world.clock.advance(15_000);
  assert.deepEqual(world.seenBy("a"), ["b ready linked", "c dead"]);
  world.start("d", { seeds: ["b"] });
  world.clock.advance(10_000);
  assert.deepEqual(world.seenBy("d"), ["a ready linked", "b ready linked"]);
  assert.deepEqual(
    world.nodes.get("d")?.log.filter((line) => line.endsWith(" c")),
    [],
  );
});

test("[MSH421] a seed is dialled again when the node at its address has left or died", () => {
  for (const end of ["stop", "kill"] as const) {
    const world = new MembershipWorld(7);
    world.start("a");
    world.start("b", { seeds: ["a"] });
    world.clock.advance(1_000);
    world[end]("a");
    world.clock.advance(10_000);
    assert.deepEqual(world.seenBy("b"), [end === "stop" ? "a left" : "a dead"]);
    world.start("a");
    world.clock.advance(3_000);
    assert.deepEqual(world.seenBy("b"), ["a ready linked"]);
  }
});

test("[MSH66] the first changes are the present view, this node's own row included", () => {
  const world = new MembershipWorld(5);
  assert.deepEqual(world.start("a").log, ["joined a"]);
});

test("[MSH67] records that are none are refused", () => {
  assert.deepEqual(decodeMessage(encodeMessage({ records: [RECORD], known: [["b", 1, 2]] })), {
    records: [RECORD],
    known: [["b", 1, 2]],
  });
  const bad: readonly unknown[] = [
    "no list",
    [1],
    [{ ...RECORD, id: "" }],
    [{ ...RECORD, id: 7 }],
    [{ ...RECORD, version: -1 }],
    [{ ...RECORD, version: 1.5 }],
    [{ ...RECORD, state: "dead" }],
    [{ ...RECORD, roles: "origin" }],
    [{ ...RECORD, addresses: null }],
    [{ ...RECORD, addresses: { rtmp: 5 } }],
    [{ ...RECORD, links: Array.from({ length: 5_000 }, () => "x") }],
    [{ ...RECORD, build: "x".repeat(600) }],
  ];
  for (const value of bad) {
    assert.throws(() => decodeMessage(new TextEncoder().encode(JSON.stringify({ records: value }))), LinkFrameError);
  }
  assert.throws(() => decodeMessage(Uint8Array.of(0xff, 0xfe)), LinkFrameError);
  for (const known of [{}, ["b"], [["b", 1]], [[1, 2, 3]]]) {
    assert.throws(() => decodeMessage(new TextEncoder().encode(JSON.stringify({ known }))), LinkFrameError);
  }
});

fuzz("[MSH67] membership records", decodeMessage, {
  seeds: [encodeMessage({ records: [RECORD], known: [["b", 1, 2]] })],
  allowed: [LinkFrameError],
});

test("[MSH67] a peer cannot speak for this node", () => {
  const world = three();
  const [a, b] = [world.nodes.get("a"), world.nodes.get("b")];
  assert.ok(a && b);
  const own = b.membership.find("b")?.record;
  assert.ok(own);
  const forged = encodeMessage({ records: [{ ...own, version: own.version + 50, state: "left" }] });
  a.mesh.links.get("b")?.driver.link?.openChannel("membership", { class: "control" }).send(forged);
  world.clock.advance(2_000);
  assert.equal(b.membership.find("b")?.standing, "ready");
  assert.deepEqual(world.seenBy("c"), ["a ready linked", "b ready linked"]);
});

test("[MSH374] what a node adds to its record reaches everybody", () => {
  const world = three();
  world.nodes.get("c")?.membership.describe({
    addresses: { cluster: "c:7935", rtmp: "c:1935" },
    settings: "77",
    heat: 0.5,
    services: ["engine"],
  });
  world.clock.advance(100);
  for (const name of ["a", "b"]) {
    const record = world.nodes.get(name)?.membership.find("c")?.record;
    const told = [record?.addresses["rtmp"], record?.settings, record?.heat, record?.services, record?.state];
    assert.deepEqual(told, ["c:1935", "77", 0.5, ["engine"], "ready"]);
  }
});

test("[MSH375] another process under a node's id is told to it", () => {
  const world = three();
  const [a, b] = [world.nodes.get("a"), world.nodes.get("b")];
  const own = b?.membership.find("b")?.record;
  assert.ok(a && b && own);
  const twin = encodeMessage({ records: [{ ...own, incarnation: (own.incarnation + 9) as Incarnation, version: 1 }] });
  a.mesh.links.get("b")?.driver.link?.openChannel("membership", { class: "control" }).send(twin);
  world.clock.advance(100);
  assert.ok(b.log.includes("twin later"));
  assert.equal(b.membership.find("b")?.record.incarnation, own.incarnation);
});

test("[MSH68] a crowd of nodes that know one seed agree within 10 s", () => {
  const count = Number(process.env["SIM_NODES"] ?? 50);
  const world = new MembershipWorld(9);
  const names = Array.from({ length: count }, (_, i) => `n${String(i).padStart(3, "0")}`);
  for (const name of names) world.start(name, name === "n000" ? {} : { seeds: ["n000"] });
  world.clock.advance(10_000);
  for (const name of names) {
    const expected = names.filter((other) => other !== name).map((other) => `${other} ready linked`);
    assert.deepEqual(world.seenBy(name), expected, name);
  }
});

everySeed(
  "[MSH60, MSH62, MSH64] after any trouble all agree",
  { count: 25, file: "packages/mesh/test/membership.test.ts" },
  (seed) => {
    const world = new MembershipWorld(seed);
    const names = ["a", "b", "c", "d", "e"];
    const seedsOf = (name: string) => ({ seeds: names.filter((other) => other !== name) });
    for (const name of names) world.start(name, seedsOf(name));
    for (let step = 0; step < 25; step++) {
      trouble(world, names, seedsOf);
      world.clock.advance(randomBelow(world.random, 4_000));
    }
    for (const { clock } of world.nodes.values()) clock.resume();
    world.network.heal();
    for (const name of names) if (!world.nodes.has(name)) world.start(name, seedsOf(name));
    world.clock.advance(15_000);
    for (const name of names) {
      const expected = names.filter((other) => other !== name).map((other) => `${other} ready linked`);
      assert.deepEqual(world.seenBy(name), expected, `seen by ${name}`);
    }
  },
);

function trouble(
  world: MembershipWorld,
  names: readonly string[],
  seedsOf: (name: string) => { seeds: string[] },
): void {
  const pick = (): string => names[randomBelow(world.random, names.length)] as string;
  const [name, other] = [pick(), pick()];
  const node = world.nodes.get(name);
  const modes = ["close", "vanish", "hold"] as const;
  switch (randomBelow(world.random, 8)) {
    case 0:
      if (node !== undefined) world.kill(name);
      break;
    case 1:
      if (node !== undefined && !node.clock.isPaused) world.stop(name);
      break;
    case 2:
    case 3:
      if (node === undefined) world.start(name, seedsOf(name));
      break;
    case 4:
      node?.clock.pause();
      break;
    case 5:
      node?.clock.resume();
      break;
    case 6:
      if (name !== other) world.network.cut(name, other, modes[randomBelow(world.random, 3)] ?? "close");
      break;
    default:
      world.network.heal(name, other);
  }
}
