/** What reaches a cache process that no well-behaved client, member or operator sends: each time a clear answer, and nobody else is harmed. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFileSync, renameSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { startChild } from "@sluice/testkit/child";
import { freePort } from "@sluice/testkit/free-port";
import { CacheCluster } from "./support/cache-cluster.ts";
import { CacheLedger, findMissing } from "./support/cache-ledger.ts";
import { cacheArgv, CacheMember, type CacheMemberOptions, openRedis } from "./support/cache-member.ts";
import { WorkFolder } from "./support/clip.ts";
import { until } from "@sluice/testkit/until";

async function dial(port: number): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  socket.on("error", () => {});
  await once(socket, "connect");
  return socket;
}

/** Sends it and hears all that comes back until the other side closes, or `waitMillis` are over. */
async function answerTo(port: number, bytes: Uint8Array | string, waitMillis = 4_000): Promise<string> {
  const socket = await dial(port);
  let heard = "";
  socket.on("data", (data: Buffer) => (heard += data.toString("latin1")));
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  socket.write(bytes);
  await Promise.race([closed, pause(waitMillis, undefined, { ref: false })]);
  const wasClosed = socket.closed;
  socket.destroy();
  return wasClosed ? `${heard}<closed>` : heard;
}

async function alone(folder: WorkFolder, more: Partial<CacheMemberOptions> = {}): Promise<CacheMemberOptions> {
  const members = `n1=127.0.0.1:${await freePort()}`;
  return { id: "n1", members, respPort: await freePort(), dir: folder.file("n1"), ...more };
}

/** What a process says that ends by itself. */
async function endOf(options: CacheMemberOptions): Promise<{ readonly code: number | null; readonly said: string }> {
  await using child = startChild(cacheArgv(options));
  const late = pause(10_000, { code: null }, { ref: false });
  const { code } = await Promise.race([child.exited, late]);
  return { code, said: child.output() };
}

async function residentMegabytes(member: CacheMember): Promise<number> {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`/proc/${member.child.pid}/status`, "utf8"))?.[1]) / 1024;
}

async function sendGarbage(member: CacheMember): Promise<void> {
  const bytes = [
    randomBytes(64),
    randomBytes(70_000),
    Buffer.alloc(4_096, 0xff),
    Buffer.alloc(9),
    "GET / HTTP/1.1\r\n\r\n",
  ];
  const memberPort = Number(memberAddress(member).split(":")[1]);
  const answers = await Promise.all(bytes.map((each) => answerTo(memberPort, each)));
  for (const answer of answers) assert.match(answer, /<closed>$/, "member port");
  const requests = ["*1\r\n$-5\r\nPING\r\n", "*99999999999\r\n", "*1\r\n$999999999999\r\n", "A".repeat(200_000)];
  for (const request of requests) {
    assert.match(await answerTo(member.respPort, request), /^-ERR Protocol error.*<closed>$/s);
  }
}

async function leads(member: CacheMember): Promise<void> {
  await until("a leader", async () => ((await member.status()).role === "leader" ? true : undefined));
}

describe("a running cache", () => {
  test("ends those who send garbage to either port, and goes on for all others", async () => {
    await using cluster = await CacheCluster.start();
    await using ledger = new CacheLedger(cluster.sentinels);
    await ledger.writesAgain();
    ledger.takeLongestGap();
    await Promise.all(cluster.members.map(sendGarbage));
    await ledger.writesAgain();
    assert.ok(ledger.takeLongestGap() < 2_000);
    const reports = await Promise.all(cluster.members.map((member) => member.status()));
    assert.ok(reports.every(({ term }) => term === reports[0]?.term));
    assert.deepEqual(ledger.failures, []);
  });

  test("stops reading from a client that never reads, and serves the others", async () => {
    using folder = new WorkFolder();
    await using member = await CacheMember.start(await alone(folder));
    await leads(member);
    const redis = openRedis(member.respPort);
    await redis.connect();
    await redis.set("large", Buffer.alloc(256 * 1024, 0x61));
    const before = await residentMegabytes(member);
    const deaf = await dial(member.respPort);
    deaf.pause();
    for (let i = 0; i < 4_000; i++) deaf.write("GET large\r\n"); // a gigabyte of answers
    for (let i = 0; i < 20; i++) {
      await redis.set(`key:${i}`, "value");
      await pause(50);
    }
    assert.ok((await residentMegabytes(member)) - before < 64);
    deaf.destroy();
    redis.disconnect();
  });

  test("refuses members that know another secret or another list, and says which", async () => {
    using folder = new WorkFolder();
    for (const name of ["right", "wrong"]) writeFileSync(folder.file(name), `the ${name} secret of members`);
    const ports = [await freePort(), await freePort(), await freePort()];
    const list = ports.slice(0, 2).map((port, index) => `n${index + 1}=127.0.0.1:${port}`);
    const start = async (id: string, members: readonly string[], secret: string): Promise<CacheMember> =>
      CacheMember.start({
        id,
        members: members.join(","),
        respPort: await freePort(),
        dir: folder.file(`${id}-${secret}-${members.length}`),
        args: ["--secret-file", folder.file(secret)],
      });
    await using first = await start("n1", list, "right");
    {
      await using stranger = await start("n2", list, "wrong");
      await stranger.child.waitForLine((line) => (line.includes("the secrets differ") ? true : undefined));
      await first.child.waitForLine((line) => (line.includes("the secrets differ") ? true : undefined));
      assert.notEqual((await first.status()).role, "leader");
    }
    {
      await using other = await start("n2", [...list, `n3=127.0.0.1:${ports[2]}`], "right");
      await other.child.waitForLine((line) => (line.includes("another member list") ? true : undefined));
      assert.notEqual((await first.status()).role, "leader");
    }
    await using second = await start("n2", list, "right");
    await until("a leader", async () => ((await second.status()).leader === null ? undefined : true));
  });
});

