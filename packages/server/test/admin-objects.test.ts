/** Shared objects for operators: rows of one node and of many, changes, and what is told of them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { amfObject } from "@sluice/amf/value";
import { SILENT_LOG } from "@sluice/base/log";
import { Scope } from "@sluice/base/scope";
import type { AdminEvent } from "@sluice/client/admin-contract";
import type { StreamKey } from "@sluice/media/stream-key";
import type { Incarnation } from "@sluice/mesh/hello";
import { PromMeter } from "@sluice/runtime/metrics/prom-meter";
import { type ObjectCopyFacts, readFacts, readObjectList } from "@sluice/server/cluster/object-list";
import { loadConfig } from "@sluice/server/config/load-config";
import { NodeAdminObjects, type OtherNodes } from "@sluice/server/node/admin-objects";
import { mergeObjects } from "@sluice/server/node/merge-objects";
import { ObjectsPart } from "@sluice/server/node/objects-part";
import type { Durability } from "@sluice/state/change";
import { ObjectClient } from "@sluice/state/object-client";
import { toPlain } from "@sluice/state/plain-data";
import { setWish } from "@sluice/state/wishes";
import { FakeClock } from "@sluice/testkit/fake-clock";

const BALL = "room/ball";

/** A node alone, its objects in memory. */
class World {
  readonly clock = new FakeClock();
  readonly meter = new PromMeter({ processMetrics: "off" });
  readonly events: AdminEvent[] = [];
  readonly part: ObjectsPart;
  readonly admin: NodeAdminObjects;

  constructor(others?: OtherNodes) {
    const config = loadConfig({ sets: ["node.id=n1"], env: {}, file: "none" });
    const { clock, meter } = this;
    const tell = (event: AdminEvent): void => void this.events.push(event);
    this.part = new ObjectsPart({ config, incarnation: 0 as Incarnation, clock, log: SILENT_LOG, meter, tell });
    const scope = new Scope();
    this.part.openOwnOnUse(async () => ({ engine: this.part.openMemory(scope) }), scope);
    this.admin = new NodeAdminObjects({ self: "n1", ...this.part, others });
  }

  async open(path: string, durability?: Durability): Promise<ObjectClient> {
    const opened = this.part.objects.connect(path as StreamKey, {
      client: this.part.objects.nextClientId(),
      who: toPlain(amfObject({ address: "192.0.2.7:4000" }), "who", 100),
      ...(durability && { durability }),
      ready: () => {},
    });
    assert.ok(opened instanceof ObjectClient);
    await this.clock.advanceAsync(1_000);
    assert.equal((await opened.connected).type, "connected");
    return opened;
  }

  /** What it resolves to, whatever time it takes. */
  async settled<T>(asked: Promise<T>, millis = 3_000): Promise<T> {
    await this.clock.advanceAsync(millis);
    return asked;
  }
}

test("[ADM343] an object is shown with home, clients, size, rate and last writer, its values as JSON", async () => {
  const world = new World();
  const client = await world.open(BALL);
  const wrote = client.write([setWish("x", 12.5), setWish("made", new Date(0)), setWish("raw", Uint8Array.of(1, 2))]);
  await world.clock.advanceAsync(100);
  assert.equal((await wrote).type, "success");
  for (let i = 0; i < 8; i++) {
    for (let n = 0; n < 20; n++) void client.write([setWish("x", i * 20 + n)]);
    await world.clock.advanceAsync(1_000);
  }
  const { objects, total, more } = await world.admin.list({ after: "", limit: 10 });
  assert.deepEqual([objects.length, total, more], [1, 1, false]);
  const [row] = objects;
  assert.deepEqual(
    [row?.path, row?.scope, row?.home, row?.standby, row?.durability, row?.properties, row?.clients],
    [BALL, "cluster", "n1", null, "temporary", 3, { here: 1, all: 1 }],
  );
  assert.ok((row?.rate ?? 0) > 15 && (row?.rate ?? 0) <= 20, `${row?.rate} changes a second`);
  assert.deepEqual(row?.lastWriter, { client: client.id, who: "192.0.2.7:4000" });
  const found = await world.settled(world.admin.find(BALL));
  assert.ok("properties" in found);
  const values = Object.fromEntries(found.properties.map(({ name, value }) => [name, value]));
  assert.deepEqual(values, { x: 159, made: { $date: 0 }, raw: { $bytes: "AQI=" } });
  const few = await world.settled(world.admin.find(BALL, 2));
  assert.deepEqual("properties" in few && few.properties.map(({ name }) => name), ["made", "raw"], "the first by name");
  await world.clock.advanceAsync(20_000);
  assert.equal((await world.admin.list({ after: "", limit: 10 })).objects[0]?.rate, 0);
  const page = await world.meter.page();
  for (const line of ["sluice_objects 1", "sluice_object_homes 1", "sluice_object_clients 1"])
    assert.ok(page.includes(`${line}\n`), line);
});

