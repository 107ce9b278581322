/** Three cache nodes over real sockets: removal, the largest values, and what clients are told of a new leader. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { SILENT_LOG } from "@sluice/base/log";
import { SILENT_METER } from "@sluice/base/meter";
import { DEFAULT_REPLICA_LIMITS } from "@sluice/cache/replica/limits";
import { DEFAULT_STATE_LIMITS } from "@sluice/cache/state/limits";
import { splitAddress } from "@sluice/runtime/sockets/host-and-port";
import type { CacheNode } from "@sluice/gcache/node/cache-node";
import { DEFAULT_LINK_LIMITS } from "@sluice/mesh/limits";
import { openCacheNode } from "@sluice/gcache/node/open-cache-node";
import { SystemClock } from "@sluice/runtime/system-clock";
import { NODE_CRYPTO } from "@sluice/runtime/node-crypto";
import { freePort } from "@sluice/testkit/free-port";
import { until } from "@sluice/testkit/until";
import { Redis } from "ioredis";

const IDS = ["n1", "n2", "n3"] as const;

/** In memory, with default times; the leader first. */
async function three(t: TestContext): Promise<readonly [CacheNode, CacheNode, CacheNode]> {
  const founders = new Map<string, string>();
  for (const id of IDS) founders.set(id, `127.0.0.1:${await freePort()}`);
  const nodes: CacheNode[] = [];
  for (const id of IDS) {
    const node = await openCacheNode({
      id,
      address: splitAddress(founders.get(id) as string),
      founders,
      resp: { host: "127.0.0.1", port: 0 },
      clock: new SystemClock(),
      log: SILENT_LOG,
      meter: SILENT_METER,
      crypto: NODE_CRYPTO,
    });
    nodes.push(node);
  }
  t.after(() => Promise.all(nodes.map((node) => node.close())));
  const leads = (node: CacheNode): boolean => node.status().role === "leader";
  await until("a leader that all follow", () => nodes.some(leads) && nodes.every((node) => node.status().leader));
  return nodes.sort((a, b) => Number(leads(b)) - Number(leads(a))) as unknown as [CacheNode, CacheNode, CacheNode];
}

function client(t: TestContext, node: CacheNode): Redis {
  const redis = new Redis({ ...splitAddress(node.listeners.resp as string), retryStrategy: null });
  redis.on("error", () => {});
  t.after(() => redis.disconnect());
  return redis;
}

test("[REP23] a removed member that still runs says that it is removed, and serves nobody any more", async (t) => {
  const [leader, other, gone] = await three(t);
  await client(t, leader).set("colour", "blue");
  const redis = client(t, gone);
  await redis.call("READONLY");
  await until("the value on the follower", async () => (await redis.get("colour")) === "blue");
  await leader.changeMembers({ type: "remove", id: gone.status().self });
  await until("it to know", () => gone.status().role === "removed");
  assert.match(String(await redis.call("SLUICE", "STATUS")), /"role":"removed"/);
  await assert.rejects(redis.get("colour"), /^ReplyError: MASTERDOWN This member was removed from its cluster/);
  await assert.rejects(redis.set("colour", "red"), /^ReplyError: MASTERDOWN This member was removed from its cluster/);
  const { term } = leader.status();
  assert.deepEqual([other.status().term, other.status().leader], [term, leader.status().self]);
  await leader.changeMembers({ type: "add", id: gone.status().self, address: gone.listeners.member as string });
  await until("it to follow again", () => gone.status().role !== "removed" && gone.status().leader !== undefined);
});

/** What a client hears when a lead ends, or has not begun: the guide says to look for the leader and ask again. */
const LEAD_ENDED = /UNKNOWNOUTCOME|READONLY|MASTERDOWN|TRYAGAIN|Connection is closed|ECONNRESET|EPIPE/;
/** Each costs an election at most; a machine on which none comes through is too slow for anything. */
const MOST_ATTEMPTS = 30;

/**
 * Asks whoever leads, until a lead lasts long enough for the answer. Large values can end a lead on a busy machine; what
 * they may not do is to come out in part, which `ended` looks at.
 */
async function askLeader<T>(
  t: TestContext,
  nodes: readonly CacheNode[],
  { ask, ended = async () => {} }: { ask: (redis: Redis) => Promise<T>; ended?: () => Promise<void> },
): Promise<T> {
  for (let attempt = 1; attempt <= MOST_ATTEMPTS; attempt++) {
    await until("a leader", () => nodes.some((node) => node.status().role === "leader"));
    const leader = nodes.find((node) => node.status().role === "leader");
    if (leader === undefined) continue;
    try {
      return await ask(client(t, leader));
    } catch (error) {
      if (!LEAD_ENDED.test(String(error))) throw error;
      t.diagnostic(`attempt ${attempt}: ${String(error)}`);
      await ended();
    }
  }
  return assert.fail(`No lead lasted for the answer in ${MOST_ATTEMPTS} attempts`);
}

