/** redis-cli and redis-benchmark against a real cache process, and ioredis against one that grows. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import type { NodeReport } from "@sluice/gcache/node/cluster-admin";
import { freePort } from "@sluice/testkit/free-port";
import { CacheLedger, findMissing, openSentinelRedis } from "./support/cache-ledger.ts";
import { CacheMember } from "./support/cache-member.ts";
import { WorkFolder } from "./support/clip.ts";
import { MAIN } from "./support/server.ts";
import { until } from "@sluice/testkit/until";

const run = promisify(execFile);
const PROGRAM_MILLIS = 60_000;

async function program(name: string, ...args: readonly string[]): Promise<string> {
  return (await run(name, args, { timeout: PROGRAM_MILLIS })).stdout;
}

function sluice(...args: readonly string[]): Promise<string> {
  return program(process.execPath, MAIN, "cache", ...args);
}

async function startAlone(folder: WorkFolder): Promise<CacheMember> {
  const members = `n1=127.0.0.1:${await freePort()}`;
  const member = await CacheMember.start({ id: "n1", members, respPort: await freePort(), dir: folder.file("n1") });
  await until("a leader", async () => ((await member.status()).role === "leader" ? true : undefined));
  return member;
}

test("redis-cli says and hears what it does with Redis", async () => {
  using folder = new WorkFolder();
  await using member = await startAlone(folder);
  const cli = (...args: readonly string[]): Promise<string> =>
    program("redis-cli", "-p", String(member.respPort), ...args);
  assert.equal(await cli("SET", "greeting", "hello"), "OK\n");
  assert.equal(await cli("GET", "greeting"), "hello\n");
  assert.equal(await cli("-3", "GET", "greeting"), "hello\n");
  assert.equal(await cli("-n", "3", "GET", "greeting"), "\n");
  assert.match(await cli("HELLO", "3"), /^server redis\n.*^proto 3$/ms);
  assert.match(await cli("INFO"), /^role:master\r?$/m);
  assert.match(await cli("NOSUCH", "word"), /^ERR unknown command 'NOSUCH', with args beginning with: 'word'/);
  assert.equal(await cli("SENTINEL", "get-master-addr-by-name", "sluice"), `127.0.0.1\n${member.respPort}\n`);
});

test("redis-benchmark runs its pipelines to the end, alone and against three voters", async () => {
  using folder = new WorkFolder();
  await using member = await startAlone(folder);
  const args = [
    "-p",
    String(member.respPort),
    "-P",
    "16",
    "-t",
    "set,get,incr,mset",
    "-n",
    "20000",
    "-r",
    "1000",
    "-q",
  ];
  const output = await program("redis-benchmark", ...args);
  for (const name of ["SET", "GET", "INCR", "MSET"])
    assert.match(output, new RegExp(`^${name}\\b.*requests per second`, "m"));
  assert.doesNotMatch(output, /error/i);
});

test("a node alone grows to three while it is written to, hands over, and loses nothing when its founder is removed", async () => {
  using folder = new WorkFolder();
  await using first = await startAlone(folder);
  const resp = `127.0.0.1:${first.respPort}`;
  await using ledger = new CacheLedger([{ host: "127.0.0.1", port: first.respPort }]);
  await using joiners = new AsyncDisposableStack();
  const others: CacheMember[] = [];
  for (const id of ["n2", "n3"]) {
    const members = `${id}=127.0.0.1:${await freePort()}`;
    const options = { id, members, respPort: await freePort(), dir: join(folder.path, id), args: ["--join"] };
    others.push(joiners.use(await CacheMember.start(options)));
    await ledger.writesAgain();
    assert.match(await sluice("add", members, "--resp", resp), new RegExp(`Member ${id} is added`));
    assert.match(
      await sluice("add", members, "--resp", resp),
      new RegExp(`Member ${id} is already a member, as (learner|voter)`),
    );
  }
  const isGrown = (report: NodeReport): boolean => report.members.filter(({ role }) => role === "voter").length === 3;
  await until("three voters", async () => (isGrown(await first.status()) ? true : undefined));
  await ledger.writesAgain();
  assert.match(await sluice("switch-over", "n2", "--resp", resp), /Leader is n2/);
  await ledger.writesAgain();
  await first.kill();
  await ledger.writesAgain();
  const [heir] = others as [CacheMember];
  assert.match(await sluice("remove", "n1", "--resp", `127.0.0.1:${heir.respPort}`), /Member n1 is removed/);
  await ledger.writesAgain();
  await ledger.stop();
  const redis = openSentinelRedis(others.map(({ respPort }) => ({ host: "127.0.0.1", port: respPort })));
  assert.ok(ledger.acknowledged.length > 500);
  assert.deepEqual(await findMissing(redis, ledger.acknowledged), []);
  redis.disconnect();
});
