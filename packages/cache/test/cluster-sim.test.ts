/** Whole clusters in trouble: whatever happens, clients see one register per key, and nothing acknowledged is lost. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Millis } from "@sluice/base/brand";
import type { MemberChange } from "@sluice/cache/replica/members";
import { assertLinearizable, checkHistory } from "@sluice/testkit/linearizability";
import { randomBelow } from "@sluice/testkit/random";
import { everySeed } from "@sluice/testkit/seeds";
import type { ClusterMember } from "./cluster-member.ts";
import { ClusterWorld, KEYS, type WorldOptions } from "./cluster-world.ts";

const FILE = "packages/cache/test/cluster-sim.test.ts";
const TROUBLE_MILLIS = 6_000;
/** Long enough for any election, snapshot and retry once there is no more trouble. */
const CALM_MILLIS = 5_000;
/** Snapshots and joining by snapshot happen all the time. */
const SMALL_LOG = { snapshotAfterRecords: 60, keptBytes: 2_000, snapshotMessageBytes: 400, appendRecords: 8 };

interface Trouble {
  readonly crash: "kill" | "power";
  /** How many may be down or not yet caught up at once. */
  readonly most: "minority" | "all";
  readonly changesMembers?: boolean;
  /** The longest time between two of them. */
  readonly paceMillis?: number;
}

/** What can go wrong, with how often it does. */
function troubles(world: ClusterWorld, trouble: Trouble): readonly (readonly [weight: number, act: () => void])[] {
  const { network, random, members } = world;
  const member = (): ClusterMember => (random() < 0.4 ? world.leader : undefined) ?? world.pick(members);
  const modes = ["close", "hold", "vanish"] as const;
  return [
    [2, () => network.partition(world.split(), world.pick(modes))],
    [2, () => network.partition(world.splitOffLeader(), world.pick(modes))],
    [2, () => network.cut(world.pick(network.names), world.pick(network.names), world.pick(modes))],
    [4, () => network.heal()],
    [2, () => pause(world, member(), 100 + randomBelow(random, 2_000))],
    [3, () => crash(world, member(), trouble)],
    [3, () => members.find(({ isUp }) => !isUp)?.restart(trouble.crash)],
    [1, () => member().clock?.jumpWall(randomBelow(random, 200_000) - 100_000)],
    [1, () => member().clock?.setRate(0.95 + random() * 0.1)],
    [1, () => world.leader?.with((replica, now) => replica.switchOver(world.pick(members).id, now))],
    [trouble.changesMembers === true ? 4 : 0, () => changeMembers(world)],
  ];
}

function pause(world: ClusterWorld, { clock }: ClusterMember, millis: number): void {
  clock?.pause();
  world.clock.after(millis as Millis, () => clock?.resume());
}

function crash(world: ClusterWorld, member: ClusterMember, { crash: kind, most }: Trouble): void {
  const weak = world.members.filter((each) => !each.isUp || isRecovering(each)).length;
  if (most === "all" || weak < Math.floor((world.members.length - 1) / 2)) member.crash(kind);
}

function isRecovering(member: ClusterMember): boolean {
  return member.with((replica, now) => replica.status(now).isRecovering) ?? true;
}

function changeMembers(world: ClusterWorld): void {
  const member = world.pick(world.members);
  const { id } = member;
  const kinds: readonly MemberChange[] = [
    { type: "add", id, address: id },
    { type: "promote", id },
    { type: "remove", id },
  ];
  world.leader?.with((replica, now, wall) => replica.changeMembers(world.pick(kinds), now, wall));
}

function makeTrouble(world: ClusterWorld, trouble: Trouble): void {
  const choices = troubles(world, trouble).flatMap(([weight, act]) => Array.from({ length: weight }, () => act));
  let isOver = false;
  const next = (): void => {
    if (isOver) return;
    world.pick(choices)();
    world.clock.after((20 + randomBelow(world.random, trouble.paceMillis ?? 250)) as Millis, next);
  };
  world.clock.after(1_500 as Millis, next);
  world.run(TROUBLE_MILLIS);
  isOver = true;
}

