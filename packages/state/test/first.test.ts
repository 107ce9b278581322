/** Objects on simulated nodes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setWish } from "@sluice/state/wishes";
import { TestClient } from "./sim-clients.ts";
import { SimCluster } from "./sim-cluster.ts";

test("a change at one node is seen at another", async () => {
  const cluster = new SimCluster({ nodes: 3, seed: 1 });
  await cluster.run(50);
  const a = new TestClient(cluster.node("n0"), "ball");
  const b = new TestClient(cluster.node("n1"), "ball");
  await cluster.run(100);
  console.log(a.connectOutcome, b.connectOutcome, a.story, b.story);
  a.write(setWish("x", 1));
  b.write(setWish("y", 2));
  await cluster.run(100);
  console.log(a.outcomes, b.outcomes, a.story, b.story, a.values, b.values, cluster.homeNode("ball"), cluster.home("ball")?.standby);
  cluster.kill("n0");
  b.write(setWish("y", 3));
  await cluster.run(8000);
  console.log(b.outcomes, b.story, b.values, cluster.homeNode("ball"), cluster.home("ball")?.standby);
});
