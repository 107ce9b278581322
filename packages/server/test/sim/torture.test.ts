/** Whole clusters in simulation, fifty seeds of trouble, and that what is judged would be found. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { AdminEvent } from "@sluice/client/admin-contract";
import { everySeed } from "@sluice/testkit/seeds";
import { MembershipJudge } from "./membership-judge.ts";
import { SimWorld } from "./sim-world.ts";
import { Torture } from "./torture.ts";

const FILE = "packages/server/test/sim/torture.test.ts";
/** Of virtual time: one to three rounds of trouble after the cluster has grown. */
const MINUTES = 0.3;

/** In small tests, each with a time limit that a busy machine keeps. */
for (let first = 1; first <= 50; first += 5) {
  everySeed(
    `[CLU421, CLU422, NOD420, NOD421] a whole cluster keeps its promises through random trouble, from seed ${first}`,
    { count: 5, first, file: FILE },
    async (seed) => {
      const result = await new Torture({ seed, minutes: MINUTES, nodes: seed % 10 === 0 ? 5 : 3 }).run();
      assert.ok(result.rounds > 0 && result.counts.acknowledged > 0 && result.counts.queries > 0);
    },
  );
}

test("[CLU421] one seed does the same twice", async () => {
  const run = () => new Torture({ seed: 3, minutes: MINUTES, nodes: 4 }).run();
  assert.deepEqual(await run(), await run());
});

const AT = "2026-01-01T00:00:00.000Z";

test("[NOD420] what nodes are told is judged: twice, too early, of those who live", () => {
  const of = { at: AT, id: "b" };
  const event = (type: "joined" | "suspect" | "back" | "dead", incarnation = 1): AdminEvent => ({
    ...of,
    type: `node-${type}`,
    incarnation,
  });
  const goodbye: AdminEvent = { ...of, type: "node-left", incarnation: 1, reason: "goodbye" };
  const wrong: readonly (readonly AdminEvent[])[] = [
    [event("joined"), event("joined")],
    [event("joined", 2), event("dead", 2)],
    [event("joined"), event("back")],
    [event("suspect")],
    [event("joined"), goodbye],
    [event("joined"), event("suspect"), event("dead"), event("joined", 0)],
  ];
  for (const events of wrong) {
    const world = new SimWorld({ seed: 1 });
    const judge = new MembershipJudge(world);
    for (const id of ["a", "b"]) world.place({ id, roles: "origin", seeds: [], isDialOnly: false, rejoin: "ask" });
    const observer = world.start("a");
    for (const told of events.slice(0, -1)) judge.told(observer, told);
    assert.doesNotThrow(() => world.check());
    judge.told(observer, events.at(-1) as AdminEvent);
    assert.throws(() => world.check(), /is told node-/, JSON.stringify(events));
  }
});
