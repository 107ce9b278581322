/** Shared objects over links: one channel each way, homes by the directory, edges that follow, and what becomes of clients when nodes go. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Directory, DirectoryFullError } from "@sluice/cluster/directory/directory";
import { OBJECTS_SERVICE } from "@sluice/cluster/objects/object-channels";
import { messageWish, setWish } from "@sluice/state/wishes";
import { type ObjectNode, ObjectsWorld } from "./objects-world.ts";

const PATH = "live/ball";

/** Names of the three nodes, the home of the path first. */
async function three(world: ObjectsWorld): Promise<readonly [ObjectNode, ObjectNode, ObjectNode]> {
  const nodes = [await world.join("a"), await world.join("b"), await world.join("c")];
  await world.advance(500);
  const home = nodes[0]?.ownership.place(PATH, []);
  const [first, ...others] = [
    ...nodes.filter(({ name }) => name === home),
    ...nodes.filter(({ name }) => name !== home),
  ];
  return [first, ...others] as unknown as readonly [ObjectNode, ObjectNode, ObjectNode];
}

test("[OBJ110] all nodes place an object alike, and with a node that goes only its own objects change their place", async () => {
  const world = new ObjectsWorld(1);
  const nodes = await three(world);
  const paths = Array.from({ length: 300 }, (_, i) => `live/object-${i}`);
  const before = paths.map((path) => nodes.map(({ ownership }) => ownership.place(path, [])));
  for (const places of before) assert.equal(new Set(places).size, 1, places.join());
  const counts = nodes.map(({ name }) => before.filter(([place]) => place === name).length);
  assert.ok(
    counts.every((count) => count > 50),
    counts.join(),
  );
  const [gone, left] = nodes;
  world.end(gone.name);
  await world.until("its row to be gone", () => left.ownership.place(PATH, []) !== gone.name);
  for (const [i, path] of paths.entries()) {
    const place = left.ownership.place(path, []);
    if (before[i]?.[0] !== gone.name) assert.equal(place, before[i]?.[0]);
    else assert.ok(place !== undefined && place !== gone.name);
  }
});

test("[OBJ111] bytes on a link for the changes of an object are the same for one client behind it and for a hundred", async () => {
  const spent: number[] = [];
  for (const count of [1, 100]) {
    const world = new ObjectsWorld(2);
    const [home, other] = await three(world);
    const writer = world.client(home, PATH, "writer");
    const readers = Array.from({ length: count }, (_, i) => world.client(other, PATH, `reader-${i}`));
    await world.advance(1_000);
    const before = world.bytesFrom(home, other.name);
    for (let i = 1; i <= 200; i++) {
      writer.write(setWish("x", i), setWish("y", -i));
      await world.advance(5);
    }
    await world.advance(500);
    for (const { values } of readers) assert.deepEqual(values, { x: 200, y: -200 });
    spent.push(world.bytesFrom(home, other.name) - before);
  }
  const [one = 0, hundred = 0] = spent;
  assert.ok(Math.abs(hundred - one) / one <= 0.03, `${one} bytes for one client, ${hundred} for a hundred`);
});

test("[OBJ112] when the home dies the standby goes on with all that was acknowledged, and clients of other nodes stay", async () => {
  const world = new ObjectsWorld(3);
  const [home, ...others] = await three(world);
  const [left, right] = others.map((node) => world.client(node, PATH, `at-${node.name}`));
  assert.ok(left !== undefined && right !== undefined);
  await world.advance(1_000);
  assert.equal(world.homeOf(PATH), home.name);
  for (let i = 1; i <= 5; i++) left.write(setWish("n", i));
  left.write(messageWish("kick", [1]));
  await world.advance(200);
  assert.deepEqual(
    left.outcomes.map(({ type }) => type),
    Array(6).fill("success"),
  );
  world.end(home.name);
  right.write(setWish("m", 1));
  await world.until("the write to be answered", () => right.outcomes.length === 1, 5_000);
  assert.equal(right.outcomes[0]?.type, "success");
  await world.advance(200);
  for (const client of [left, right]) assert.deepEqual(client.values, { n: 5, m: 1 });
  for (const { story } of [left, right])
    assert.doesNotMatch(story.slice(1), /snapshot/, "they went on where they stood");
});

