/** A cluster under faults, as processes: members are killed, frozen, restarted, lost and replaced; clients of the engine stay. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { test } from "node:test";
import type { EngineAnswer } from "@sluice/client/admin-contract";
import { pauseChild, resumeChild } from "@sluice/testkit/process-faults";
import { until } from "@sluice/testkit/until";
import { CacheLedger } from "./support/cache-ledger.ts";
import { WorkFolder } from "./support/clip.ts";
import { allLinked, type ClusterServer, voting } from "./support/cluster-server.ts";
import { end, missing, sentinels, start, three } from "./support/engine-cluster.ts";
import { EngineServer } from "./support/engine-servers.ts";
import { MAIN } from "./support/server.ts";

/** What `sluice cluster …` says, asked of that node. */
function cluster(server: ClusterServer, ...words: readonly string[]): string {
  const at = ["--config", "none", "--set", `http.port=${server.port("http")}`, "--set", "listen.host=127.0.0.1"];
  return execFileSync(process.execPath, [MAIN, "cluster", ...words, ...at], { encoding: "utf8", stdio: "pipe" });
}

const members = async (server: ClusterServer): Promise<readonly string[]> =>
  (await server.get<EngineAnswer>("/api/v1/cluster")).members.map(({ id }) => id).sort();

/** Of what a server told about a node, how often each. */
function told(server: ClusterServer, id: string, msg: string): number {
  return server.said(msg).filter(({ peer }) => peer === id).length;
}

test("[NOD410] each of three is killed and comes back, the founder first: views are right, nothing acknowledged is lost", async () => {
  using folder = new WorkFolder();
  const servers = [...(await three(folder))];
  await using _all = { [Symbol.asyncDispose]: () => end(servers, "SIGKILL") };
  await voting(servers, 3);
  const ports = servers.map((server) => ({ port: server.port("cluster"), resp: server.port("resp") }));
  await using ledger = new CacheLedger(sentinels(servers));
  for (const [at, server] of servers.entries()) {
    await ledger.writesAgain();
    await end([server], "SIGKILL");
    const others = servers.filter((one) => one !== server);
    for (const other of others) await other.node(server.id, ({ state }) => state === "dead");
    await ledger.writesAgain();
    const { port = 0, resp = 0 } = ports[at] ?? {};
    const again = await start(folder, server.id, { port, more: [`cache.resp.port: ${resp}`], seeds: others });
    servers[at] = again;
    await voting(servers, 3);
    await allLinked(servers);
    for (const other of others) {
      assert.equal(told(other, server.id, "Node is dead"), 1);
      assert.equal(told(other, server.id, "Node is suspect: no node hears it"), 1);
    }
  }
  await ledger.writesAgain();
  await ledger.stop();
  assert.deepEqual(await missing(servers, ledger), []);
});

test("[NOD411] a node that stands still for 2 s is missed by nobody, the leader too, and nothing acknowledged is lost", async () => {
  using folder = new WorkFolder();
  const [a, b, c] = await three(folder);
  await using _all = { [Symbol.asyncDispose]: () => end([a, b, c], "SIGKILL") };
  await voting([a, b, c], 3);
  await using ledger = new CacheLedger(sentinels([a, b, c]));
  await ledger.writesAgain();
  for (const server of [b, a]) {
    await pauseChild(server.child);
    await pause(2_000);
    await resumeChild(server.child);
    await ledger.writesAgain();
  }
  await pause(3_000); // whoever had been missed would be suspect by now
  for (const server of [a, b, c]) assert.equal(server.said("Node is suspect: no node hears it").length, 0, server.id);
  await ledger.stop();
  assert.deepEqual(await missing([a, b, c], ledger), []);
});

test("[NOD411] a node that stands still until the others take it for dead, and longer, joins again in the same life", async () => {
  using folder = new WorkFolder();
  const [a, b, c] = await three(folder);
  await using _all = { [Symbol.asyncDispose]: () => end([a, b, c], "SIGKILL") };
  await voting([a, b, c], 3);
  await using ledger = new CacheLedger(sentinels([a, b, c]));
  await ledger.writesAgain();
  await pauseChild(a.child);
  for (const server of [b, c]) await server.node("a", ({ state }) => state === "dead");
  await ledger.writesAgain();
  await pause(5_000);
  await resumeChild(a.child);
  await allLinked([a, b, c]);
  await voting([a, b, c], 3);
  for (const server of [b, c]) {
    assert.deepEqual(
      ["Node is dead", "Node joined", "Node left"].map((msg) => told(server, "a", msg)),
      [1, 2, 0],
    );
    assert.equal((await server.nodes()).stale, false);
  }
  assert.equal(a.said("Node is dead").length, 0, "it had heard nobody itself, and blamed nobody");
  await ledger.stop();
  assert.deepEqual(await missing([a, b, c], ledger), []);
});

test("[NOD412] a rolling restart of three loses nothing and is one leave and one join of each", async () => {
  using folder = new WorkFolder();
  const servers = [...(await three(folder))];
  await using _all = { [Symbol.asyncDispose]: () => end(servers, "SIGKILL") };
  await voting(servers, 3);
  const ports = servers.map((server) => ({ port: server.port("cluster"), resp: server.port("resp") }));
  await using ledger = new CacheLedger(sentinels(servers));
  for (const [at, server] of servers.entries()) {
    await ledger.writesAgain();
    server.child.kill("SIGTERM");
    assert.equal((await server.child.exited).code, 0);
    const others = servers.filter((one) => one !== server);
    await ledger.writesAgain();
    const { port = 0, resp = 0 } = ports[at] ?? {};
    servers[at] = await start(folder, server.id, { port, more: [`cache.resp.port: ${resp}`], seeds: others });
    await voting(servers, 3);
    await allLinked(servers);
    for (const other of others) assert.equal(other.said("Node is suspect: no node hears it").length, 0);
  }
  await ledger.writesAgain();
  await ledger.stop();
  assert.deepEqual(await missing(servers, ledger), []);
});