test("[REP151] the largest value goes to three members and back, whole at each attempt or not at all", async (t) => {
  const { valueBytes, keyBytes } = DEFAULT_STATE_LIMITS;
  const { operationBytes, messageBytes } = DEFAULT_REPLICA_LIMITS;
  assert.ok(operationBytes > valueBytes + keyBytes);
  assert.ok(DEFAULT_LINK_LIMITS.messageBytes > messageBytes);
  const nodes = await three(t);
  const read = (): Promise<Buffer | null> => askLeader(t, nodes, { ask: (redis) => redis.getBuffer("large") });
  let attempts = 0;
  const nextValue = (): Buffer => Buffer.alloc(valueBytes, ++attempts);
  /** Each attempt writes another byte throughout. */
  const isWhole = (found: Buffer): boolean => {
    const attempt = found[0] ?? 0;
    return attempt >= 1 && attempt <= attempts && found.equals(Buffer.alloc(valueBytes, attempt));
  };
  const answer = await askLeader(t, nodes, {
    ask: (redis) => redis.set("large", nextValue()),
    async ended() {
      const found = await read();
      assert.ok(found === null || isWhole(found), "a write whose outcome is unknown is there as a whole, or not");
    },
  });
  assert.equal(answer, "OK");
  assert.ok((await read())?.equals(Buffer.alloc(valueBytes, attempts)), "what was acknowledged last stands");
  for (const node of nodes) {
    const stale = client(t, node);
    await stale.call("READONLY").catch(() => {});
    await until("the value on each", async () => (await stale.strlen("large").catch(() => 0)) === valueBytes);
  }
});

test("[REP151] one byte more than the largest value is refused with an error of its own", async (t) => {
  const { valueBytes } = DEFAULT_STATE_LIMITS;
  const nodes = await three(t);
  await askLeader(t, nodes, { ask: (redis) => redis.set("large", Buffer.alloc(valueBytes, 0x76)) });
  await assert.rejects(
    askLeader(t, nodes, { ask: (redis) => redis.append("large", "x") }),
    /^ReplyError: ERR string exceeds maximum allowed size/,
  );
  const half = Buffer.alloc(valueBytes / 2 + 1024 * 1024, 0x76);
  await assert.rejects(
    askLeader(t, nodes, { ask: (redis) => redis.mset("a", half, "b", half) }),
    /^ReplyError: ERR The write is larger than the log takes: nothing was done/,
  );
  await assert.rejects(
    askLeader(t, nodes, { ask: (redis) => redis.set("larger", Buffer.alloc(valueBytes + 1)) }),
    /larger than the limit of 16777216/,
  );
  assert.equal(await askLeader(t, nodes, { ask: (redis) => redis.exists("larger", "a", "b") }), 0);
});

test("[RSP26] INFO tells a member's place in the cluster and of its log", async (t) => {
  const [leader, follower] = await three(t);
  await client(t, leader).set("colour", "blue");
  await leader.changeMembers({ type: "remove", id: follower.status().self });
  const asking = client(t, leader);
  let text = "";
  await until("an answer during which the log stood still", async () => {
    const before = leader.status();
    text = await asking.info();
    const after = leader.status();
    return before.commit === after.commit && before.lastIndex === after.lastIndex;
  });
  const { self, term, commit, members, lastIndex } = leader.status();
  for (const line of [
    "sluice_cluster_role:leader",
    `sluice_cluster_term:${term}`,
    `sluice_cluster_leader:${self}`,
    `sluice_commit_index:${commit}`,
    `sluice_voters:${members.map(({ id }) => id).join(",")}`,
    "sluice_learners:",
    "sluice_truncated_records:0",
    `sluice_log_last_index:${lastIndex}`,
  ]) {
    assert.ok(text.includes(`${line}\r\n`), line);
  }
  assert.match(text, /^# Cluster\r\n(.+\r\n)*sluice_elections:\d+\r\n/m);
  assert.match(text, /^sluice_dropped_messages:\d+\r$/m);
  assert.match(await client(t, follower).info("cluster"), /^sluice_cluster_role:(follower|removed|candidate)\r$/m);
});

test("[RSP21] subscribers of +switch-master hear the old address and the new one", async (t) => {
  const [leader, heir, third] = await three(t);
  const heard: string[] = [];
  for (const node of [heir, third]) {
    const subscriber = client(t, node);
    subscriber.on("message", (_channel, message: string) => heard.push(message));
    await subscriber.subscribe("+switch-master");
  }
  await leader.switchOver(heir.id);
  await until("both to hear", () => heard.length >= 2);
  const [old, next] = [leader, heir].map((node) => (node.listeners.resp as string).replace(":", " "));
  assert.deepEqual(
    heard,
    Array.from({ length: 2 }, () => `sluice ${old} ${next}`),
  );
});
