/** The log: answers by level, tails that differ, limits, snapshots, restarts and damage. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Millis } from "@sluice/base/brand";
import type { LogIndex, MemberId, Term } from "@sluice/cache/ids";
import { DiskProgress } from "@sluice/cache/replica/disk-progress";
import { StoredLogError } from "@sluice/cache/replica/errors";
import type { LogRecord } from "@sluice/cache/replica/log-record";
import { NOTHING_STORED } from "@sluice/cache/replica/replica-options";
import type { Incarnation } from "@sluice/cache/replica/member-message";
import { Replica } from "@sluice/cache/replica/replica";
import { ListState } from "./replica-sim-parts.ts";
import { FSYNC, QUORUM, Sim, type SimMember, type SimOptions } from "./replica-sim.ts";

function elected(options: Partial<SimOptions> = {}): { sim: Sim; leader: SimMember; followers: SimMember[] } {
  const sim = new Sim({ seed: 1, members: ["a", "b", "c"], ...options });
  sim.runUntil(() => sim.leader !== undefined);
  sim.run(500);
  const leader = sim.leader as SimMember;
  return { sim, leader, followers: [...sim.members.values()].filter((member) => member !== leader) };
}

test("[REP11] quorum answers before the disk, quorum+fsync after a majority has synced", () => {
  const { sim, leader } = elected({ delay: [1, 1], diskDelay: [40, 40] });
  sim.run(200);
  sim.propose(leader, QUORUM);
  sim.run(10);
  assert.deepEqual(sim.acked, ["op1"]);
  sim.propose(leader, FSYNC);
  sim.run(30);
  assert.deepEqual(sim.acked, ["op1"]);
  sim.propose(leader, QUORUM);
  sim.run(5);
  assert.deepEqual(sim.acked, ["op1", "op3"], "others do not wait for it");
  sim.run(60);
  assert.deepEqual(sim.acked, ["op1", "op3", "op2"]);
  assert.equal(
    [...sim.members.values()].filter((m) => m.disk.synced.log.some((r) => r.type === "operation")).length,
    3,
  );
});

test("[REP43] records that take seconds to arrive cost no election, and are answered", () => {
  const { sim, leader } = elected();
  const { term } = sim.status(leader);
  sim.options.logDelay = [3_000, 3_000];
  for (let i = 0; i < 20; i++) {
    sim.propose(leader);
    sim.run(250);
  }
  sim.runUntil(() => sim.acked.length === 20);
  assert.equal(sim.leader, leader);
  assert.equal(sim.status(leader).term, term);
});

test("[REP12] replicas:N answers when N others hold it", () => {
  const { sim, leader, followers } = elected();
  sim.cut(leader.id, followers[0]?.id as string);
  sim.propose(leader, { type: "replicas", count: 1 });
  sim.propose(leader, { type: "replicas", count: 2 });
  sim.run(300);
  assert.deepEqual(sim.acked, ["op1"]);
  sim.heal();
  sim.run(300);
  assert.deepEqual(sim.acked, ["op1", "op2"]);
});

test("[REP100] a turn applies no more than it may, and the next ones the rest", () => {
  const founders = [{ id: "a" as MemberId, role: "voter", address: "a" }] as const;
  const state = new ListState(() => {});
  const replica = new Replica({
    self: "a" as MemberId,
    founders,
    stored: NOTHING_STORED,
    state,
    random: () => 0.5,
    incarnation: 1 as Incarnation,
    countsWhen: "received",
    now: 0 as Millis,
    limits: { appliedWork: 3 },
  });
  let now = 0 as Millis;
  const answered: string[] = [];
  const turn = (): void => {
    for (let output = replica.nextOutput(); output !== undefined; output = replica.nextOutput()) {
      if (output.type === "store") replica.stored(output.token, now);
      if (output.type === "answers")
        answered.push(...output.answers.map((one) => (one.outcome === "done" ? one.answer : one.outcome)));
    }
  };
  while (replica.status(now).role !== "leader") {
    now = Math.max(now + 1, replica.deadline()) as Millis;
    replica.tick(now);
    turn();
  }
  turn();
  turn();
  for (let i = 0; i < 10; i++) replica.propose(Buffer.from(`op${i}`), { ackLevel: { type: "quorum" } }, now, now);
  const steps: number[] = [];
  for (let before = 0; before < 10; before = state.applied.length) {
    assert.ok(before === 0 || replica.deadline() <= now, "it asks to be called again");
    replica.tick(now);
    turn();
    steps.push(state.applied.length - before);
  }
  assert.deepEqual(steps, [3, 3, 3, 1]);
  assert.equal(answered.length, 10);
  assert.ok(replica.deadline() > now);
});

test("[REP13] what a cut-off leader took alone is truncated and counted when it comes back", () => {
  const { sim, leader, followers } = elected();
  for (const { id } of followers) sim.cut(leader.id, id);
  for (let i = 0; i < 5; i++) sim.propose(leader);
  sim.runUntil(() => sim.leader !== undefined && sim.leader !== leader);
  sim.propose(sim.leader as SimMember);
  sim.run(300);
  sim.settle();
  sim.run(50);
  assert.equal(sim.status(leader).truncatedRecords, 5);
  assert.equal(sim.unknown.length, 5);
  assert.deepEqual(leader.disk.written.log.filter((record) => record.term === 1).length, 2, "gone from its disk, too");
});

test("[REP14] proposals beyond the limits are refused, and taken again later", () => {
  const { sim, leader, followers } = elected({ limits: { waitingProposals: 10, operationBytes: 100 } });
  for (const { id } of followers) sim.cut(leader.id, id);
  const now = () => sim.now as Millis;
  for (let i = 0; i < 10; i++) assert.ok(sim.propose(leader));
  const refused = leader.replica?.propose(new Uint8Array(1), { ackLevel: QUORUM }, now(), now());
  assert.deepEqual(refused, { refused: "overloaded" });
  const large = leader.replica?.propose(new Uint8Array(101), { ackLevel: QUORUM }, now(), now());
  assert.deepEqual(large, { refused: "too-large", limit: 100 });
  sim.heal();
  sim.run(300);
  assert.ok(sim.propose(leader));
  sim.settle();
});

test("[REP15] at most so many bytes are under way to a follower that does not confirm", () => {
  const limits = { appendRecords: 2, inFlightMessages: 3 };
  const { sim, leader, followers } = elected({ limits });
  sim.run(10);
  sim.pause(followers[0] as SimMember, 1_000);
  for (let i = 0; i < 100; i++) {
    sim.propose(leader);
    sim.run(1);
  }
  const appends = (followers[0] as SimMember).inbox.filter(
    ({ message }) => message.type === "append" && message.records.length > 0,
  );
  assert.equal(appends.length, 3);
  sim.run(1_500);
  sim.settle();
});

test("[REP16] a follower too far behind gets a snapshot in parts while writes go on", () => {
  const limits = { snapshotAfterRecords: 50, keptBytes: 500, snapshotMessageBytes: 100, appendRecords: 8 };
  const { sim, leader, followers } = elected({ limits, delay: [5, 10] });
  const lagging = followers[0] as SimMember;
  sim.crash(lagging, "power");
  lagging.disk.written = { hardState: lagging.disk.written.hardState, snapshot: undefined, log: [] };
  for (let i = 0; i < 300; i++) {
    sim.propose(leader);
    sim.run(1);
  }
  sim.restart(lagging, "power");
  let isSeen = false;
  sim.run(2_000, () => {
    if (sim.now % 5 === 0) sim.propose(leader);
    isSeen ||= sim.status(leader).followers.some((follower) => follower.isGettingSnapshot);
  });
  assert.ok(isSeen);
  assert.equal(sim.leader, leader);
  sim.settle();
  assert.ok((lagging.disk.synced.snapshot?.meta.index ?? 0) > 200);
  assert.equal(sim.acked.length, 700);
});

test("[REP17] the log is cut behind saved snapshots, in memory and on disk", () => {
  const limits = { snapshotAfterRecords: 50, keptBytes: 500 };
  const { sim, leader } = elected({ limits });
  for (let i = 0; i < 1_000; i++) {
    sim.propose(leader);
    sim.run(1);
  }
  sim.settle();
  for (const member of sim.members.values()) {
    assert.ok(sim.status(member).logBytes < 20_000, `${sim.status(member).logBytes} bytes kept`);
    assert.ok(member.disk.written.log.length < 150);
  }
});

test("[REP18] a member that may have lost records votes only when it has caught up", () => {
  const { sim, leader, followers } = elected({ diskDelay: [100, 100] });
  const [first, second] = followers as [SimMember, SimMember];
  sim.run(300);
  sim.cut(leader.id, second.id);
  sim.propose(leader);
  sim.run(20);
  assert.deepEqual(sim.acked, ["op1"]);
  // the leader and `first` hold it: now `first` loses it together with its power, and the leader stands still
  sim.crash(first, "power");
  sim.restart(first, "power");
  sim.heal();
  sim.pause(leader, 5_000);
  sim.run(4_900);
  assert.equal(sim.status(first).isRecovering, true);
  assert.notEqual(first.role, "leader");
  assert.notEqual(second.role, "leader", "with the vote of `first` it would lead without op1");
  sim.run(2_000);
  sim.settle();
  assert.equal(sim.status(first).isRecovering, false);
});

test("[REP19] whole clusters come back with what their disks hold", () => {
  const { sim, leader } = elected({ countsWhen: "stored", limits: { snapshotAfterRecords: 50, keptBytes: 500 } });
  for (let i = 0; i < 200; i++) {
    sim.propose(leader);
    sim.run(2);
  }
  for (const member of sim.members.values()) sim.crash(member, "kill");
  for (const member of sim.members.values()) sim.restart(member, "kill");
  sim.runUntil(() => sim.leader !== undefined);
  sim.settle();
  assert.ok(sim.acked.length > 150);
});

test("[REP30] a stored log with a hole, or with terms that fall, is refused", () => {
  const record = (index: number, term: number): LogRecord => ({
    index: index as LogIndex,
    term: term as Term,
    time: 0 as Millis,
    type: "no-op",
    body: new Uint8Array(0),
  });
  for (const log of [[record(1, 1), record(3, 1)], [record(1, 2), record(2, 1)], [record(2, 1)]]) {
    const sim = new Sim({ seed: 1, members: ["a"] });
    const member = sim.get("a");
    sim.crash(member, "kill");
    member.disk.written = { hardState: undefined, snapshot: undefined, log };
    assert.throws(() => sim.restart(member, "kill"), { code: "WIRE_CACHE_STORED_LOG" });
  }
});

test("[REP31] a leader whose log contradicts what is committed is refused", () => {
  const { sim, leader, followers } = elected();
  sim.propose(leader);
  sim.run(500);
  const [follower] = followers as [SimMember];
  const { term, commit } = sim.status(follower);
  const foreign = { index: commit, term, time: 0 as Millis, type: "no-op", body: new Uint8Array(0) } as const;
  const append = { round: 1, sentAt: 0 as Millis, commit, lastIndex: commit, syncTo: 0 as LogIndex } as const;
  const records = [{ ...foreign, term: (term + 1) as Term }];
  const previous = { previousIndex: (commit - 1) as LogIndex, previousTerm: term };
  assert.throws(
    () =>
      follower.replica?.receive(
        leader.id,
        { type: "append", term: (term + 1) as Term, ...append, ...previous, records },
        sim.now as Millis,
      ),
    { code: "WIRE_CACHE_COMMITTED_LOG" },
  );
});

test("[REP32] a halted replica says what became of everything, and takes nothing more", () => {
  const { sim, leader } = elected();
  sim.propose(leader);
  leader.replica?.halt(sim.now as Millis);
  sim.drain(leader);
  assert.deepEqual(sim.unknown, ["op1"]);
  assert.equal(leader.role, "halted");
  assert.equal(sim.propose(leader), undefined);
  sim.runUntil(() => sim.leader !== undefined);
});

test("[REP33] reads are granted at once within the lease, else after a round to a majority", () => {
  const { sim, leader, followers } = elected();
  sim.read(leader);
  assert.equal(sim.readsGranted, 1);
  for (const { id } of followers) sim.cut(leader.id, id);
  sim.runUntil(() => !sim.status(leader).isLeaseValid);
  sim.read(leader);
  sim.run(10);
  assert.equal(sim.readsGranted, 1);
  sim.heal();
  sim.read(leader);
  sim.run(15);
  assert.equal(sim.readsGranted, 3);
  assert.equal(typeof followers[0]?.replica?.readBarrier(sim.now as Millis), "object");
});

test("[REP34] record times never go back, whichever clock the next leader has", () => {
  const { sim, leader } = elected();
  sim.propose(leader);
  sim.run(50);
  leader.replica?.propose(Buffer.from("early"), { ackLevel: QUORUM }, sim.now as Millis, 5 as Millis);
  sim.drain(leader);
  sim.settle();
  const times = leader.disk.written.log.map((record) => record.time);
  assert.deepEqual(
    times,
    times.toSorted((a, b) => a - b),
  );
  assert.ok((times.at(-1) as number) > 5);
});

test("[REP35] a record of an earlier term is committed only together with one of the leader's own", () => {
  const sim = new Sim({ seed: 1, members: ["a", "b", "c"], countsWhen: "synced" });
  const [a, b] = [sim.get("a"), sim.get("b")];
  const record = (index: number): LogRecord => ({
    index: index as LogIndex,
    term: index as Term,
    time: 0 as Millis,
    type: "operation",
    body: Buffer.from(`old${index}`),
  });
  for (const id of ["b", "c"]) sim.cut("a", id);
  sim.crash(a, "kill");
  a.disk.written = {
    hardState: { term: 2 as Term, votedFor: undefined },
    snapshot: undefined,
    log: [record(1), record(2)],
  };
  sim.restart(a, "kill");
  const reply = (message: object) => {
    a.replica?.receive(
      b.id,
      { term: 3, stage: "ask", isGranted: true, isRecovering: false, ...message } as never,
      sim.now as Millis,
    );
    sim.run(10);
  };
  sim.run(1_200, () => a.role !== "candidate" && a.role !== "leader" && reply({ type: "vote-reply" }));
  reply({ type: "vote-reply", stage: "vote" });
  assert.equal(a.role, "leader");
  const held = (index: number) =>
    reply({
      type: "append-reply",
      round: 1,
      sentAt: sim.now,
      isMatch: true,
      held: index,
      synced: 0,
      tryAfter: 0,
      incarnation: 1,
    });
  held(2);
  assert.equal(sim.status(a).commit, 0);
  held(3);
  assert.equal(sim.status(a).commit, 3);
});

test("[REP36] where records count when stored, nobody counts one that is on its way to the disk", () => {
  for (const countsWhen of ["stored", "synced"] as const) {
    const { sim, leader } = elected({ countsWhen, delay: [1, 1], diskDelay: [50, 50] });
    sim.run(200);
    sim.propose(leader);
    sim.run(45);
    assert.deepEqual(sim.acked, []);
    sim.run(20);
    assert.deepEqual(sim.acked, ["op1"]);
  }
});

test("[REP37] disks that stand still for seconds cost no election", () => {
  const { sim, leader } = elected({ countsWhen: "stored" });
  const { term } = sim.status(leader);
  for (const member of sim.members.values()) member.diskFreeAt = sim.now + 3_000;
  for (let i = 0; i < 2_500; i++) {
    if (i % 10 === 0) sim.propose(leader);
    sim.run(1);
  }
  assert.deepEqual(sim.acked, []);
  sim.run(1_000);
  assert.equal(sim.acked.length, 250);
  assert.equal(sim.status(leader).term, term);
});

test("what was on its way to the disk says nothing about the records that took its place", () => {
  const at = (index: number) => index as LogIndex;
  const disk = new DiskProgress(at(0));
  const first = disk.begin(at(10), false);
  disk.truncateFrom(at(4));
  const second = disk.begin(at(8), true);
  disk.done(first);
  assert.equal(disk.stored, 3);
  assert.equal(disk.synced, 0);
  disk.done(second);
  assert.deepEqual([disk.stored, disk.synced], [8, 8]);
});

test("[REP38] a snapshot that a follower can make nothing of leaves it as it was, and another comes later", () => {
  const limits = { snapshotAfterRecords: 50, keptBytes: 500, snapshotMessageBytes: 100 };
  const { sim, leader, followers } = elected({ limits });
  const lagging = followers[0] as SimMember;
  sim.crash(lagging, "power");
  for (let i = 0; i < 300; i++) {
    sim.propose(leader);
    sim.run(1);
  }
  sim.restart(lagging, "power");
  const restore = lagging.state.restore.bind(lagging.state);
  let refused = 0;
  lagging.state.restore = (pieces) => {
    if (++refused > 2) restore(pieces);
    else throw new StoredLogError({ what: "half a snapshot", index: 0, expected: 0 });
  };
  sim.run(900);
  assert.equal(refused, 1);
  assert.deepEqual(lagging.state.applied, []);
  sim.settle();
  assert.equal(refused, 3);
});

test("[REP39] founders twice, or more than the limit, are refused", () => {
  assert.throws(() => new Sim({ seed: 1, members: ["a"], limits: { members: 0 } }), { code: "STATE_CACHE_REPLICA" });
});

test("[REP40] records that are all behind a follower's snapshot are confirmed, not refused", () => {
  const limits = { snapshotAfterRecords: 50, keptBytes: 500, appendRecords: 8 };
  const { sim, leader, followers } = elected({ limits });
  for (let i = 0; i < 300; i++) {
    sim.propose(leader);
    sim.run(1);
  }
  sim.settle();
  const follower = followers[0] as SimMember;
  const { term, commit } = sim.status(follower);
  const at = { previousIndex: 3 as LogIndex, previousTerm: term, commit, lastIndex: commit, syncTo: 0 as LogIndex };
  const sentAt = sim.now as Millis;
  follower.replica?.receive(leader.id, { type: "append", term, round: 1e6, sentAt, ...at, records: [] }, sentAt);
  const reply = follower.replica?.nextOutput();
  assert.ok(reply?.type === "send" && reply.message.type === "append-reply");
  assert.deepEqual([reply.message.isMatch, reply.message.held], [true, commit]);
});