test("[ADM344] a change is one change, or is refused with the reason; a stale one changes nothing", async () => {
  const world = new World();
  await world.open(BALL);
  const write = (...changes: Parameters<NodeAdminObjects["write"]>[1]) =>
    world.settled(world.admin.write(BALL, changes), 100);
  const first = await write({ type: "set", name: "x", value: 1 }, { type: "set", name: "y", value: { $date: 5 } });
  assert.ok("at" in first);
  const object = world.part.objects.find(BALL as StreamKey);
  assert.equal(object?.copy.at.version, 2, "one change for both");
  assert.ok("at" in (await write({ type: "set", name: "x", value: 2, at: first.at })));
  for (const [change, refused, words] of [
    [{ type: "set", name: "x", value: 3, at: first.at }, "conflict", /stale \(x\)/],
    [{ type: "set", name: "x", value: 3, at: "none" }, "conflict", /stale/],
    [{ type: "set", name: "x", value: 3, at: "yesterday" }, "bad-request", /at/],
    [{ type: "set", name: "x", value: { $date: "soon" } }, "bad-request", /x/],
    [{ type: "set", name: "__proto__", value: 1 }, "bad-request", /__proto__/],
    [{ type: "set", name: "x", value: "x".repeat(70_000) }, "bad-request", /valueBytes/],
  ] as const) {
    const outcome = await write(change);
    assert.ok("refused" in outcome, JSON.stringify(change));
    assert.equal(outcome.refused, refused);
    assert.match(outcome.detail, words);
  }
  assert.equal(object?.copy.state.properties.get("x")?.plain.value, 2);
  assert.ok("at" in (await write({ type: "remove", name: "x" })));
  assert.ok("at" in (await write({ type: "clear" })));
  assert.equal(object?.copy.state.properties.size, 0);
  const nowhere = await world.settled(world.admin.write("room/none", [{ type: "clear" }]));
  assert.equal("refused" in nowhere && nowhere.refused, "not-found");
  assert.equal(world.part.objects.find("room/none" as StreamKey), undefined, "looking creates nothing");
});

test("[ADM345] an object is forgotten where no client uses it, a durable one in the engine too", async () => {
  const world = new World();
  const client = await world.open(BALL, { type: "each" });
  const wrote = client.write([setWish("x", 1)]);
  await world.settled(wrote, 100);
  const kept = await world.settled(world.admin.forget(BALL));
  assert.equal(kept !== "done" && kept.refused, "conflict");
  client[Symbol.dispose]();
  await world.clock.advanceAsync(10_000);
  assert.equal(world.part.objects.find(BALL as StreamKey), undefined, "it is at rest");
  const found = await world.settled(world.admin.find(BALL));
  assert.ok("properties" in found && found.properties[0]?.value === 1, "and is found there");
  assert.equal(await world.settled(world.admin.forget(BALL)), "done");
  const gone = await world.settled(world.admin.find(BALL));
  assert.equal("refused" in gone && gone.refused, "not-found");
  assert.deepEqual(
    world.events.map(({ type }) => type),
    ["object-created", "object-forgotten", "object-restored", "object-forgotten"],
  );
});

test("[ADM346] events about objects that are too many for a second are left out and counted", async () => {
  const world = new World();
  for (let i = 0; i < 60; i++) world.part.watch.note({ type: "created", path: `room/${i}` });
  assert.equal(world.events.length, 50);
  await world.clock.advanceAsync(1_000);
  world.part.watch.note({ type: "taken-over", path: BALL, epoch: { generation: 1, number: 1 } });
  world.part.watch.note({ type: "moved", path: BALL, from: "n2" });
  assert.deepEqual(
    world.events.slice(50).map(({ at: _, ...event }) => event),
    [
      { type: "object-taken-over", path: BALL, by: "n1" },
      { type: "object-moved", path: BALL, from: "n2", to: "n1" },
    ],
  );
  assert.match(await world.meter.page(), /sluice_object_events_left_out_total 10\n/);
});

function facts(path: string, change: Partial<ObjectCopyFacts> = {}): ObjectCopyFacts {
  const place = { path, isHome: false, home: "n1", standby: null, epoch: "1.4", version: 3 };
  const size = { durability: "temporary", properties: 1, bytes: 40, rate: 0, lastWriter: null } as const;
  return { ...place, ...size, clients: 0, elsewhere: {}, ...change };
}

