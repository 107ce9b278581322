/** Shared objects of several nodes, as processes: the ball that is dragged on one of them moves on all. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "@sluice/testkit/until";
import { WorkFolder } from "./support/clip.ts";
import { allLinked, ClusterServer } from "./support/cluster-server.ts";
import { EngineServer } from "./support/engine-servers.ts";
import { end } from "./support/engine-cluster.ts";
import { NpmObjectClient, OwnObjectClient } from "./support/object-clients.ts";

test("[OBJ120] as in 2007: a node that comes later joins, and the ball moves from each to the other, for late ones too", async () => {
  using folder = new WorkFolder();
  await using one = await ClusterServer.start(folder, { id: "one", cluster: ["port: 0"] });
  await using own1 = await OwnObjectClient.open(one);
  await using npm1 = await NpmObjectClient.open(one);
  own1.set("x", 1);
  await npm1.has({ x: 1 });
  await using two = await ClusterServer.start(folder, { id: "two", cluster: ["port: 0", `seeds: ${one.address}`] });
  await using own2 = await OwnObjectClient.open(two);
  await using npm2 = await NpmObjectClient.open(two);
  const all = [own1, npm1, own2, npm2];
  for (const client of all) await client.has({ x: 1 });
  let at = 1;
  for (const mover of all) {
    mover.set("x", ++at);
    mover.set("y", at * 10);
    for (const client of all) await client.has({ x: at, y: at * 10 });
  }
  await using late = await OwnObjectClient.open(two);
  await late.has({ x: at, y: at * 10 });
  const duel = 200;
  for (let i = 1; i <= duel; i++) {
    npm1.set("x", -i);
    own2.set("x", i);
  }
  npm1.set("left", duel);
  own2.set("right", duel);
  const everyone = [...all, late];
  for (const client of everyone)
    await until("both to have ended", () => client.copy["left"] === duel && client.copy["right"] === duel);
  const ends = everyone.map(({ copy }) => copy["x"]);
  assert.ok(ends[0] === duel || ends[0] === -duel, `${String(ends[0])} is the last position of one of the two`);
  assert.equal(new Set(ends).size, 1, ends.join());
});

for (const kind of ["nats", "redis"] as const) {
  test(`[OBJ121] with ${kind} as the engine the ball moves both ways, and what is persistent survives both nodes`, async () => {
    using folder = new WorkFolder();
    await using engine = await EngineServer.start(kind);
    const more = [`engine.kind: ${kind}`, `engine.url: ${engine.url}`];
    const start = async (): Promise<readonly [ClusterServer, ClusterServer]> => {
      const one = await ClusterServer.start(folder, { id: "one", cluster: ["port: 0"], more });
      const cluster = ["port: 0", `seeds: ${one.address}`];
      const two = await ClusterServer.start(folder, { id: "two", cluster, more });
      await allLinked([one, two]);
      return [one, two];
    };
    const kept = { isPersistent: true };
    const first = await start();
    {
      await using _all = { [Symbol.asyncDispose]: () => end(first, "SIGKILL") };
      await using left = await OwnObjectClient.open(first[0], kept);
      await using right = await OwnObjectClient.open(first[1], kept);
      left.set("x", 1);
      await right.has({ x: 1 });
      right.set("y", 2);
      await left.has({ x: 1, y: 2 });
      await until("an acknowledgement", () => right.acknowledged("y").includes(2));
    }
    const second = await start();
    await using _all = { [Symbol.asyncDispose]: () => end(second, "SIGKILL") };
    await using again = await OwnObjectClient.open(second[1], kept);
    await again.has({ x: 1, y: 2 });
  });
}
