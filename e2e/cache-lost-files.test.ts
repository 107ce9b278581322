/** Members whose files were deleted by mistake while they were stopped: what they say, and what is lost by it. */
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { freePort } from "@sluice/testkit/free-port";
import { CacheCluster } from "./support/cache-cluster.ts";
import { findMissing, openSentinelRedis } from "./support/cache-ledger.ts";
import { askStatus, CacheMember, openRedis } from "./support/cache-member.ts";
import { WorkFolder } from "./support/clip.ts";
import { until } from "@sluice/testkit/until";

const TOLD = /Records that this member confirmed may be lost here/;
const KEYS = Array.from({ length: 300 }, (_, place) => `key:${place}`);

async function writeAll(port: number): Promise<void> {
  const redis = openRedis(port);
  await redis.connect();
  await Promise.all(KEYS.map((key) => redis.set(key, key)));
  redis.disconnect();
}

/** All at once, so that much of what was acknowledged stands in the journals alone. */
async function killAll(members: readonly CacheMember[]): Promise<void> {
  await Promise.all(members.map((member) => member.kill()));
}

function loseJournals({ dir }: CacheMember): void {
  for (const name of ["journal-a", "journal-b"]) rmSync(join(dir, name));
}

/** All members have all that was acknowledged when they are killed: whoever keeps its files has it. */
async function startCluster(): Promise<CacheCluster> {
  const cluster = await CacheCluster.start();
  const { respPort } = await cluster.leader();
  await writeAll(respPort);
  await until("all to have it", async () => {
    const { members, commit } = await askStatus(respPort);
    return members.every(({ held }) => (held ?? 0) >= commit) ? true : undefined;
  });
  await killAll(cluster.members);
  return cluster;
}

async function missingIn(cluster: CacheCluster): Promise<readonly string[]> {
  const redis = openSentinelRedis(cluster.sentinels);
  const missing = await findMissing(redis, KEYS);
  redis.disconnect();
  return missing;
}

for (const count of [1, 2]) {
  test(`[REP142] [REP143] ${count} of three without journals, started twice before the rest, lose nothing`, async () => {
    await using cluster = await startCluster();
    const victims = cluster.members.slice(0, count);
    for (const victim of victims) loseJournals(victim);
    for (let start = 0; start < 2; start++) {
      for (const victim of victims) {
        await victim.restart();
        assert.match(victim.child.output("stderr"), TOLD, `start ${start}`);
        assert.equal((await victim.status()).isRecovering, true, `start ${start}`);
      }
      if (start === 0) await killAll(victims);
    }
    await Promise.all(cluster.members.slice(count).map((member) => member.restart()));
    await cluster.settled();
    assert.deepEqual(await missingIn(cluster), []);
    await Promise.all(cluster.members.map((member) => member.child.stop()));
    await Promise.all(cluster.members.map((member) => member.restart()));
    for (const member of cluster.members) assert.doesNotMatch(member.child.output("stderr"), TOLD, "it caught up");
    await cluster.settled();
    assert.deepEqual(await missingIn(cluster), []);
  });
}

test("[REP142] three without journals all say so, and serve what is left once all are there", async () => {
  await using cluster = await startCluster();
  for (const member of cluster.members) loseJournals(member);
  await Promise.all(cluster.members.map((member) => member.restart()));
  await cluster.settled();
  for (const member of cluster.members) assert.match(member.child.output("stderr"), TOLD);
  await writeAll((await cluster.leader()).respPort);
  assert.deepEqual(await missingIn(cluster), []);
});

test("[REP142] one member alone says so, and serves what is left", async () => {
  using folder = new WorkFolder();
  const members = `n1=127.0.0.1:${await freePort()}`;
  await using node = await CacheMember.start({ id: "n1", members, respPort: await freePort(), dir: folder.file("n1") });
  const isLeading = () => until("a leader", async () => ((await node.status()).role === "leader" ? true : undefined));
  await isLeading();
  await writeAll(node.respPort);
  await node.kill();
  loseJournals(node);
  await node.restart();
  assert.match(node.child.output("stderr"), TOLD);
  await isLeading();
  await node.child.stop();
  await node.restart();
  assert.doesNotMatch(node.child.output("stderr"), TOLD, "who is alone has nobody to catch up with");
});
