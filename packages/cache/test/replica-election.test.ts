/** Elections: one leader a term, no disturbance by those who were away, no vote that a lease forbids. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Sim } from "./replica-sim.ts";

test("[REP1] three members elect one leader and answer", () => {
  const sim = new Sim({ seed: 1, members: ["a", "b", "c"] });
  sim.runUntil(() => sim.leader !== undefined, 2_000);
  const { leader } = sim;
  assert.ok(leader);
  sim.run(50);
  sim.propose(leader);
  sim.run(50);
  assert.deepEqual(sim.acked, ["op1"]);
  sim.settle();
});

test("a single member leads and answers at once", () => {
  const sim = new Sim({ seed: 1, members: ["a"], diskDelay: [1, 1] });
  sim.run(10);
  assert.equal(sim.get("a").role, "leader");
  sim.propose(sim.get("a"));
  assert.deepEqual(sim.acked, ["op1"]);
});
