/** What each member's Sentinel says while the leader freezes, is cut off, hands over, dies, and when a member is removed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { pauseChild, resumeChild } from "@sluice/testkit/process-faults";
import { CacheCluster } from "./support/cache-cluster.ts";
import { type CacheMember, openRedis } from "./support/cache-member.ts";
import { type Look, SentinelAsker } from "./support/sentinel-view.ts";
import { until } from "@sluice/testkit/until";

function otherThan(cluster: CacheCluster, ...members: CacheMember[]): CacheMember[] {
  return cluster.members.filter((member) => !members.includes(member));
}

/** Over a new connection each time: a leader that gives up ends those that it has. */
async function lookUntil(what: string, { respPort }: CacheMember, isSo: (look: Look) => boolean): Promise<Look> {
  return until(what, async () => {
    await using asker = await SentinelAsker.open(respPort);
    const look = await asker.look();
    return isSo(look) ? look : undefined;
  });
}

/** Channels and messages that subscribers of all of these hear, each with the id of the member that said it. */
async function listen(members: readonly CacheMember[], stack: AsyncDisposableStack) {
  const heard: { readonly by: string; readonly channel: string; readonly message: string }[] = [];
  for (const { id, respPort } of members) {
    const redis = openRedis(respPort);
    stack.defer(() => redis.disconnect());
    await redis.connect();
    redis.on("pmessage", (_pattern: string, channel: string, message: string) =>
      heard.push({ by: id, channel, message }),
    );
    await redis.psubscribe("*");
  }
  return heard;
}

test("[RSP181] a frozen leader is down for all others, and does not claim to lead in the moment in which it goes on", async () => {
  await using cluster = await CacheCluster.start();
  const leader = await cluster.settled();
  await using frozen = await SentinelAsker.open(leader.respPort);
  assert.deepEqual((await frozen.look()).flags, ["master"]);
  const followers = otherThan(cluster, leader);
  await pauseChild(leader.child);
  const next = await until("another leader", async () => {
    const reports = await Promise.all(followers.map((member) => member.status()));
    return reports.find(({ role }) => role === "leader")?.node;
  });
  for (const member of followers) {
    const look = await lookUntil("the new leader's address", member, ({ address }) => address !== undefined);
    assert.equal(look.address, cluster.get(next).respPort);
    assert.ok(look.hasQuorum);
    await lookUntil("the frozen Sentinel to be down", member, ({ downSentinels }) =>
      downSentinels.includes(leader.respPort),
    );
  }
  const waiting = frozen.look(); // stands in its socket until it goes on
  await resumeChild(leader.child);
  const awake = await waiting;
  assert.equal(awake.role, "slave");
  assert.notEqual(awake.address, leader.respPort);
  assert.ok(awake.port !== leader.respPort || awake.flags.includes("s_down"), awake.flags.join());
  await cluster.allReachable();
});

test("[RSP182] of five, a leader that is cut off with one companion is down in the words of both; the other three go on", async () => {
  await using cluster = await CacheCluster.start({ size: 5 });
  const leader = await cluster.settled();
  const [companion, ...others] = otherThan(cluster, leader) as [CacheMember, ...CacheMember[]];
  cluster.split([leader.id, companion.id], "silent");
  for (const member of [leader, companion]) {
    const look = await lookUntil("no quorum, and nobody of the others", member, (one) => {
      const areDown = others.every(({ respPort }) => one.downSentinels.includes(respPort));
      return areDown && !one.hasQuorum && one.flags[0] === "s_down";
    });
    assert.ok(look.flags.includes("disconnected") && !look.flags.includes("failover_in_progress"), look.flags.join());
    assert.equal(look.port, leader.respPort);
    assert.equal(look.address, undefined);
    assert.equal(look.role, "slave");
  }
  for (const member of others) {
    const look = await lookUntil("a leader of the three", member, ({ flags }) => flags.join() === "master");
    assert.ok(others.some(({ respPort }) => respPort === look.address));
    assert.ok(look.hasQuorum);
  }
  cluster.heal();
  await cluster.allReachable();
});

test("[RSP183] a leader that dies is told to be down before the switch; one that is stopped hands over without", async () => {
  await using cluster = await CacheCluster.start();
  await using stack = new AsyncDisposableStack();
  const killed = await cluster.settled();
  const heard = await listen(otherThan(cluster, killed), stack);
  await killed.kill();
  const next = await cluster.leader();
  const of = (member: CacheMember) => heard.filter(({ by }) => by === member.id);
  await until("the switch", () => of(next).some(({ channel }) => channel === "+switch-master") || undefined);
  const channels = of(next).map(({ channel }) => channel);
  const down = of(next).findIndex(
    ({ channel, message }) => channel === "+sdown" && message.startsWith("master sluice "),
  );
  assert.ok(down >= 0 && down < channels.indexOf("+switch-master"), channels.join());
  await killed.restart();
  await cluster.allReachable();
  await until(
    "all to be up",
    () => of(next).some(({ channel, message }) => channel === "-sdown" && message.startsWith("slave ")) || undefined,
  );

  const stopped = await cluster.settled();
  const [watched] = otherThan(cluster, stopped, killed) as [CacheMember];
  const before = of(watched).length;
  stopped.child.kill("SIGTERM");
  await stopped.child.exited;
  const told = await until("the switch and two replicas", () => {
    const events = of(watched).slice(before);
    const words = events.map(({ channel, message }) => `${channel} ${message.split(" ")[0]}`);
    return words.filter((event) => event === "+slave slave").length === 2 ? words : undefined;
  });
  assert.ok(!told.includes("+sdown master"), told.join());
  assert.equal(told[told.indexOf("+slave slave") - 1], "+switch-master sluice");
  await stopped.restart();
  await cluster.allReachable();
});

test("[RSP174] a removed member knows no master any more, and the others name it no more", async () => {
  await using cluster = await CacheCluster.start();
  await cluster.allReachable();
  await using stack = new AsyncDisposableStack();
  const leader = await cluster.settled();
  const [gone, stays] = otherThan(cluster, leader) as [CacheMember, CacheMember];
  const heard = await listen([stays], stack);
  const admin = openRedis(leader.respPort);
  stack.defer(() => admin.disconnect());
  await admin.connect();
  assert.equal(await admin.call("SLUICE", "REMOVE", gone.id), "OK");
  const look = await lookUntil("it to know", gone, ({ flags }) => flags[0]?.startsWith("-ERR") === true);
  assert.deepEqual(look.flags, ["-ERR No such master with that name"]);
  assert.equal(look.address, undefined);
  assert.equal(look.role, "slave");
  const name = `slave 127.0.0.1:${gone.respPort} `;
  await until(
    "it to be told",
    () => heard.some(({ channel, message }) => channel === "+sdown" && message.startsWith(name)) || undefined,
  );
  await using other = await SentinelAsker.open(stays.respPort);
  const left = await other.look();
  assert.deepEqual([left.address, left.flags], [leader.respPort, ["master"]]);
});
