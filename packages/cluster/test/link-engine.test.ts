/** A client of the engine over links: what becomes of its leases, watches and calls when hosts die, stall, or serve no more. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Millis } from "@sluice/base/brand";
import { EngineHost } from "@sluice/cluster/engine/engine-host";
import { ENGINE_LINK_LIMITS } from "@sluice/cluster/engine/limits";
import type { LinkEngine } from "@sluice/cluster/engine/link-engine";
import { WatchRecorder } from "@sluice/engine/conformance/watch-recorder";
import type { Engine } from "@sluice/engine/engine";
import { EngineUnavailableError } from "@sluice/engine/errors";
import { MemoryEngine } from "@sluice/engine/memory-engine";
import { randomBelow } from "@sluice/testkit/random";
import { everySeed } from "@sluice/testkit/seeds";
import { EngineWorld, type WorldNode } from "./engine-world.ts";

const FILE = "packages/cluster/test/link-engine.test.ts";
const TTL = 3000 as Millis;
const NEVER = new AbortController().signal;
const text = (value: string): Uint8Array => Buffer.from(value);

interface Clients {
  readonly world: EngineWorld;
  readonly client: LinkEngine;
  readonly node: WorldNode;
  /** On the store itself. */
  readonly direct: Engine;
}

async function start(hosts: number, seed = 1): Promise<Clients> {
  const world = new EngineWorld(seed);
  for (let count = 1; count <= hosts; count++) world.startHost(`host${count}`);
  const node = world.startNode("client");
  const client = await world.during(world.openClient(node));
  return { world, client, node, direct: new MemoryEngine(world.store) };
}

function hostOf(client: LinkEngine): string {
  assert.ok(client.host !== undefined, "nobody feeds the client");
  return client.host;
}

test("[CLU10] a lease stands and a watch goes on when the member that served them dies, and the next, and the next", async () => {
  const { world, client, direct } = await start(4);
  const lease = await world.during(client.lease(TTL));
  await world.during(client.cas("bound", "absent", text("1"), { lease }));
  const watcher = new WatchRecorder(client.watch("", NEVER));
  await world.until("a current watch", () => watcher.state === "current");
  for (let round = 1; round <= 3; round++) {
    world.kill(hostOf(client));
    await direct.cas(`round ${round}`, "absent", text("1"));
    await world.until(`round ${round} in the watch`, () => watcher.entries.has(`round ${round}`));
    await world.advance(2 * TTL);
    assert.equal(lease.lost.aborted, false);
    assert.ok(lease.validUntil > world.clock.now());
    assert.ok((await direct.get("bound")) !== undefined);
  }
  assert.equal(watcher.state, "current");
  assert.deepEqual(watcher.violations, []);
  const types = watcher.recorder.items.map(({ type }) => type);
  assert.equal(types.filter((type) => type === "stale").length, 3, "one mark for each host that died");
  assert.equal(types.includes("deleted"), false, "nothing was told as gone");
});

test("[CLU11] a renewal that is not answered in 500 ms goes to a second member", async () => {
  const { world, client } = await start(2);
  const lease = await world.during(client.lease(TTL));
  world.nodes.get(hostOf(client))?.clock.pause();
  let least: number = TTL;
  for (let waited = 0; waited < 20_000; waited += 10) {
    await world.advance(10);
    least = Math.min(least, lease.validUntil - world.clock.now());
  }
  assert.equal(lease.lost.aborted, false);
  assert.ok(least > TTL / 2, `${least} ms were left of the lease`);
});

test("[CLU11] a lease whose members are all silent is lost by the holder's own clock", async () => {
  const { world, client } = await start(2);
  const lease = await world.during(client.lease(TTL));
  for (const name of world.hosts.keys()) world.nodes.get(name)?.clock.pause();
  const { validUntil } = lease;
  await world.advance(validUntil - world.clock.now() - 1);
  assert.equal(lease.lost.aborted, false);
  await world.advance(1);
  assert.equal(lease.lost.aborted, true);
});

