/** Shared objects of three nodes, as processes: homes are frozen and killed, clients of other nodes stay; then all are killed. */
import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { test } from "node:test";
import { pauseChild, resumeChild } from "@sluice/testkit/process-faults";
import { until } from "@sluice/testkit/until";
import { WorkFolder } from "./support/clip.ts";
import { allLinked, type ClusterServer, voting } from "./support/cluster-server.ts";
import { end, start, three } from "./support/engine-cluster.ts";
import { OwnObjectClient } from "./support/object-clients.ts";
import { homeOf, moveTo, Writer } from "./support/object-homes.ts";

/** Beyond every lease, and until others take the node for dead, in milliseconds. */
const FREEZE = 8_000;

test("[OBJ122, OBJ124] a frozen home is followed, a killed one too, and what is persistent survives the death of all", async () => {
  using folder = new WorkFolder();
  const servers = await three(folder);
  const ports = servers.map((server) => server.port("cluster"));
  const [a, b, c] = servers;
  await using _all = { [Symbol.asyncDispose]: () => end(servers, "SIGKILL") };
  await voting(servers, 3);
  await using atA = await OwnObjectClient.open(a);
  await using atB = await OwnObjectClient.open(b);
  await using atC = await OwnObjectClient.open(c);
  const writer = new Writer(atB);
  await writer.writes();
  await moveTo("c", a);
  await writer.writes();
  await pauseChild(c.child);
  atC.set("stale", 1); // waits in the socket of the frozen node
  await writer.writes();
  atA.set("stale", 2);
  await until("the write at a", () => atA.acknowledged("stale").includes(2));
  assert.notEqual(await homeOf(a), "c");
  await pause(FREEZE);
  for (let i = 0; i < 3; i++) await writer.writes();
  await resumeChild(c.child);
  await allLinked(servers);
  await writer.writes();
  await until("the node that was frozen to follow", () => atC.copy["n"] === atB.copy["n"]);
  await until("an answer to what it was asked", () => [...atC.acknowledged("stale"), ...atC.codes].length > 0);
  await until(
    "all to be equal",
    () => new Set([atA, atB, atC].map(({ copy }) => JSON.stringify(copy["stale"]))).size === 1,
  );
  if (atC.acknowledged("stale").length > 0) assert.equal(atA.copy["stale"], 1, "what is acknowledged is there for all");
  else assert.equal(atA.copy["stale"], 2);

  await moveTo("a", b);
  await writer.writes();
  const last = writer.acknowledged.at(-1);
  a.child.kill("SIGKILL");
  await a.child.exited;
  assert.equal(atC.copy["n"], last);
  await writer.writes();
  assert.ok(
    [atB, atC].every(({ peer }) => !peer.isClosed),
    "nobody else lost a connection",
  );
  await atC.has({ n: writer.acknowledged.at(-1) as number, stale: atB.copy["stale"] as number });

  const kept = { name: "scores", isPersistent: true };
  await using scores = await OwnObjectClient.open(b, kept);
  scores.set("best", 12);
  await until("the acknowledgement", () => scores.acknowledged("best").length > 0);
  await end([b, c], "SIGKILL");
  const seeds = `seeds: [${ports.map((port) => `127.0.0.1:${port}`).join(", ")}]`;
  const again: ClusterServer[] = [];
  await using _again = { [Symbol.asyncDispose]: () => end(again, "SIGKILL") };
  const starting = ["a", "b", "c"].map(async (id, at) => {
    again.push(await start(folder, id, { port: ports[at] ?? 0, cluster: [seeds] }));
  });
  for (const { status } of await Promise.allSettled(starting)) assert.equal(status, "fulfilled");
  for (const server of again) {
    await using client = await OwnObjectClient.open(server, kept);
    await client.has({ best: 12 });
  }
});