describe("a cache that cannot start", () => {
  test("says that its folder is in use, by whom, and harms nobody", async () => {
    using folder = new WorkFolder();
    const options = await alone(folder);
    await using member = await CacheMember.start(options);
    const twice = await endOf({ ...options, members: `n1=127.0.0.1:${await freePort()}`, respPort: await freePort() });
    assert.equal(twice.code, 1);
    assert.match(twice.said, new RegExp(`Cannot open store in .*: process ${member.child.pid} has it open`));
    assert.equal((await member.status()).role, "leader");
  });

  test("says that the folder belongs to another member", async () => {
    using folder = new WorkFolder();
    const options = await alone(folder);
    {
      await using _member = await CacheMember.start(options);
    }
    const { code, said } = await endOf({ ...options, id: "n2", members: options.members.replace("n1=", "n2=") });
    assert.equal(code, 1);
    assert.match(said, /it belongs to member "n1", not "n2"/);
  });

  test("says that its database is damaged; set aside, it is replaced by an empty one", async () => {
    await using cluster = await CacheCluster.start();
    const { victim, keys } = await loseOne(cluster);
    cutInHalf(join(victim.dir, "store.mdb"));
    const end = await endOf(victim.options);
    assert.equal(end.code, 1);
    assert.match(end.said, /Cannot use store in .*; set the folder aside, remove the member and add it again empty/);
    const leader = await cluster.leader();
    const call = async (...words: readonly string[]): Promise<void> => {
      const redis = openRedis(leader.respPort);
      await redis.connect();
      await redis.call("SLUICE", ...words).finally(() => redis.disconnect());
    };
    const address = memberAddress(victim);
    await call("REMOVE", victim.id);
    renameSync(victim.dir, `${victim.dir}.aside`);
    const members = `${victim.id}=${address}`;
    await using again = await CacheMember.start({ ...victim.options, members, args: ["--join"] });
    await call("ADD", victim.id, address);
    await caughtUp(again, leader);
    await assertAllThere(again, keys);
  });

  test("goes on with a journal cut in half, catches up, and has lost nothing", async () => {
    await using cluster = await CacheCluster.start();
    const { victim, keys } = await loseOne(cluster);
    const journal = join(victim.dir, "journal-a");
    truncateSync(journal, Math.floor(writtenBytes(journal) / 2));
    await victim.restart();
    assert.match(victim.child.output(), /Records that this member confirmed may be lost here/);
    await caughtUp(victim, await cluster.settled());
    await assertAllThere(victim, keys);
  });
});

/** Writes for a while, then kills a follower. */
async function loseOne(
  cluster: CacheCluster,
): Promise<{ readonly victim: CacheMember; readonly keys: readonly string[] }> {
  await using ledger = new CacheLedger(cluster.sentinels);
  await pause(1_000);
  await ledger.stop();
  const leader = await cluster.settled();
  const victim = cluster.members.find((member) => member !== leader) as CacheMember;
  await victim.kill();
  return { victim, keys: ledger.acknowledged };
}

function cutInHalf(file: string): void {
  truncateSync(file, Math.floor(statSync(file).size / 2));
}

/** Behind them the file is filled with zeros: a cut there would harm nothing. */
function writtenBytes(file: string): number {
  return readFileSync(file).findLastIndex((byte) => byte !== 0) + 1;
}

/** Until it shows all that was acknowledged before the call. */
async function caughtUp(member: CacheMember, leader: CacheMember): Promise<void> {
  const target = (await leader.status()).commit;
  await until(`${member.id} to follow`, async () => {
    const { leader: followed, commit } = await member.status();
    return followed === leader.id && commit >= target ? true : undefined;
  });
}

function memberAddress({ id, options }: CacheMember): string {
  return (
    options.members
      .split(",")
      .find((entry) => entry.startsWith(`${id}=`))
      ?.slice(id.length + 1) ?? ""
  );
}

async function assertAllThere(member: CacheMember, keys: readonly string[]): Promise<void> {
  const redis = openRedis(member.respPort);
  await redis.connect();
  await redis.readonly();
  assert.ok(keys.length > 100);
  assert.deepEqual(await findMissing(redis, keys), []);
  redis.disconnect();
}