everySeed(
  "[CLU12] a write whose member died is settled at another: done once, and answered",
  { count: 10, file: FILE },
  async (seed) => {
    const world = new EngineWorld(seed);
    let hosts = 0;
    while (hosts < 3) world.startHost(`host${++hosts}`);
    const clients = await world.during(Promise.all(["a", "b"].map((name) => world.openClient(world.startNode(name)))));
    let written = 0;
    const increment = async (client: LinkEngine): Promise<void> => {
      for (let done = 0; done < 25; ) {
        const entry = await client.get("count");
        const next = Number(Buffer.from(entry?.value ?? []).toString()) + 1;
        const result = await client.cas("count", entry?.revision ?? "absent", text(String(next)));
        if (result.outcome !== "written") continue;
        done++;
        written++;
      }
    };
    const progress = { isOver: false };
    const all = Promise.all(clients.map(increment)).finally(() => (progress.isOver = true));
    while (!progress.isOver) {
      await world.advance(randomBelow(world.random, 30));
      if (randomBelow(world.random, 4) > 0) continue;
      const names = [...world.hosts.keys()];
      world.kill(names[randomBelow(world.random, names.length)] as string);
      world.startHost(`host${++hosts}`);
    }
    await all;
    const entry = await new MemoryEngine(world.store).get("count");
    assert.equal(Number(Buffer.from(entry?.value ?? []).toString()), written);
  },
);

test("[CLU13] a client that takes nothing costs its host a bounded queue, and ends with the latest of every key", async () => {
  const { world, client, direct } = await start(1);
  const watcher = new WatchRecorder(client.watch("", NEVER));
  await world.until("a current watch", () => watcher.state === "current");
  world.network.cut("host1", "client", "hold");
  const value = new Uint8Array(64 * 1024);
  const channels = [...(world.hosts.get("host1")?.mesh.links.get("client")?.driver.link?.channels ?? [])];
  const feed = channels.find(({ service }) => service === "engine-feed");
  assert.ok(feed !== undefined);
  let most = 0;
  for (let round = 0; round < 100; round++) {
    for (const key of ["a", "b"]) {
      const entry = await direct.get(key);
      value[0] = round;
      await direct.cas(key, entry?.revision ?? "absent", value);
    }
    await world.advance(10);
    most = Math.max(most, feed.queuedBytes);
  }
  assert.ok(most > 0 && most <= ENGINE_LINK_LIMITS.feedBytes + 2 * value.length, `${most} bytes waited`);
  world.network.heal();
  await world.until(
    "the last values",
    () => watcher.entries.get("a")?.value[0] === 99 && watcher.entries.get("b")?.value[0] === 99,
  );
  assert.deepEqual(watcher.violations, []);
});

test("[CLU14] without a member that serves it a call fails as not made, and the client returns by itself", async () => {
  const { world, client, direct } = await start(1);
  world.kill("host1");
  const failure = await world.during(client.cas("key", "absent", text("1")).catch((error: unknown) => error));
  assert.ok(failure instanceof EngineUnavailableError);
  assert.equal(failure.isUnknown, false);
  world.startHost("host2");
  const call = world.during(client.cas("key", "absent", text("2")));
  assert.equal((await call).outcome, "written", "made as soon as a member is linked");
  assert.equal(Buffer.from((await direct.get("key"))?.value ?? []).toString(), "2");
});

test("[CLU14] a call that waits for a member goes out as soon as one is linked", async () => {
  const { world, client } = await start(1);
  world.kill("host1");
  await world.advance(100);
  const call = client.get("key");
  await world.advance(1_000);
  world.startHost("host2");
  const asked = world.clock.now();
  await world.during(call);
  assert.ok(world.clock.now() - asked < 500);
});

test("[CLU15] a member whose engine is cut off serves nobody: its clients go on over another", async () => {
  const { world, client, direct } = await start(2);
  const watcher = new WatchRecorder(client.watch("", NEVER));
  await world.until("a current watch", () => watcher.state === "current");
  const first = hostOf(client);
  world.hosts.get(first)?.engine.cut();
  await world.until("another host", () => client.host !== undefined && client.host !== first);
  await direct.cas("key", "absent", text("1"));
  await world.until("the change", () => watcher.entries.has("key"));
  assert.equal((await world.during(client.get("key")))?.key, "key");
});

test("[CLU15] a host that ends hands its clients to another; a node without a copy refuses", async () => {
  const { world, client } = await start(2);
  const first = hostOf(client);
  world.hosts.get(first)?.host[Symbol.dispose]();
  await world.until("another host", () => client.host !== undefined && client.host !== first);
  assert.equal(await world.during(client.get("key")), undefined);
  assert.equal(world.hosts.get(first)?.host.clientCount, 0);
});

test("[CLU16] calls above what a member serves at once are refused, counted, and asked of another", async () => {
  const world = new EngineWorld(1);
  const hosts = ["host1", "host2"].map((name) => world.startHost(name));
  const client = await world.during(world.openClient(world.startNode("client")));
  for (const { engine } of hosts) engine.delayAnswers(100 as Millis);
  const value = new Uint8Array(512 * 1024);
  const count = (2 * ENGINE_LINK_LIMITS.servedBytes) / value.length;
  const calls = Array.from({ length: count }, (_, index) => client.cas(`key ${index}`, "absent", value));
  const results = await world.during(Promise.all(calls));
  assert.equal(results.filter(({ outcome }) => outcome === "written").length, count);
  assert.ok(hosts.some(({ host }) => host.counts.callsRefused > 0));
});

