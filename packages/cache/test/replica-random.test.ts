/** Random worlds: crashes, pauses, cuts, loss and reordering; the judge in `Sim` looks at every step. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Millis } from "@sluice/base/brand";
import { randomBelow } from "@sluice/testkit/random";
import { FSYNC, QUORUM, Sim, type SimMember, type SimOptions } from "./replica-sim.ts";

const SEEDS = Number(process.env["REPLICA_SEEDS"] ?? 8);
const FIRST = Number(process.env["REPLICA_SEED"] ?? 1);

type Crashes = { readonly kind: "kill" | "power"; readonly most: "minority" | "all" };

/** Ten seconds of trouble, then peace. */
function trouble(sim: Sim, crashes: Crashes): void {
  const members = [...sim.members.values()];
  const pick = (): SimMember => members[randomBelow(sim.random, members.length)] as SimMember;
  const mayCrash = (): boolean => {
    const weak = members.filter((m) => m.replica === undefined || sim.status(m).isRecovering).length;
    return crashes.most === "all" || weak < Math.floor((members.length - 1) / 2);
  };
  const changeSomebody = (): void => {
    const { leader } = sim;
    if (leader === undefined || leader.pausedUntil > sim.now) return;
    const { id } = pick();
    const type = (["add", "promote", "promote", "remove"] as const)[randomBelow(sim.random, 4)] ?? "add";
    const voters = sim.status(leader).members.filter((member) => member.role === "voter").length;
    if (type !== "remove" || voters > 2)
      leader.replica?.changeMembers({ type, id, address: id }, sim.now as Millis, sim.now as Millis);
    sim.drain(leader);
  };
  sim.run(10_000, () => {
    const dice = sim.random();
    if (dice < 0.2)
      sim.propose(sim.random() < 0.9 ? (sim.leader ?? pick()) : pick(), sim.random() < 0.9 ? QUORUM : FSYNC);
    else if (dice < 0.23) sim.read(pick());
    else if (dice < 0.2315) sim.pause(pick(), 200 + randomBelow(sim.random, 2_000));
    else if (dice < (crashes.most === "all" ? 0.2322 : 0.233) && mayCrash())
      sim.crash(sim.random() < 0.5 ? (sim.leader ?? pick()) : pick(), crashes.kind);
    else if (dice < 0.235) {
      const down = members.find((m) => m.replica === undefined);
      if (down !== undefined) sim.restart(down, crashes.kind);
    } else if (dice < 0.2355) sim.cut(pick().id, pick().id, sim.random() < 0.5 ? "both" : "one");
    else if (dice < 0.2365) sim.heal();
    else if (dice < 0.245 && sim.options.joiners !== undefined) changeSomebody();
    else if (dice < 0.2368) {
      const { leader } = sim;
      if (leader?.pausedUntil === 0) leader.replica?.switchOver(pick().id, sim.now as Millis);
    }
  });
  for (const member of members) if (member.replica === undefined) sim.restart(member, crashes.kind);
  sim.settle();
}

function worlds(name: string, options: Partial<SimOptions>, crashes: Crashes): void {
  test(name, (t) => {
    let acked = 0;
    for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
      const sim = new Sim({ seed, members: ["a", "b", "c"], ...options });
      for (const id of options.joiners ?? []) sim.join(id);
      trouble(sim, crashes);
      acked += sim.acked.length;
    }
    assert.ok(acked > SEEDS * 100, `only ${acked} acknowledged`);
    t.diagnostic(`${acked} acknowledged`);
  });
}

const WILD = { loss: 0.03, duplication: 0.03, delay: [0, 20], diskDelay: [0, 10] } as const;
const SMALL_LOG = { snapshotAfterRecords: 100, keptBytes: 2_000, snapshotMessageBytes: 400, appendRecords: 8 } as const;

worlds(
  "[REP5] records in memory of a majority survive what takes a minority",
  { ...WILD },
  { kind: "power", most: "minority" },
);
worlds(
  "the same where a turn applies two records at most",
  { ...WILD, limits: { appliedWork: 2 } },
  { kind: "kill", most: "minority" },
);
worlds("the same with small logs and snapshots", { ...WILD, limits: SMALL_LOG }, { kind: "power", most: "minority" });
worlds("five members", { ...WILD, members: ["a", "b", "c", "d", "e"] }, { kind: "power", most: "minority" });
worlds(
  "[REP6] written records survive the end of all processes",
  { ...WILD, countsWhen: "stored", limits: SMALL_LOG },
  { kind: "kill", most: "all" },
);
worlds(
  "[REP7] synced records survive a loss of all power",
  { ...WILD, countsWhen: "synced", limits: SMALL_LOG },
  { kind: "power", most: "all" },
);
worlds(
  "members that come and go: written records survive the end of all processes",
  { ...WILD, countsWhen: "stored", limits: SMALL_LOG, joiners: ["d", "e"] },
  { kind: "kill", most: "all" },
);
worlds(
  "members that come and go: synced records survive a loss of all power",
  { ...WILD, countsWhen: "synced", joiners: ["d", "e"] },
  { kind: "power", most: "all" },
);