const copies = (node: string, rows: readonly ObjectCopyFacts[], more = false) => ({
  node,
  list: { rows, more, homes: rows.filter(({ isHome }) => isHome).length },
});

test("[ADM341] what its home says of an object counts, and clients of a silent node are those that the home knows", () => {
  const home = facts(BALL, { isHome: true, standby: "n2", version: 9, clients: 2, elsewhere: { n2: 1, n4: 5 } });
  const merged = mergeObjects(
    [copies("n2", [facts(BALL, { version: 8, clients: 3 })]), copies("n1", [home]), copies("n3", [facts(BALL)])],
    { query: { after: "", limit: 10 }, self: "n2", silent: ["n4"] },
  );
  assert.deepEqual([merged.total, merged.more, merged.silent], [1, false, ["n4"]]);
  const [row] = merged.objects;
  assert.deepEqual([row?.home, row?.standby, row?.version, row?.clients], ["n1", "n2", 9, { here: 3, all: 10 }]);
  assert.deepEqual(row?.copies, [
    { node: "n1", role: "home", clients: 2 },
    { node: "n2", role: "standby", clients: 3 },
    { node: "n3", role: "replica", clients: 0 },
    { node: "n4", role: "replica", clients: 5 },
  ]);
});

test("[ADM341] page after page each object comes once, although nodes know different ones", () => {
  const paths = ["a", "b", "c", "d", "e", "f", "g"];
  const node = (name: string, known: readonly string[]) => (after: string, limit: number) => {
    const rows = known.filter((path) => path > after).map((path) => facts(path, { isHome: name === "n1" }));
    return copies(name, rows.slice(0, limit), rows.length > limit);
  };
  const nodes = [node("n1", paths), node("n2", ["a", "e", "f"]), node("n3", [])];
  const seen: string[] = [];
  for (let [after, isMore] = ["", true]; isMore; after = seen.at(-1) ?? "") {
    const answers = nodes.map((answer) => answer(after, 2));
    const { objects, more } = mergeObjects(answers, { query: { after, limit: 2 }, self: "n1", silent: [] });
    seen.push(...objects.map(({ path }) => path));
    isMore = more;
  }
  assert.deepEqual(seen, paths);
});

test("[ADM340] a node's page is the first of its paths, however many it has", async () => {
  const world = new World();
  const names = Array.from({ length: 23 }, (_, i) => `room/${String((i * 7) % 23).padStart(2, "0")}`);
  for (const name of names) void world.open(name);
  await world.clock.advanceAsync(2_000);
  const pages: string[] = [];
  for (let [after, isMore] = ["", true]; isMore; after = pages.at(-1) ?? "") {
    const { objects, more, total } = await world.admin.list({ after, limit: 5 });
    assert.ok(objects.length <= 5 && total === 23);
    pages.push(...objects.map(({ path }) => path));
    isMore = more;
  }
  assert.deepEqual(pages, names.toSorted());
});

test("[NOD33] what another node says of objects is read as it should be, or counts as no answer", async () => {
  const query = { after: "a", limit: 2 };
  const row = facts("b", { durability: { every: 500 }, lastWriter: { client: "c", who: "" }, elsewhere: { n3: 1 } });
  const good = { rows: [row, facts("c")], more: true, homes: 4, later: "unknown" };
  assert.deepEqual(readObjectList(JSON.parse(JSON.stringify(good)), query), { rows: good.rows, more: true, homes: 4 });
  for (const bad of [
    undefined,
    { ...good, rows: "none" },
    { ...good, rows: [facts("b"), facts("c"), facts("d")] },
    { ...good, rows: [facts("c"), facts("b")] },
    { ...good, rows: [facts("a")] },
    { ...good, homes: -1 },
  ])
    assert.throws(() => readObjectList(bad, query), { name: "RequestFailedError" });
  for (const [name, value] of [
    ["path", 7],
    ["version", "many"],
    ["elsewhere", { n3: Number.NaN }],
    ["durability", "for ever"],
    ["lastWriter", {}],
  ] as const)
    assert.throws(() => readFacts({ ...row, [name]: value }), { name: "RequestFailedError" }, name);
  const silent: OtherNodes = {
    ids: () => ["n2"],
    objects: () => Promise.reject(new Error("no answer")),
    object: () => Promise.reject(new Error("no answer")),
    moveObject: async () => "",
    forgetObject: async () => "",
  };
  const world = new World(silent);
  await world.open(BALL);
  const { objects, silent: named } = await world.admin.list({ after: "", limit: 5 });
  assert.deepEqual([objects.length, named], [1, ["n2"]]);
});