test("[CLU17] messages of a client that does not keep up are dropped and counted, and the rest keep their order", async () => {
  const { world, client, direct } = await start(1);
  const ending = new AbortController();
  const heard = new WatchRecorder(client.watch("", NEVER));
  const messages: number[] = [];
  void (async () => {
    for await (const message of client.subscribe("subject", ending.signal)) messages.push(message[0] as number);
  })();
  await world.until("a current watch", () => heard.state === "current");
  await world.advance(100);
  world.network.cut("host1", "client", "hold");
  const message = new Uint8Array(128 * 1024);
  for (let round = 0; round < 40; round++) {
    message[0] = round;
    await direct.publish("subject", message);
    await world.advance(1);
  }
  world.network.heal();
  await world.advance(1_000);
  const dropped = world.hosts.get("host1")?.host.counts.messagesDropped ?? 0;
  assert.ok(dropped > 0 && messages.length > 0);
  assert.equal(messages.length + dropped, 40);
  assert.deepEqual(
    messages,
    [...messages].sort((one, other) => one - other),
  );
  ending.abort();
});

test("[CLU18] closing releases leases, and ends the feed at the host; opening can be called off", async () => {
  const { world, client, direct } = await start(1);
  const lease = await world.during(client.lease(TTL));
  await world.during(client.cas("bound", "absent", text("1"), { lease }));
  await world.during(Promise.resolve(client[Symbol.asyncDispose]()));
  assert.equal(await direct.get("bound"), undefined);
  world.kill("host1");
  const ending = new AbortController();
  const opening = world.openClient(world.startNode("late"), ending.signal).catch((error: unknown) => error);
  await world.advance(1_000);
  ending.abort(new Error("Called off"));
  assert.equal(((await world.during(opening)) as Error).message, "Called off");
});

test("[CLU400] a node with a host of its own asks itself, and others only while that cannot answer", async () => {
  const world = new EngineWorld(1);
  const [own] = ["host1", "host2"].map((name) => world.startHost(name));
  assert.ok(own !== undefined);
  const client = await world.during(world.openClient(own));
  const watcher = new WatchRecorder(client.watch("", NEVER));
  const lease = await world.during(client.lease(TTL));
  await world.during(client.cas("key", "absent", new Uint8Array(200_000).fill(7), { lease }));
  assert.deepEqual([client.host, watcher.entries.get("key")?.value.length], ["host1", 200_000]);
  own.engine.cut();
  await world.until("another host", () => client.host === "host2");
  assert.equal((await world.during(client.get("key")))?.key, "key");
  await world.advance(3 * TTL);
  assert.equal(lease.lost.aborted, false);
  assert.deepEqual(watcher.violations, []);
  assert.equal(watcher.recorder.items.filter(({ type }) => type === "deleted").length, 0);
});

test("[CLU400] a node that becomes a host serves its own client, and one that ends is left by it", async () => {
  const world = new EngineWorld(1);
  const node = world.startNode("alone");
  const opening = world.openClient(node);
  await world.advance(1_000);
  const engine = new MemoryEngine(world.store);
  const host = new EngineHost({ engine, links: node.links, clock: node.clock });
  const client = await world.during(opening);
  assert.equal((await world.during(client.cas("key", "absent", text("1")))).outcome, "written");
  host[Symbol.dispose]();
  const failure = await world.during(client.get("key").catch((error: unknown) => error));
  assert.ok(failure instanceof EngineUnavailableError);
  using _again = new EngineHost({ engine, links: node.links, clock: node.clock });
  assert.equal((await world.during(client.get("key")))?.key, "key");
});

test("[CLU420] a client that stood still while two members were asked does not take the write for not made", async () => {
  const { world, client, node, direct } = await start(2);
  for (const host of world.hosts.values()) host.clock.pause();
  const write = client.cas("key", "absent", text("1"));
  const outcome = write.then(
    () => "written",
    (error: unknown) => (error instanceof EngineUnavailableError && error.isUnknown ? "unknown" : "not made"),
  );
  await world.advance(1_000); // both have it
  node.clock.pause();
  await world.advance(20_000);
  node.clock.resume();
  const told = await outcome;
  for (const host of world.hosts.values()) host.clock.resume();
  await world.advance(1_000);
  assert.ok((await direct.get("key")) !== undefined, "it was made");
  assert.equal(told, "unknown");
});
