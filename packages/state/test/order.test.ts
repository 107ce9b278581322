/** What a home takes, refuses and tells, on one node and on three. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Millis } from "@sluice/base/brand";
import type { Outcome, Wish } from "@sluice/state/change";
import type { ObjectLimits } from "@sluice/state/limits";
import type { ObjectGuard } from "@sluice/state/ports";
import { ORIGIN } from "@sluice/state/position";
import { messageWish, removeWish, setWish } from "@sluice/state/wishes";
import { TestClient } from "./sim-clients.ts";
import { SimCluster, type SimNode } from "./sim-cluster.ts";

const PATH = "room/ball";

interface Setting {
  readonly nodes?: number;
  readonly guard?: ObjectGuard;
  readonly limits?: Partial<ObjectLimits>;
}

async function open({
  nodes = 3,
  ...rest
}: Setting = {}): Promise<{ cluster: SimCluster; a: TestClient; b: TestClient; last: SimNode }> {
  const cluster = new SimCluster({ nodes, seed: 7, ...rest });
  await cluster.run(50);
  const last = cluster.nodes.at(-1) as SimNode;
  const a = new TestClient(cluster.node("n0"), PATH, { client: "a" });
  await cluster.run(700);
  const b = new TestClient(last, PATH, { client: "b" });
  await cluster.run(100);
  return { cluster, a, b, last };
}

async function write(
  cluster: SimCluster,
  client: TestClient,
  ...wishes: readonly Wish[]
): Promise<Outcome | undefined> {
  const before = client.outcomes.length;
  client.write(...wishes);
  await cluster.run(50);
  return client.outcomes[before];
}

function refusedWith(outcome: Outcome | undefined, status: string, detail = ""): void {
  assert.equal(outcome?.type, "refused");
  assert.deepEqual(
    [outcome?.type === "refused" && outcome.status, outcome?.type === "refused" && outcome.detail],
    [status, detail],
  );
}

test("[OBJ1] what is taken is one version, what is equal or refused is none", async () => {
  const { cluster, a } = await open({ guard: { mayWrite: (_path, _who, name) => name !== "secret" } });
  await write(cluster, a, setWish("x", 1), setWish("y", 2), messageWish("hello", []));
  await write(cluster, a, setWish("x", 1));
  await write(cluster, a, setWish("secret", 1));
  await write(cluster, a, messageWish("hello", []));
  await write(cluster, a, { type: "lock", lease: 9_000 as Millis });
  assert.equal(a.story, "snapshot 1, 2, 3, 4");
});

test("[OBJ2] a snapshot, and then each version once", async () => {
  const { cluster, a, b } = await open();
  for (let i = 0; i < 5; i++) await write(cluster, i % 2 === 0 ? a : b, setWish("x", i));
  const late = new TestClient(cluster.node("n1"), PATH);
  await cluster.run(50);
  await write(cluster, a, setWish("x", 9));
  assert.deepEqual(
    [a.story, b.story, late.story],
    ["snapshot 1, 2, 3, 4, 5, 6, 7", "snapshot 1, 2, 3, 4, 5, 6, 7", "snapshot 6, 7"],
  );
});

test("[OBJ3] a batch is one change or none", async () => {
  const { cluster, a, b } = await open();
  await write(cluster, a, setWish("x", 1), removeWish("x"), setWish("y", 2));
  refusedWith(await write(cluster, a, setWish("z", 1), setWish("y", 3, ORIGIN)), "stale", "y");
  assert.deepEqual([b.story, b.values], ["snapshot 1, 2", { y: 2 }]);
});

test("[OBJ4] messages reach all, the sender too, in order with changes", async () => {
  const { cluster, a, b } = await open();
  a.write(setWish("x", 1));
  a.write(messageWish("kick", [1, "hard"]));
  a.write(setWish("x", 2));
  await cluster.run(100);
  const steps = (client: TestClient) =>
    client.deliveries
      .flatMap((one) => (one.type === "change" ? one.change.operations : []))
      .map((one) => ("plain" in one ? one.plain.value : one.type));
  assert.deepEqual(steps(a), [1, [1, "hard"], 2]);
  assert.deepEqual(steps(b), steps(a));
});

test("[OBJ5] an equal value succeeds at the same version, and nobody is told", async () => {
  const { cluster, a, b } = await open();
  const first = await write(cluster, a, setWish("x", { deep: [1] }));
  assert.deepEqual(await write(cluster, b, setWish("x", { deep: [1] })), first);
  assert.deepEqual(await write(cluster, b, removeWish("nothing")), first);
  assert.equal(a.story, "snapshot 1, 2");
});

test("[OBJ6] both drag at once, and end equal", async () => {
  const { cluster, a, b } = await open();
  for (let i = 0; i < 20; i++) {
    a.write(setWish("x", i), setWish("by", "a"));
    b.write(setWish("x", 100 - i), setWish("by", "b"));
    await cluster.run(i % 3);
  }
  await cluster.run(100);
  assert.deepEqual(a.values, b.values);
  assert.equal(a.outcomes.filter(({ type }) => type === "success").length, 20);
});

test("[OBJ7] compare-and-set is refused with the true value", async () => {
  const { cluster, a, b } = await open();
  const first = await write(cluster, a, setWish("x", 1, ORIGIN));
  assert.equal(first?.type, "success");
  const at = first?.type === "success" ? first.at : ORIGIN;
  assert.equal((await write(cluster, b, setWish("x", 2, at)))?.type, "success");
  const stale = await write(cluster, a, setWish("x", 3, at));
  refusedWith(stale, "stale", "x");
  const current = stale?.type === "refused" ? stale.current[0] : undefined;
  assert.deepEqual([current?.plain?.value, current?.at.version], [2, 3]);
  refusedWith(await write(cluster, a, removeWish("x", at)), "stale", "x");
  refusedWith(await write(cluster, a, setWish("x", 1, ORIGIN)), "stale", "x");
});

test("[OBJ8] a change names its request", async () => {
  const { cluster, a, b } = await open();
  await write(cluster, b, setWish("x", 1));
  const changes = [a, b].map(({ deliveries }) => deliveries.at(-1));
  assert.deepEqual(changes[0], changes[1]);
  assert.deepEqual(changes[0]?.type === "change" && changes[0].change.by, {
    client: "b",
    sequence: b.client.lastSequence,
  });
});

test("[OBJ9] clear removes all at once", async () => {
  const { cluster, a, b } = await open();
  await write(cluster, a, setWish("x", 1), setWish("y", 1));
  await write(cluster, b, { type: "clear" });
  await write(cluster, b, { type: "clear" });
  assert.deepEqual([a.values, a.story], [{}, "snapshot 1, 2, 3"]);
});

test("[OBJ10] each act can be denied, and says so", async () => {
  const isAdmin = (who: { readonly [key: string]: unknown }) => who.role === "admin";
  const guard: ObjectGuard = {
    mayCreate: (path) => path === PATH,
    mayConnect: (_path, who) => who.role !== "nobody",
    mayRead: (_path, who) => who.role !== "blind",
    mayWrite: (_path, who, name) => isAdmin(who) || name === "x",
    mayDelete: (_path, who) => isAdmin(who),
    maySend: (_path, who, name, args) => isAdmin(who) || (name === "say" && args.length === 1),
  };
  const { cluster, b, last } = await open({ guard });
  const others = [
    new TestClient(last, "room/other"),
    new TestClient(last, PATH, { who: { role: "nobody" } }),
    new TestClient(last, PATH, { who: { role: "blind" } }),
  ];
  const admin = new TestClient(last, PATH, { who: { role: "admin" } });
  await cluster.run(800);
  assert.deepEqual(
    others.map(({ connectOutcome }) => connectOutcome?.type === "refused" && connectOutcome.detail),
    ["create", "connect", "read"],
  );
  assert.equal(
    cluster.nodes.some(({ host }) => (host.find("room/other")?.users.here.size ?? 0) > 0),
    false,
  );
  await write(cluster, admin, setWish("y", 5));
  const denied = await write(cluster, b, setWish("y", 6));
  refusedWith(denied, "denied", "write");
  assert.equal(denied?.type === "refused" && denied.current[0]?.plain?.value, 5);
  refusedWith(await write(cluster, b, removeWish("y")), "denied", "delete");
  refusedWith(await write(cluster, b, { type: "clear" }), "denied", "delete");
  refusedWith(await write(cluster, b, messageWish("say", [])), "denied", "send");
  assert.equal((await write(cluster, b, messageWish("say", ["hello"])))?.type, "success");
});

test("[OBJ11] durable and temporary are refused for each other", async () => {
  const { cluster, last } = await open();
  const durable = new TestClient(last, PATH, { durability: { type: "each" } });
  const same = new TestClient(last, PATH, { durability: { type: "temporary" } });
  await cluster.run(100);
  assert.equal(durable.connectOutcome?.type === "refused" && durable.connectOutcome.status, "mismatch");
  assert.equal(same.connectOutcome?.type, "connected");
});

test("[OBJ12] a lock keeps others' changes out until it ends", async () => {
  const { cluster, a, b } = await open();
  const lock = { type: "lock", lease: 1_000 as Millis } as const;
  await write(cluster, b, setWish("x", 1), lock);
  const locked = await write(cluster, a, setWish("x", 2));
  refusedWith(locked, "locked", "b");
  assert.equal(locked?.type === "refused" && locked.current[0]?.plain?.value, 1);
  refusedWith(await write(cluster, a, { type: "unlock" }), "locked", "b");
  assert.equal((await write(cluster, a, messageWish("please", [])))?.type, "success");
  assert.equal((await write(cluster, b, setWish("x", 3), { type: "unlock" }))?.type, "success");
  assert.equal((await write(cluster, a, setWish("x", 4)))?.type, "success");
  await write(cluster, b, lock);
  await cluster.run(1_000);
  assert.equal((await write(cluster, a, setWish("x", 5)))?.type, "success");
  await write(cluster, b, lock);
  b.client[Symbol.dispose]();
  await cluster.run(20);
  assert.equal((await write(cluster, a, setWish("x", 6)))?.type, "success");
});

test("[OBJ13] the lock of a client whose node is gone ends by itself", async () => {
  const { cluster, a, b, last } = await open();
  await write(cluster, b, { type: "lock", lease: 60_000 as Millis });
  cluster.kill(last.name);
  await cluster.run(2_900);
  refusedWith(await write(cluster, a, setWish("x", 1)), "locked", "b");
  await cluster.run(200);
  assert.equal((await write(cluster, a, setWish("x", 1)))?.type, "success");
});

test("[OBJ33] what is over a limit is refused with its name, and may shrink", async () => {
  const limits = { properties: 2, nameBytes: 4, valueBytes: 100, objectBytes: 200, batchOperations: 3 };
  const { cluster, b } = await open({ limits });
  const set = (name: string, bytes: number) =>
    setWish(name, "v".repeat(bytes), undefined, { nameBytes: 1_000, valueBytes: 1_000 });
  refusedWith(await write(cluster, b, set("long-name", 1)), "limit", "nameBytes");
  refusedWith(await write(cluster, b, set("x", 150)), "limit", "valueBytes");
  refusedWith(await write(cluster, b, set("x", 90), set("y", 90)), "limit", "objectBytes");
  refusedWith(await write(cluster, b, set("x", 1), set("y", 1), set("z", 1)), "limit", "properties");
  refusedWith(await write(cluster, b, ...Array.from({ length: 4 }, () => set("x", 1))), "limit", "batchOperations");
  assert.equal((await write(cluster, b, set("x", 90), set("y", 20)))?.type, "success");
  assert.equal((await write(cluster, b, set("x", 80)))?.type, "success");
});

test("[OBJ34] writes over the rate are refused", async () => {
  const { cluster, a, b } = await open({ limits: { clientWrites: 10, objectWrites: 15 } });
  for (let i = 0; i < 12; i++) {
    a.write(setWish("x", i));
    b.write(setWish("y", i));
  }
  await cluster.run(100);
  const details = [...a.outcomes, ...b.outcomes].map((one) =>
    one.type === "refused" ? `${one.status} ${one.detail}` : one.type,
  );
  assert.equal(details.filter((one) => one === "rate clientWrites").length, 4);
  assert.equal(details.filter((one) => one === "rate objectWrites").length, 5);
  await cluster.run(1_000);
  assert.equal((await write(cluster, a, setWish("x", 99)))?.type, "success");
});

test("[OBJ35] one object, client or longer path too many is a LimitError", async () => {
  const { last } = await open({ limits: { objects: 1, clients: 2, pathBytes: 20 } });
  const limit = (name: string) => ({ code: "LIMIT_OBJECT", context: { limit: name } });
  const matches = (name: string) => (error: { code: string; context: { limit: string } }) =>
    error.code === limit(name).code && error.context.limit === name;
  assert.throws(() => new TestClient(last, "room/another"), matches("objects"));
  assert.throws(() => new TestClient(last, "é".repeat(11)), matches("pathBytes"));
  new TestClient(last, PATH);
  assert.throws(() => new TestClient(last, PATH), matches("clients"));
});