/** Peace: everybody comes back, and once all is done stands where the leader stands. */
function makePeace(world: ClusterWorld, trouble: Trouble): void {
  world.calm();
  for (const member of world.members) member.restart(trouble.crash);
  const before = world.recorder.answeredCount;
  world.run(CALM_MILLIS);
  assert.ok(world.recorder.answeredCount > before + 20, "the cluster does not serve again");
  for (const client of world.clients) client.stop();
  world.run(1_000);
  const { leader } = world;
  assert.ok(leader !== undefined, "there is no leader");
  for (const member of world.members.filter(isFollowing)) {
    assert.deepEqual(member.contents(KEYS), leader.contents(KEYS), `${member.id} differs from ${leader.id}`);
  }
}

function isFollowing({ role }: ClusterMember): boolean {
  return role === "follower";
}

function simulate(options: WorldOptions, trouble: Trouble): ClusterWorld {
  const world = new ClusterWorld(options);
  if (trouble.changesMembers === true) for (const id of ["n6", "n7"]) world.addMember(id);
  makeTrouble(world, trouble);
  makePeace(world, trouble);
  return world;
}

function linearizable(name: string, count: number, options: Omit<WorldOptions, "seed">, trouble: Trouble): void {
  everySeed(name, { count, file: FILE }, (seed) => {
    const world = simulate({ seed, ...options }, trouble);
    assertLinearizable(world.recorder.history());
    const { answeredCount } = world.recorder;
    assert.ok(answeredCount > 100, `only ${answeredCount} operations were answered`);
  });
}

linearizable(
  "three that keep in memory, a minority losing power",
  20,
  { founders: 3, countsWhen: "received", limits: SMALL_LOG },
  { crash: "power", most: "minority" },
);
linearizable(
  "three that write, all of them killed at any time",
  20,
  { founders: 3, countsWhen: "stored", limits: SMALL_LOG },
  { crash: "kill", most: "all" },
);
linearizable(
  "five that sync, all of them losing power, members coming and going",
  15,
  { founders: 5, countsWhen: "synced", ackLevel: { type: "quorum+fsync" }, limits: SMALL_LOG },
  { crash: "power", most: "all", changesMembers: true },
);

/** Elections come soon and a leader that is cut off stays long: what keeps it right is its lease alone. */
const HASTY = { electionMin: 200 as Millis, lease: 150 as Millis };

linearizable(
  "three that elect in haste, with a lease that fits",
  10,
  { founders: 3, timing: HASTY },
  { crash: "kill", most: "minority" },
);

/** Faults of the test's own, and options that nobody should set: the checker must see each. */
const PLANTED: readonly { says: string; options: Omit<WorldOptions, "seed">; trouble: Trouble }[] = [
  {
    says: "a leader whose lease never ends",
    options: { founders: 3, timing: { ...HASTY, lease: 1e9 as Millis } },
    trouble: { crash: "kill", most: "minority", paceMillis: 1_500 },
  },
  {
    says: "acknowledgement before replication",
    options: { founders: 3, fault: "early-answers" },
    trouble: { crash: "kill", most: "minority" },
  },
  {
    says: "a disk that says it has synced",
    options: { founders: 3, countsWhen: "synced", ackLevel: { type: "quorum+fsync" }, fault: "lying-disk" },
    trouble: { crash: "power", most: "all" },
  },
];
const SEEDS_TO_FIND = 40;

for (const { says, options, trouble } of PLANTED) {
  test(`the checker finds ${says}`, (t) => {
    for (let seed = 1; seed <= SEEDS_TO_FIND; seed++) {
      const world = new ClusterWorld({ seed, ...options });
      makeTrouble(world, trouble);
      world.calm();
      for (const member of world.members) member.restart(trouble.crash);
      world.run(CALM_MILLIS);
      const verdict = checkHistory(world.recorder.history());
      if (verdict.verdict !== "violation") continue;
      return t.diagnostic(`seed ${seed}: ${verdict.explanation}`);
    }
    assert.fail(`not in ${SEEDS_TO_FIND} seeds`);
  });
}