test("[NOD413] edges beyond the voters use the engine over links, and keep their leases when their member is killed", async () => {
  using folder = new WorkFolder();
  const voters = [...(await three(folder, ["log.level: debug"]))];
  await voting(voters, 3);
  const more = ["node.roles: edge", "log.level: debug"];
  const edges = [await start(folder, "d", { seeds: [voters[1] as ClusterServer], more })];
  edges.push(await start(folder, "e", { seeds: [edges[0] as ClusterServer], more }));
  const all = [...voters, ...edges];
  await using _all = { [Symbol.asyncDispose]: () => end(all, "SIGKILL") };
  await allLinked(all);
  for (const edge of edges) {
    await edge.node(edge.id, ({ engine, state }) => engine === "client" && state === "ready");
    assert.deepEqual(await members(edge), ["a", "b", "c"]);
  }
  const [first, ...rest] = voters as [ClusterServer, ...ClusterServer[]];
  await end([first], "SIGKILL"); // who leads, and whose link at least one of them used or will have to do without
  for (const server of [...rest, ...edges]) await server.node("a", ({ state }) => state === "dead");
  for (const server of [...rest, ...edges]) {
    for (const { id } of edges) await server.node(id, ({ state }) => state === "ready");
    const gone = server.said("The row of a node in the state engine is gone");
    assert.deepEqual([...new Set(gone.map(({ peer }) => peer))], ["a"]);
  }
});

test("[NOD414] a dead voter is removed, or replaced by a word to any node; with rejoin: auto a lost disk needs none", async () => {
  using folder = new WorkFolder();
  const [a, b, c] = await three(folder);
  await voting([a, b, c], 3);
  const edge = await start(folder, "d", { seeds: [a], more: ["node.roles: edge"] });
  const running = new Set([a, b, c, edge]);
  await using _all = { [Symbol.asyncDispose]: () => end([...running], "SIGKILL") };
  assert.throws(() => cluster(edge, "remove", "c"), /it runs, and would be added again: stop it first/);
  assert.throws(() => cluster(edge, "replace", "c"), /it is running with its known store/);
  const port = c.port("cluster");
  await end([c], "SIGKILL");
  rmSync(folder.file("data-c"), { recursive: true });
  const lost = await start(folder, "c", { port, seeds: [a] });
  running.add(lost);
  await until("a reason", async () => (await lost.reasons()).includes("sluice cluster replace c"));
  assert.match(cluster(edge, "replace", "c"), /takes its place/);
  await voting([a, b, lost], 3);
  await until("c to be ready", async () => (await lost.reasons()) === "");

  await end([lost], "SIGKILL");
  rmSync(folder.file("data-c"), { recursive: true });
  const auto = await start(folder, "c", { port, seeds: [a], cluster: ["rejoin: auto"] });
  running.add(auto);
  await voting([a, b, auto], 3);

  await end([auto], "SIGKILL");
  const [_, advice] = [
    await a.node("c", ({ state }) => state === "dead"),
    await a.get<EngineAnswer>("/api/v1/cluster"),
  ];
  assert.equal(advice.members.find(({ id }) => id === "c")?.present, false);
  assert.match(cluster(a, "remove", "c"), /no member/);
  await until("d in the place of c", async () => (await members(a)).join() === "a,b,d");
  await voting([a, b, edge], 3);
});

test("[NOD415] a list of voters is followed, and a node that only votes needs no port for clients", async () => {
  using folder = new WorkFolder();
  const list = ["voters: [a, v1, v2]"];
  const a = await start(folder, "a", { cluster: list });
  const b = await start(folder, "b", { cluster: list, seeds: [a] });
  const tiny = ["node.roles: voter"];
  const v1 = await start(folder, "v1", { cluster: list, seeds: [a], more: tiny });
  const v2 = await start(folder, "v2", { cluster: list, seeds: [b], more: tiny });
  await using _all = { [Symbol.asyncDispose]: () => end([a, b, v1, v2], "SIGKILL") };
  await voting([a, b, v1, v2], 3);
  assert.deepEqual(await members(b), ["a", "v1", "v2"]);
  await end([a], "SIGKILL");
  await b.node("a", ({ state }) => state === "dead");
  assert.equal((await b.nodes()).stale, false);
});

for (const kind of ["nats", "redis"] as const) {
  test(`[NOD416] with ${kind} as the engine nodes find each other, have their rows there, and miss the dead`, async () => {
    using folder = new WorkFolder();
    await using server = await EngineServer.start(kind);
    const more = [`engine.kind: ${kind}`, `engine.url: ${server.url}`];
    const a = await start(folder, "a", { more });
    const b = await start(folder, "b", { more, seeds: [a] });
    const c = await start(folder, "c", { more, seeds: [b] });
    await using _all = { [Symbol.asyncDispose]: () => end([a, b, c], "SIGKILL") };
    await allLinked([a, b, c]);
    for (const one of [a, b, c])
      await one.node(one.id, ({ engine, state }) => engine === "client" && state === "ready");
    await end([c], "SIGKILL");
    for (const one of [a, b]) await one.node("c", ({ state }) => state === "dead");
    assert.throws(() => cluster(a, "remove", "c"), /has no members that could be changed/);
    await using again = await start(folder, "c", { more, seeds: [a] });
    await allLinked([a, b, again]);
  });
}
