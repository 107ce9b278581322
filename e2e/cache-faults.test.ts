/** A cache of three real processes whose leader is killed, stopped and cut off again and again while clients write. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { assertLinearizable } from "@sluice/testkit/linearizability";
import { pauseChild, resumeChild } from "@sluice/testkit/process-faults";
import { CacheCluster } from "./support/cache-cluster.ts";
import { CacheLedger, findMissing, openSentinelRedis } from "./support/cache-ledger.ts";
import { type CacheMember, openRedis } from "./support/cache-member.ts";
import { CacheRegisters } from "./support/cache-registers.ts";

/** `CACHE_FAULT_ROUNDS=50` tries harder. */
const ROUNDS = Number(process.env["CACHE_FAULT_ROUNDS"] ?? 12);
const PAUSE_MILLIS = [2_000, 2_500, 3_000] as const;
/** Beyond the lease and the election time. */
const DEPOSED_MILLIS = 1_200;
/** Generous, since a loaded machine is slow: the bench judges the promise. */
const LONGEST_GAP_MILLIS = 6_000;

interface World {
  readonly cluster: CacheCluster;
  readonly ledger: CacheLedger;
  readonly registers: CacheRegisters;
}

type Fault = (world: World, leader: CacheMember, round: number) => Promise<void>;

const kill: Fault = async ({ ledger }, leader) => {
  await leader.kill();
  await ledger.writesAgain();
  await leader.restart();
};

const stop: Fault = async ({ ledger }, leader, round) => {
  const end = performance.now() + (PAUSE_MILLIS[round % PAUSE_MILLIS.length] as number);
  await pauseChild(leader.child);
  await ledger.writesAgain();
  await pause(Math.max(0, end - performance.now()));
  await resumeChild(leader.child);
};

/** While cut off, the minority acknowledges no write and, once its lease is over, answers no read. */
function cutOff(kind: "silent" | "with close"): Fault {
  return async ({ cluster, ledger }, leader, round) => {
    const began = performance.now();
    cluster.isolate(leader.id, kind);
    const minority = openRedis(leader.respPort);
    await minority.connect();
    const write = minority.set(`minority:${round}`, "no").catch((error: Error) => error);
    await ledger.writesAgain();
    await pause(Math.max(0, began + DEPOSED_MILLIS - performance.now()));
    const late = openRedis(leader.respPort);
    await late.connect();
    assert.ok((await late.get("ledger:0:0").catch((error: Error) => error)) instanceof Error, "stale read");
    assert.ok((await late.set("minority", "no").catch((error: Error) => error)) instanceof Error, "lost write");
    assert.ok((await write) instanceof Error, "a write without a majority was acknowledged");
    for (const client of [minority, late]) client.disconnect();
    cluster.heal();
  };
}

function cutOneWay(only: "incoming" | "outgoing"): Fault {
  return async ({ cluster, ledger }, leader) => {
    cluster.isolate(leader.id, "silent", only);
    await pause(DEPOSED_MILLIS);
    await ledger.writesAgain();
    cluster.heal();
  };
}

const FAULTS: readonly (readonly [string, Fault])[] = [
  ["kill", kill],
  ["stop", stop],
  ["cut", cutOff("silent")],
  ["kill", kill],
  ["cut with close", cutOff("with close")],
  ["deaf", cutOneWay("incoming")],
  ["mute", cutOneWay("outgoing")],
];

async function suffer(world: World): Promise<readonly (readonly [string, number])[]> {
  const gaps: (readonly [string, number])[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const [name, fault] = FAULTS[round % FAULTS.length] as (typeof FAULTS)[number];
    const leader = await world.cluster.settled();
    world.registers.nextKeys();
    await world.ledger.writesAgain();
    world.ledger.takeLongestGap();
    await fault(world, leader, round);
    await world.ledger.writesAgain();
    gaps.push([name, world.ledger.takeLongestGap()]);
  }
  return gaps;
}

function report(gaps: readonly (readonly [string, number])[]): string {
  const rows = [...Map.groupBy(gaps, ([name]) => name)].map(([name, found]) => {
    const sorted = found.map(([, gap]) => Math.round(gap)).sort((a, b) => a - b);
    const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
    return `${name}: ${sorted.length} times, gap p50 ${at(0.5)} p99 ${at(0.99)} max ${sorted.at(-1)} ms`;
  });
  return rows.join("; ");
}

describe("a cache of three processes", () => {
  test(`keeps every acknowledged write and one order over ${ROUNDS} faults of its leader and the end of all`, async (t) => {
    await using cluster = await CacheCluster.start();
    await using ledger = new CacheLedger(cluster.sentinels);
    await using registers = new CacheRegisters(cluster.sentinels);
    const gaps = await suffer({ cluster, ledger, registers });
    await cluster.settled();
    await Promise.all([ledger.stop(), registers.stop()]);
    t.diagnostic(`${ledger.acknowledged.length} writes; ${report(gaps)}`);
    for (const [name, gap] of gaps) assert.ok(gap < LONGEST_GAP_MILLIS, `no write for ${gap} ms after ${name}`);

    const before = openSentinelRedis(cluster.sentinels);
    assert.deepEqual(await findMissing(before, ledger.acknowledged), []);
    before.disconnect();
    await Promise.all(cluster.members.map((member) => member.kill()));
    await Promise.all(cluster.members.map((member) => member.restart()));
    await cluster.settled();
    const after = openSentinelRedis(cluster.sentinels);
    assert.deepEqual(await findMissing(after, ledger.acknowledged), []);
    await registers.readAll(after);
    after.disconnect();
    assert.ok(registers.recorder.answeredCount > 100 * ROUNDS);
    assertLinearizable(registers.recorder.history());
  });
});