test("[OBJ113] an edge follows, and is neither home nor standby", async () => {
  const world = new ObjectsWorld(4);
  const edge = await world.join("edge", { isOrigin: false });
  const atEdge = world.client(edge, PATH, "edge-client");
  await world.advance(1_000);
  assert.deepEqual([atEdge.connectOutcome, world.homeOf(PATH)], [undefined, undefined], "there is no origin yet");
  const origin = await world.join("origin");
  await world.advance(1_000);
  atEdge.write(setWish("x", 1));
  await world.advance(200);
  assert.deepEqual([atEdge.outcomes[0]?.type, world.homeOf(PATH)], ["success", "origin"]);
  assert.equal(origin.host.find(PATH)?.standby, undefined);
  world.end("origin");
  atEdge.write(setWish("x", 2));
  await world.advance(10_000);
  assert.deepEqual([atEdge.outcomes[1]?.type, edge.host.find(PATH)?.isHome], ["refused", false]);
});

test("[OBJ114] before the engine is reached objects are unavailable, and recover by themselves", async () => {
  const world = new ObjectsWorld(5);
  const node = world.start("a");
  const early = world.client(node, PATH, "early");
  await world.advance(6_000);
  const refused = early.connectOutcome;
  assert.equal(refused?.type === "refused" ? refused.status : refused, "unavailable");
  const late = world.client(node, PATH, "late");
  await world.advance(1_000);
  await node.open();
  await world.until("the object", () => late.connectOutcome?.type === "connected");
});

test("[OBJ115] a link that is replaced, or lost for a moment, loses no change and gives none twice", async () => {
  const world = new ObjectsWorld(6);
  const [home, other] = await three(world);
  const writer = world.client(other, PATH, "writer");
  const reader = world.client(other, PATH, "reader");
  await world.advance(1_000);
  for (let round = 1; round <= 5; round++) {
    writer.write(setWish("n", round * 2 - 1));
    await world.advance(3);
    const link = [...other.mesh.links.values()].find(({ peer }) => peer.id === home.name);
    link?.driver.end(new Error("cut by the test"));
    writer.write(setWish("n", round * 2));
    await world.advance(4_000);
  }
  await world.until("all to be answered", () => writer.outcomes.length === 10);
  assert.deepEqual(
    writer.outcomes.map(({ type }) => type),
    Array(10).fill("success"),
  );
  assert.deepEqual([writer.values, reader.values], [{ n: 10 }, { n: 10 }]);
  assert.equal(reader.story, writer.story);
});

test("[OBJ116] bytes that no node writes end their link, and objects go on once it is back", async () => {
  const world = new ObjectsWorld(7);
  const [home, other] = await three(world);
  const client = world.client(other, PATH, "client");
  await world.advance(1_000);
  const link = [...other.mesh.links.values()].find(({ peer }) => peer.id === home.name);
  link?.driver.link?.openChannel(OBJECTS_SERVICE, { class: "state" }).send(Uint8Array.of(1, 2, 3));
  await world.until("the end of the link", () => !other.channels.nodes.includes(home.name));
  client.write(setWish("x", 1));
  await world.until("an answer", () => client.outcomes.length === 1);
  assert.equal(client.outcomes[0]?.type, "success");
});

test("[OBJ117] where the directory has no room the object is unavailable, and nothing else happens", async () => {
  const world = new ObjectsWorld(8);
  const node = world.start("a");
  const full = {
    view: { wasCurrent: true, findNode: () => undefined, onChange: () => ({ [Symbol.dispose]() {} }) },
    findHome: () => undefined,
    claimObject: () => {
      throw new DirectoryFullError({ limit: 1 });
    },
  };
  node.ownership.open(full as unknown as Directory);
  const client = world.client(node, PATH, "client");
  await world.advance(6_000);
  const refused = client.connectOutcome;
  assert.equal(refused?.type === "refused" ? refused.status : refused, "unavailable");
});
