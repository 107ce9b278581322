/** The state engine of a cluster, as processes: it grows with the nodes, comes back as a whole, and stays one. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync, rmSync } from "node:fs";
import { test } from "node:test";
import { until } from "@sluice/testkit/until";
import { CacheLedger, openSentinelRedis } from "./support/cache-ledger.ts";
import { WorkFolder } from "./support/clip.ts";
import { allLinked, voting } from "./support/cluster-server.ts";
import { end, missing, sentinels, start, three } from "./support/engine-cluster.ts";
import { RespClient } from "./support/resp-client.ts";
import { MAIN, startServer } from "./support/server.ts";

test("[NOD400] three nodes that each know one become three voters while the first is written to", async () => {
  using folder = new WorkFolder();
  await using a = await start(folder, "a");
  await voting([a], 1);
  await using ledger = new CacheLedger(sentinels([a]));
  await ledger.writesAgain();
  await using b = await start(folder, "b", { seeds: [a] });
  await using c = await start(folder, "c", { seeds: [b] });
  await allLinked([a, b, c]);
  await voting([a, b, c], 3);
  await ledger.writesAgain();
  await ledger.stop();
  assert.deepEqual([ledger.failures, await missing([a, b, c], ledger)], [[], []]);
  for (const server of [a, b, c]) {
    assert.equal(await server.reasons(), "");
    assert.equal((await server.heard("state engine open"))["engine"], "gcache");
  }
});

test("[NOD401] a cluster that was stopped as a whole finds itself again, the founder without a seed too", async () => {
  using folder = new WorkFolder();
  const before = await three(folder);
  await voting(before, 3);
  const ledger = new CacheLedger(sentinels(before));
  await ledger.writesAgain();
  await ledger.stop();
  const [port, ...ports] = before.map((server) => server.port("cluster"));
  await end(before, "SIGKILL");
  // Nobody is given a seed: they know each other from their stores.
  await using a = await start(folder, "a", { port: port as number });
  await until("a reason", async () => /no member of the cluster answers/.test(await a.reasons()));
  await using b = await start(folder, "b", { port: ports[0] as number });
  await until("a to be ready with two of three", async () => (await a.reasons()) === "");
  await using c = await start(folder, "c", { port: ports[1] as number });
  await voting([a, b, c], 3);
  assert.deepEqual(await missing([a, b, c], ledger), []);
});

test("[NOD402] a node whose cluster is not there yet serves, is not ready, says why, and joins when it appears", async () => {
  using folder = new WorkFolder();
  await using a = await start(folder, "a");
  const port = a.port("cluster");
  await end([a], "SIGKILL");
  await using b = await start(folder, "b", { seeds: [a] });
  assert.match(await b.reasons(), /state engine is not reachable yet: no member of the cluster answers/);
  assert.equal((await b.nodes()).nodes[0]?.state, "starting");
  await using again = await start(folder, "a", { port });
  await again.node("b", ({ state, engine }) => state === "ready" && engine === "client");
  assert.equal(await b.reasons(), "");
});

test("[NOD403] a store of another cluster is refused by both, with the command that sets it aside; then the node joins", async () => {
  using folder = new WorkFolder();
  const alone = await start(folder, "b");
  await voting([alone], 1);
  await end([alone], "SIGTERM");
  await using a = await start(folder, "a");
  await voting([a], 1);
  {
    await using b = await start(folder, "b", { seeds: [a] });
    await until("a reason", async () => (await b.reasons()).includes("sluice cluster set-aside"));
    assert.match(await b.reasons(), /Node "a" belongs to another cluster/);
    await a.heard("Refused a connection to the cluster port", ({ reason }) =>
      String(reason).includes("another cluster"),
    );
    assert.deepEqual([await a.reasons(), (await a.nodes()).nodes.length], ["", 1]);
    const setAside = (): string =>
      execFileSync(process.execPath, [MAIN, "cluster", "set-aside", "--config", folder.file("b.yaml")], {
        encoding: "utf8",
        stdio: "pipe",
      });
    assert.throws(setAside, /has it open/);
    await end([b], "SIGTERM");
    assert.match(setAside(), /is now .*cache\.aside-/);
  }
  await using b = await start(folder, "b", { seeds: [a] });
  await allLinked([a, b]);
  assert.equal(await b.reasons(), "");
  assert.ok(readdirSync(folder.file("data-b")).some((name) => name.startsWith("cache.aside-")));
});

test("[NOD404] the store of a node without a cluster goes on as a cluster's once there is a cluster key", async () => {
  using folder = new WorkFolder();
  {
    const set = ["node.id=a", `data.dir=${folder.file("data-a")}`, "engine.kind=gcache", "cache.resp.port=0"];
    await using alone = await startServer({ set });
    await using client = await RespClient.open(alone.port("resp"));
    assert.deepEqual(await client.ask([["SET", "colour", "blue"]]), ["+OK"]);
    alone.child.kill("SIGTERM");
    assert.equal((await alone.child.exited).code, 0);
  }
  const servers = await three(folder);
  await using _a = servers[0];
  await using _b = servers[1];
  await using _c = servers[2];
  await voting(servers, 3);
  const redis = openSentinelRedis(sentinels(servers));
  assert.equal(await redis.get("colour"), "blue");
  redis.disconnect();
});

test("[NOD405] a founder with an empty disk whom members know founds nothing; it says what to do", async () => {
  using folder = new WorkFolder();
  const [a, b, c] = await three(folder);
  await voting([a, b, c], 3);
  await using _b = b;
  await using _c = c;
  const port = a.port("cluster");
  await end([a], "SIGKILL");
  rmSync(folder.file("data-a"), { recursive: true });
  await using again = await start(folder, "a", { port });
  await until("a reason", async () => (await again.reasons()).includes("sluice cluster replace a"));
  await voting([b, c], 2);
});

test("[NOD406] a killed node is dead once its row has run out; on the minority side it stays suspect, and the view is stale", async () => {
  using folder = new WorkFolder();
  const [a, b, c] = await three(folder);
  await using _a = a;
  await using _b = b;
  await using _c = c;
  await voting([a, b, c], 3);
  await end([a], "SIGKILL");
  for (const server of [b, c]) {
    await server.node("a", ({ state }) => state === "dead");
    assert.equal((await server.nodes()).stale, false);
  }
  await end([b], "SIGKILL");
  await until("a stale view", async () => (await c.nodes()).stale);
  await c.node("b", ({ state }) => state === "suspect");
  assert.equal(c.said("Node is dead").length, 1);
});
