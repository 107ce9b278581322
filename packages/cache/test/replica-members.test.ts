/** Members that come, are promoted, take over and go, while writes go on. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Millis } from "@sluice/base/brand";
import type { MemberId } from "@sluice/cache/ids";
import type { MemberChange } from "@sluice/cache/replica/members";
import { Sim, type SimMember } from "./replica-sim.ts";

const SMALL_LOG = { snapshotAfterRecords: 50, keptBytes: 500, snapshotMessageBytes: 200, appendRecords: 8 };

function change(sim: Sim, type: MemberChange["type"], id: string): unknown {
  const leader = sim.leader as SimMember;
  const result = leader.replica?.changeMembers(
    { type, id: id as MemberId, address: id } as MemberChange,
    sim.now as Millis,
    sim.now as Millis,
  );
  sim.drain(leader);
  return result;
}

function changeUntilDone(sim: Sim, type: MemberChange["type"], id: string): void {
  const done = sim.memberChangesDone;
  sim.runUntil(() => {
    const isBusy = sim.leader === undefined || !("token" in (change(sim, type, id) as object));
    return !isBusy;
  });
  sim.runUntil(() => sim.memberChangesDone > done);
}

function writing(sim: Sim, millis: number): void {
  sim.run(millis, () => {
    if (sim.leader !== undefined && sim.random() < 0.3) sim.propose(sim.leader);
  });
}

test("[REP20] one member grows to three and to five while it is written to, and loses nothing", () => {
  const sim = new Sim({ seed: 1, members: ["a"], limits: SMALL_LOG });
  writing(sim, 1_000);
  for (const id of ["b", "c", "d", "e"]) {
    sim.join(id);
    changeUntilDone(sim, "add", id);
    writing(sim, 500);
    assert.equal(sim.get(id).role, "learner");
    changeUntilDone(sim, "promote", id);
    writing(sim, 200);
    assert.equal(sim.get(id).role, "follower");
  }
  sim.crash(sim.get("a"), "power");
  sim.crash(sim.get("b"), "power");
  sim.runUntil(() => sim.leader !== undefined);
  writing(sim, 2_000);
  assert.ok(sim.acked.length > 500);
  sim.settle();
});

test("[REP41] a member alone keeps no applied records in memory; its disk does, and who joins gets a snapshot", () => {
  const sim = new Sim({ seed: 1, members: ["a"], limits: SMALL_LOG, countsWhen: "stored" });
  writing(sim, 1_000);
  const alone = sim.get("a");
  const before = sim.status(alone);
  assert.equal(before.logBytes, 0);
  assert.ok(before.snapshotIndex > 100, "snapshots go on");
  assert.ok(alone.disk.written.log.length > 0 && alone.disk.written.log.length < 150);
  sim.crash(alone, "kill");
  sim.restart(alone, "kill");
  sim.runUntil(() => sim.leader !== undefined);
  sim.run(50);
  assert.ok(sim.status(alone).commit > before.commit, "a restart has all that was committed");
  sim.join("b");
  changeUntilDone(sim, "add", "b");
  writing(sim, 500);
  sim.run(100);
  assert.equal(sim.status(sim.get("b")).commit, sim.status(alone).commit);
  assert.ok(sim.status(alone).logBytes > 0, "now somebody may ask for them");
  sim.settle();
});

test("[REP42] a list counts as soon as it is in the log, and is told as committed once a majority has it", () => {
  const sim = new Sim({ seed: 1, members: ["a"] });
  sim.runUntil(() => sim.leader !== undefined);
  for (const id of ["b", "c"]) sim.join(id);
  changeUntilDone(sim, "add", "b");
  changeUntilDone(sim, "add", "c");
  changeUntilDone(sim, "promote", "b");
  sim.run(1_000);
  const [a, b, c] = [sim.get("a"), sim.get("b"), sim.get("c")];
  const told = (member: SimMember): unknown => {
    const { members, isMemberListCommitted } = sim.status(member);
    return [members.filter(({ role }) => role === "voter").length, isMemberListCommitted];
  };
  assert.deepEqual([a, b, c].map(told), [
    [2, true],
    [2, true],
    [2, true],
  ]);
  for (const other of ["b", "c"]) sim.cut("a", other);
  change(sim, "promote", "c");
  sim.run(50);
  assert.deepEqual([a, b, c].map(told), [
    [3, false],
    [2, true],
    [2, true],
  ]);
  sim.crash(a, "kill");
  sim.run(10_000);
  assert.equal(sim.leader, undefined, "b alone is no majority of a and b");
});

test("[REP21] a learner has the whole log and no vote", () => {
  const sim = new Sim({ seed: 2, members: ["a", "b", "c"] });
  sim.runUntil(() => sim.leader !== undefined);
  sim.run(200);
  sim.join("l");
  changeUntilDone(sim, "add", "l");
  writing(sim, 300);
  sim.settle();
  assert.ok(sim.get("l").state.applied.length > 50);
  const others = ["a", "b", "c"].filter((id) => id !== sim.leader?.id);
  for (const id of others) sim.crash(sim.get(id), "kill");
  const before = sim.acked.length;
  writing(sim, 5_000);
  assert.equal(sim.acked.length, before, "a leader with one learner is no majority of three");
  assert.equal(sim.get("l").role, "learner");
});

test("[REP22] one change at a time, and only of what can be changed", () => {
  const sim = new Sim({ seed: 3, members: ["a", "b", "c"] });
  sim.runUntil(() => sim.leader !== undefined);
  sim.run(200);
  const { id: leader } = sim.leader as SimMember;
  assert.deepEqual(change(sim, "remove", leader), {
    refused: "not-possible",
    reason: "the leader cannot remove itself: switch over first",
  });
  assert.deepEqual(change(sim, "promote", "x"), { refused: "not-possible", reason: "no such learner" });
  assert.ok("token" in (change(sim, "add", "x") as object));
  assert.deepEqual(change(sim, "add", "y"), { refused: "busy" });
  sim.run(200);
  assert.equal((change(sim, "promote", "x") as { refused: string }).refused, "not-caught-up");
});

test("[REP23] a removed member learns that it is none, and campaigns no more", () => {
  const sim = new Sim({ seed: 4, members: ["a", "b", "c", "d"] });
  sim.runUntil(() => sim.leader !== undefined);
  sim.run(200);
  const gone = [...sim.members.values()].find((member) => member !== sim.leader) as SimMember;
  const { term } = sim.status(gone);
  changeUntilDone(sim, "remove", gone.id);
  sim.run(4_000);
  assert.equal(gone.role, "removed");
  assert.equal(sim.status(sim.leader as SimMember).term, term);
  writing(sim, 300);
  sim.settle();
});

test("[REP23] also one that was away, and knows the leader only as a learner", () => {
  const sim = new Sim({ seed: 5, members: ["a", "b", "c"], countsWhen: "stored" });
  sim.runUntil(() => sim.leader !== undefined);
  const gone = [...sim.members.values()].find((member) => member !== sim.leader) as SimMember;
  sim.join("d");
  changeUntilDone(sim, "add", "d");
  sim.settle();
  sim.crash(gone, "kill");
  changeUntilDone(sim, "remove", gone.id);
  changeUntilDone(sim, "promote", "d");
  sim.run(200);
  const { leader } = sim;
  assert.equal(leader?.replica?.switchOver("d" as MemberId, sim.now as Millis), "started");
  sim.drain(leader as SimMember);
  sim.runUntil(() => sim.leader?.id === "d");
  sim.run(500);
  sim.restart(gone, "kill");
  assert.ok(sim.status(gone).members.some(({ id, role }) => id === "d" && role === "learner"));
  sim.runUntil(() => gone.role === "removed", 3_000);
  writing(sim, 300);
  sim.settle();
});

test("[REP24] a switch-over moves the lead within a moment, and loses and doubles nothing", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const sim = new Sim({ seed, members: ["a", "b", "c"] });
    sim.runUntil(() => sim.leader !== undefined);
    writing(sim, 300);
    const leader = sim.leader as SimMember;
    const to = [...sim.members.values()].find((member) => member !== leader) as SimMember;
    assert.equal(leader.replica?.switchOver(to.id, sim.now as Millis), "started");
    sim.drain(leader);
    const refused = leader.replica?.propose(
      new Uint8Array(1),
      { ackLevel: { type: "quorum" } },
      sim.now as Millis,
      0 as Millis,
    );
    assert.deepEqual(refused, { refused: "switching-over", leader: to.id });
    const start = sim.now;
    sim.runUntil(() => sim.leader === to && sim.propose(to) !== undefined);
    assert.ok(sim.now - start < 100, `took ${sim.now - start} ms`);
    writing(sim, 300);
    sim.settle();
    assert.deepEqual(sim.failedSwitchOvers, []);
  }
});

test("[REP25] a switch-over to one who does not answer is given up, and writes go on", () => {
  const sim = new Sim({ seed: 5, members: ["a", "b", "c"] });
  sim.runUntil(() => sim.leader !== undefined);
  sim.run(200);
  const leader = sim.leader as SimMember;
  const to = [...sim.members.values()].find((member) => member !== leader) as SimMember;
  sim.crash(to, "kill");
  sim.propose(leader);
  leader.replica?.switchOver(to.id, sim.now as Millis);
  sim.drain(leader);
  sim.runUntil(() => sim.failedSwitchOvers.length > 0);
  assert.equal(sim.leader, leader);
  sim.propose(leader);
  sim.run(50);
  assert.equal(sim.acked.length, 2);
});
