/** How long ago somebody was last known to lead, as each replica tells it: what Sentinel's answers stand on. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Millis } from "@sluice/base/brand";
import { Sim, type SimMember } from "./replica-sim.ts";

/** Heartbeat, way and answer. */
const FRESH = 250;
const ELECTION_MIN = 500;

function elected(seed: number, members: readonly string[]): { sim: Sim; leader: SimMember; followers: SimMember[] } {
  const sim = new Sim({ seed, members });
  sim.runUntil(() => sim.leader !== undefined);
  sim.run(ELECTION_MIN);
  const leader = sim.leader as SimMember;
  return { sim, leader, followers: [...sim.members.values()].filter((member) => member !== leader) };
}

test("[REP170] while all goes well everybody has had proof of a leader a moment ago", () => {
  const { sim, leader } = elected(1, ["a", "b", "c"]);
  for (let i = 0; i < 40; i++) {
    sim.run(25);
    for (const member of sim.members.values()) assert.ok(sim.status(member).unledFor <= FRESH, member.id);
  }
  assert.ok((sim.status(leader).leadingFor ?? 0) >= 1_000);
  const alone = elected(2, ["a"]);
  alone.sim.run(5_000);
  assert.equal(alone.sim.status(alone.leader).unledFor, 0);
});

test("[REP170] a leader that is cut off loses its proof, and has none either once it has stepped down", () => {
  for (let seed = 1; seed <= 10; seed++) {
    const { sim, leader, followers } = elected(seed, ["a", "b", "c", "d", "e"]);
    const [companion, ...others] = followers as [SimMember, SimMember, SimMember, SimMember];
    for (const inside of [leader, companion]) for (const { id } of others) sim.cut(inside.id, id);
    sim.run(ELECTION_MIN + FRESH);
    assert.equal(leader.role, "leader");
    assert.ok(sim.status(leader).unledFor > ELECTION_MIN);
    sim.runUntil(() => leader.role !== "leader");
    assert.ok(sim.status(leader).unledFor > ELECTION_MIN);
    sim.run(3_000);
    for (const inside of [leader, companion]) assert.ok(sim.status(inside).unledFor > 2_000, inside.id);
    for (const outside of others) assert.ok(sim.status(outside).unledFor <= FRESH, outside.id);
    sim.heal();
    sim.settle();
  }
});

test("[REP170] a leader that stood still has no proof in the moment in which it goes on", () => {
  for (let seed = 1; seed <= 10; seed++) {
    const { sim, leader } = elected(seed, ["a", "b", "c"]);
    sim.pause(leader, 2_000);
    sim.run(1_990);
    const { role, unledFor } = sim.status(leader);
    assert.equal(role, "leader");
    assert.ok(unledFor > 1_500, `${unledFor}`);
    sim.run(1_000);
    assert.ok(sim.status(leader).unledFor <= FRESH);
  }
});

test("[REP171] a hand-over is told from its beginning, and leaves nobody without proof", () => {
  for (let seed = 1; seed <= 10; seed++) {
    const { sim, leader, followers } = elected(seed, ["a", "b", "c"]);
    const [heir] = followers as [SimMember];
    assert.equal(sim.status(leader).isHandingOver, false);
    leader.replica?.switchOver(heir.id, sim.now as Millis);
    assert.equal(sim.status(leader).isHandingOver, true);
    sim.runUntil(() => {
      for (const member of sim.members.values()) assert.ok(sim.status(member).unledFor <= FRESH, member.id);
      return heir.role === "leader";
    });
    sim.run(FRESH);
    assert.equal(sim.status(leader).isHandingOver, false);
    assert.equal(sim.status(leader).leader, heir.id);
  }
});
