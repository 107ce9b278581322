/** Elections: one leader a term, no disturbance by those who were away, no vote that a lease forbids. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Millis } from "@sluice/base/brand";
import type { LogIndex, Term } from "@sluice/cache/ids";
import type { VoteRequest } from "@sluice/cache/replica/member-message";
import { Sim, type SimMember } from "./replica-sim.ts";

const THREE = ["a", "b", "c"];

function elected(seed: number, members = THREE): { sim: Sim; leader: SimMember; followers: SimMember[] } {
  const sim = new Sim({ seed, members });
  sim.runUntil(() => sim.leader !== undefined, 5_000);
  sim.run(300);
  const leader = sim.leader as SimMember;
  return { sim, leader, followers: [...sim.members.values()].filter((member) => member !== leader) };
}

test("[REP1] three members elect one leader, and all of them know it", () => {
  const { sim, leader } = elected(1);
  for (const member of sim.members.values()) assert.equal(sim.status(member).leader, leader.id);
  sim.propose(leader);
  sim.run(50);
  assert.deepEqual(sim.acked, ["op1"]);
  sim.settle();
});

test("[REP2] a single member leads and answers at once", () => {
  const sim = new Sim({ seed: 1, members: ["a"], diskDelay: [1, 1] });
  sim.run(10);
  assert.equal(sim.get("a").role, "leader");
  sim.propose(sim.get("a"));
  assert.deepEqual(sim.acked, ["op1"]);
});

test("[REP3] a follower that stood still for 2 s disturbs nobody", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const { sim, leader, followers } = elected(seed);
    const { term } = sim.status(leader);
    const elections = () => followers.reduce((sum, follower) => sum + sim.status(follower).elections, 0);
    const before = elections();
    sim.pause(followers[0] as SimMember, 2_000);
    sim.run(4_000, () => sim.random() < 0.05 && sim.propose(leader));
    for (const member of sim.members.values()) assert.equal(sim.status(member).term, term);
    assert.equal(sim.leader, leader);
    assert.deepEqual(sim.unknown, []);
    assert.equal(elections(), before);
  }
});

test("[REP3] a follower that was cut off comes back without raising the term", () => {
  const { sim, leader, followers } = elected(3);
  const { term } = sim.status(leader);
  for (const { id } of sim.members.values()) if (id !== followers[0]?.id) sim.cut(id, followers[0]?.id as string);
  sim.run(10_000);
  sim.heal();
  sim.run(2_000);
  assert.equal(sim.status(leader).term, term);
  assert.equal(sim.leader, leader);
});

test("[REP4] a leader that is cut off answers nothing, steps down, and reports its proposals as unknown", () => {
  const { sim, leader } = elected(4);
  for (const { id } of sim.members.values()) if (id !== leader.id) sim.cut(id, leader.id);
  sim.propose(leader);
  sim.run(450);
  assert.equal(sim.status(leader).isLeaseValid, false);
  sim.read(leader);
  sim.run(1_200);
  assert.equal(leader.role, "follower");
  assert.deepEqual(sim.acked, []);
  assert.deepEqual(sim.unknown, ["op1"]);
  assert.equal(sim.readsGranted, 0);
  assert.notEqual(sim.leader, leader);
  sim.settle();
});

test("[REP4] a leader that stood still until another was elected answers nothing of what it had open", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const { sim, leader } = elected(seed);
    sim.propose(leader);
    sim.pause(leader, 2_500);
    sim.run(5_000);
    assert.notEqual(sim.leader, leader);
    assert.deepEqual([...sim.acked, ...sim.unknown], ["op1"]);
    sim.settle();
  }
});

test("[REP44] a machine that stands still with all its members on it changes no leader", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const { sim, leader } = elected(seed);
    const { term } = sim.status(leader);
    sim.propose(leader);
    for (const member of sim.members.values()) sim.pause(member, 1_300 + seed * 50);
    sim.run(5_000);
    assert.equal(sim.leader, leader);
    assert.equal(sim.status(leader).term, term);
    assert.deepEqual([sim.acked, sim.unknown], [["op1"], []]);
  }
});

test("[REP8] who has heard a leader within the election time, or has just started, gives no vote", () => {
  const { sim, followers } = elected(5);
  const [voter, other] = followers as [SimMember, SimMember];
  const { term } = sim.status(voter);
  const request: VoteRequest = {
    type: "vote-request",
    term: (term + 1) as Term,
    stage: "vote",
    lastIndex: 99 as LogIndex,
    lastTerm: (term + 1) as Term,
    isTakeOver: false,
  };
  voter.replica?.receive(other.id, request, sim.now as Millis);
  const reply = voter.replica?.nextOutput();
  assert.ok(reply?.type === "send" && reply.message.type === "vote-reply");
  assert.equal(reply.message.isGranted, false);
  assert.equal(sim.status(voter).term, term, "its term did not rise either");
  sim.crash(voter, "kill");
  sim.restart(voter, "kill");
  voter.replica?.receive(other.id, request, sim.now as Millis);
  assert.equal(sim.status(voter).term, term);
});

test("[REP354] who knows of no members, since it never followed anybody or lost its disk, gives nobody its vote", () => {
  const { sim, leader } = elected(9);
  sim.join("d");
  sim.run(5_000);
  const { lastIndex, term } = sim.status(leader);
  const place = { lastIndex, lastTerm: term, term: (term + 1) as Term };
  const newcomer = sim.get("d");
  const asked: VoteRequest = { type: "vote-request", stage: "ask", ...place, isTakeOver: false };
  newcomer.replica?.receive(leader.id, asked, sim.now as Millis);
  const reply = newcomer.replica?.nextOutput();
  assert.ok(reply?.type === "send" && reply.message.type === "vote-reply");
  assert.equal(reply.message.isGranted, false);
});

test("[REP9] a new leader answers within 1.5 s of the end of the old one", () => {
  const gaps: number[] = [];
  for (let seed = 1; seed <= 60; seed++) {
    const { sim, leader } = elected(seed);
    sim.crash(leader, "kill");
    const start = sim.now;
    sim.runUntil(() => {
      if (sim.leader !== undefined) sim.propose(sim.leader);
      return sim.acked.length > 0;
    });
    gaps.push(sim.now - start);
  }
  gaps.sort((a, b) => a - b);
  assert.ok((gaps.at(-1) as number) < 1_500, `longest gap ${gaps.at(-1)} ms`);
});

test("[REP10] a vote is on disk before anybody hears of it", () => {
  const sim = new Sim({ seed: 6, members: THREE, diskDelay: [200, 200] });
  sim.runUntil(() => sim.leader !== undefined, 10_000);
  const votes = [...sim.members.values()].filter((member) => member.disk.synced.hardState?.votedFor === sim.leader?.id);
  assert.ok(votes.length >= 2, "a majority of votes was synced when the first leader stood");
});
