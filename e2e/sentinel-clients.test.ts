/** Real clients in Sentinel mode, set as the guide says, while the leader is killed, frozen and restarted. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { pauseChild, resumeChild } from "@sluice/testkit/process-faults";
import { CacheCluster } from "./support/cache-cluster.ts";
import { findMissing, openSentinelRedis } from "./support/cache-ledger.ts";
import type { CacheMember } from "./support/cache-member.ts";
import { CLIENT_NAMES, PLAIN_CLIENT_NAMES, SentinelClient } from "./support/sentinel-client.ts";

interface World {
  readonly t: TestContext;
  readonly cluster: CacheCluster;
  readonly clients: readonly SentinelClient[];
}

/** Each client writes again, and what it was told was written is there. */
async function allWrite({ t, cluster, clients }: World, mark: string): Promise<void> {
  for (const client of clients) client.mark(mark);
  const reader = openSentinelRedis(cluster.sentinels);
  t.after(() => reader.disconnect());
  for (const client of clients) {
    await t.test(`${client.name}, ${mark}`, async (one) => {
      const { key, gapMillis, errors } = await client.writtenAfter(mark);
      one.diagnostic(`longest gap ${gapMillis} ms, ${errors} errors`);
      assert.deepEqual(await findMissing(reader, [key]), []);
    });
  }
  reader.disconnect();
}

/** As the guide says: one after the other, the leader first, each time waiting until all are reachable again. */
async function roll(world: World, leader: CacheMember): Promise<void> {
  const { members } = world.cluster;
  for (const member of [leader, ...members.filter((one) => one !== leader)]) {
    member.child.kill("SIGTERM");
    await member.child.exited;
    await allWrite(world, `${member.id} stopped`);
    await member.restart();
    await world.cluster.allReachable();
  }
}

interface Wanted {
  readonly names: readonly string[];
  /** Where the leader stands among the Sentinels that the clients know: the first is the one that they are connected to. */
  readonly leader: "first" | "last";
}

const ALL: Wanted = { names: CLIENT_NAMES, leader: "first" };

async function withClients(
  t: TestContext,
  { names, leader: place }: Wanted,
  strike: (world: World, leader: CacheMember) => Promise<void>,
): Promise<void> {
  await using cluster = await CacheCluster.start();
  await cluster.allReachable();
  const leader = await cluster.leader();
  const others = cluster.members.filter((one) => one !== leader);
  const ports = (place === "first" ? [leader, ...others] : [...others, leader]).map(({ respPort }) => respPort);
  await using clients = new AsyncDisposableStack();
  const world = { t, cluster, clients: names.map((name) => clients.use(new SentinelClient(name, ports))) };
  await allWrite(world, "begun");
  await strike(world, await cluster.settled());
  await cluster.allReachable();
  await allWrite(world, "all there again");
}

async function freeze(world: World, leader: CacheMember): Promise<void> {
  await pauseChild(leader.child);
  await allWrite(world, "frozen");
  await resumeChild(leader.child);
}

test("[RSP180] clients follow when the leader is killed", (t) =>
  withClients(t, ALL, async (world, leader) => {
    await leader.kill();
    await allWrite(world, "killed");
    await leader.restart();
  }));

test("[RSP180] clients follow when the leader is frozen, and are not misled when it goes on", (t) =>
  withClients(t, ALL, freeze));

test("[RSP180] clients follow a rolling restart", (t) => withClients(t, ALL, roll));

test("[RSP184] a client without time-outs leaves a frozen leader for what Sentinel says", (t) =>
  withClients(t, { names: PLAIN_CLIENT_NAMES, leader: "last" }, freeze));
