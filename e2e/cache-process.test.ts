/** The cache as processes: the command line, one node grown to three, hand-over, followers, and what is refused. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { connect } from "node:net";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { promisify } from "node:util";
import { startChild } from "@sluice/testkit/child";
import { freePort } from "@sluice/testkit/free-port";
import { Redis } from "ioredis";
import { CacheCluster } from "./support/cache-cluster.ts";
import { CacheMember, cacheArgv, openRedis } from "./support/cache-member.ts";
import { WorkFolder } from "./support/clip.ts";
import { MAIN } from "./support/server.ts";
import { until } from "@sluice/testkit/until";

const run = promisify(execFile);

/** A `sluice cache …` command that ends. */
async function sluice(
  ...args: readonly string[]
): Promise<{ readonly stdout: string; readonly stderr: string; readonly code: number }> {
  try {
    return { ...(await run(process.execPath, [MAIN, "cache", ...args], { timeout: 20_000 })), code: 0 };
  } catch (error) {
    return error as { stdout: string; stderr: string; code: number };
  }
}

async function solo(
  folder: WorkFolder,
  id = "n1",
  args: readonly string[] = [],
): Promise<CacheMember & { readonly address: string }> {
  const address = `127.0.0.1:${await freePort()}`;
  const options = { id, members: `${id}=${address}`, respPort: await freePort(), dir: join(folder.path, id), args };
  return Object.assign(await CacheMember.start(options), { address });
}

async function connected(port: number): Promise<Redis> {
  const redis = openRedis(port);
  await redis.connect();
  return redis;
}

const says =
  (pattern: RegExp) =>
  (line: string): true | undefined =>
    pattern.test(line) ? true : undefined;

describe("a cache process", () => {
  test("alone it is a cluster of one that keeps everything over SIGKILL and SIGTERM", async () => {
    using folder = new WorkFolder();
    await using node = await solo(folder);
    const first = await until("a leader", async () =>
      (await node.status()).role === "leader" ? node.status() : undefined,
    );
    assert.equal(first.term, 1);
    const redis = await connected(node.respPort);
    await redis.set("a", "1");
    await redis.set("b", "2", "PX", 60_000);
    redis.disconnect();
    await node.kill();
    await node.restart();
    const again = await until("a client that is answered", () =>
      connected(node.respPort).then((one) =>
        one.get("a").then(
          () => one,
          () => undefined,
        ),
      ),
    );
    assert.deepEqual(await again.mget("a", "b"), ["1", "2"]);
    assert.ok((await again.pttl("b")) > 50_000);
    again.disconnect();
    node.child.kill("SIGTERM");
    assert.deepEqual(await node.child.exited, { code: 0, signal: null });
  });

  test("one node grows to three by command while it is written to, and nothing is lost", async () => {
    using folder = new WorkFolder();
    await using first = await solo(folder);
    await until("a leader", async () => ((await first.status()).role === "leader" ? true : undefined));
    const redis = await connected(first.respPort);
    const written: string[] = [];
    const stop = new AbortController();
    const writing = (async () => {
      for (let i = 0; !stop.signal.aborted; i++) {
        await redis.set(`key ${i}`, String(i));
        written.push(`key ${i}`);
      }
    })();
    await using second = await solo(folder, "n2", ["--join"]);
    await using third = await solo(folder, "n3", ["--join"]);
    const resp = ["--resp", `127.0.0.1:${first.respPort}`];
    assert.match((await sluice("add", `n2=${second.address}`, ...resp)).stdout, /n2 is added/);
    assert.match((await sluice("add", `n3=${third.address}`, ...resp)).stdout, /n3 is added/);
    await until("three voters that a majority knows of", async () => {
      const { members, isMemberListCommitted } = await first.status();
      const voterCount = members.filter(({ role }) => role === "voter").length;
      return isMemberListCommitted && voterCount === 3 ? true : undefined;
    });
    stop.abort();
    await writing;
    redis.disconnect();
    await first.kill();
    const leader = await until("another leader", async () => {
      const reports = await Promise.all([second.status(), third.status()]);
      const found = reports.find(({ role }) => role === "leader");
      return found && (found.node === "n2" ? second : third);
    });
    const reader = await connected(leader.respPort);
    const values = await until("reads", () => reader.mget(...written).catch(() => undefined));
    assert.deepEqual(
      values,
      written.map((key) => key.slice("key ".length)),
    );
    assert.ok(written.length > 100, `${written.length} writes`);
    reader.disconnect();
  });

  test("status, switch-over and remove; followers read only after READONLY; Sentinel clients follow", async () => {
    await using cluster = await CacheCluster.start();
    const leader = await cluster.leader();
    const [follower] = cluster.members.filter((member) => member.id !== leader.id) as [CacheMember, CacheMember];
    const resp = ["--resp", `127.0.0.1:${follower.respPort}`];
    assert.match((await sluice("status", ...resp)).stdout, new RegExp(`leader ${leader.id}`));
    const writer = new Redis({ sentinels: [...cluster.sentinels], name: "sluice" });
    writer.on("error", () => {});
    await writer.set("key", "before");

    const reader = await connected(follower.respPort);
    await assert.rejects(reader.get("key"), /READONLY/);
    await assert.rejects(reader.set("key", "x"), /READONLY/);
    await reader.readonly();
    await until("the follower's copy", async () => ((await reader.get("key")) === "before" ? true : undefined));
    reader.disconnect();

    assert.match((await sluice("switch-over", follower.id, ...resp)).stdout, new RegExp(`Leader is ${follower.id}`));
    await until(
      "a write to the new leader",
      async () => (await writer.set("key", "after").catch(() => undefined)) ?? undefined,
    );
    assert.equal(writer.stream.remotePort, follower.respPort);
    assert.equal(await writer.get("key"), "after");
    writer.disconnect();

    assert.match((await sluice("remove", leader.id, ...resp)).stdout, /is removed/);
    assert.equal((await follower.status()).members.length, 2);
  });

  test("a leader that is stopped hands over first: writes wait less than an election", async () => {
    await using cluster = await CacheCluster.start();
    const leader = await cluster.leader();
    const { term } = await leader.status();
    leader.child.kill("SIGTERM");
    assert.deepEqual(await leader.child.exited, { code: 0, signal: null });
    const [other] = cluster.members.filter((member) => member.id !== leader.id) as [CacheMember];
    const after = await other.status();
    assert.equal(after.term, term + 1);
    assert.notEqual(after.leader, leader.id);
    assert.notEqual(after.leader, null);
  });

  test("a password, a secret and TLS between members", async () => {
    using folder = new WorkFolder();
    const [secret, password] = [folder.file("secret"), folder.file("password")];
    const [cert, key] = [folder.file("cert.pem"), folder.file("key.pem")];
    writeFileSync(secret, "members only\n");
    writeFileSync(password, "clients only\n");
    const subject = ["-subj", "/CN=members", "-days", "2", "-keyout", key, "-out", cert];
    await run("openssl", [
      "req",
      "-x509",
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:P-256",
      "-nodes",
      ...subject,
    ]);
    const args = ["--secret-file", secret, "--resp-password-file", password, "--tls-cert", cert, "--tls-key", key];
    const ids = ["n1", "n2", "n3"];
    const ports = await Promise.all(ids.map(() => freePort()));
    const members = ids.map((id, place) => `${id}=127.0.0.1:${ports[place]}`).join(",");
    const respPort = await freePort();
    const start = (id: string, resp: number, more: readonly string[] = args): Promise<CacheMember> =>
      CacheMember.start({ id, members, respPort: resp, dir: join(folder.path, id), args: more });
    await using first = await start("n1", respPort);
    await using second = await start("n2", await freePort());
    assert.ok(second.respPort !== first.respPort);
    const status = ["status", "--json", "--resp", `127.0.0.1:${respPort}`];
    assert.match((await sluice(...status)).stderr, /wants a password/);
    await until("a leader", async () => {
      const { stdout } = await sluice(...status, "--resp-password-file", password);
      return (JSON.parse(stdout) as { leader: string | null }).leader ?? undefined;
    });

    const wrong = folder.file("wrong");
    writeFileSync(wrong, "something else");
    const stranger = await start("n3", await freePort(), [
      "--secret-file",
      wrong,
      "--resp-password-file",
      password,
      "--tls-cert",
      cert,
      "--tls-key",
      key,
    ]);
    await stranger.child.waitForLine(says(/the secrets differ/));
    await first.child.waitForLine(says(/the secrets differ/));
    await stranger[Symbol.asyncDispose]();
  });

  test("what cannot start says why and ends with code 1 or 2", async () => {
    using folder = new WorkFolder();
    await using node = await solo(folder);
    const address = `127.0.0.1:${await freePort()}`;
    const dir = ["--resp", "127.0.0.1:0", "--dir", node.dir];
    const twice = await sluice("--id", "n1", "--members", `n1=${address}`, ...dir);
    assert.equal(twice.code, 1);
    assert.match(twice.stderr, /UNAVAILABLE_STORE_LOCKED/);
    const port = await sluice(
      "--id",
      "n2",
      "--members",
      `n2=${node.address}`,
      "--resp",
      "127.0.0.1:0",
      "--dir",
      folder.file("n2"),
    );
    assert.match(port.stderr, /UNAVAILABLE_LISTEN/);
    const open = await sluice("--members", "n1=192.0.2.1:7401", "--dir", folder.file("n3"));
    assert.match(open.stderr, /need a secret/);
    for (const bad of [
      ["--ack", "some"],
      ["--members", "n1"],
      ["--members", "n2=a:1"],
      ["--resp", "nowhere"],
      ["--tls-cert", "x"],
    ]) {
      const refused = await sluice(...bad, "--dir", folder.file("n4"));
      assert.equal(refused.code, 2, bad.join(" "));
    }
  });

  test("a member with another list, or another store under a known id, is refused and harms nothing", async () => {
    using folder = new WorkFolder();
    await using cluster = await CacheCluster.start();
    const leader = await cluster.leader();
    const { members } = await leader.status();
    const [gone] = cluster.members.filter((member) => member.id !== leader.id) as [CacheMember];
    const list = members.map(({ id, address }) => `${id}=${address}`).join(",");
    await gone.kill();
    const options = { id: gone.id, respPort: await freePort(), dir: folder.file("other") };
    const other = startChild(cacheArgv({ ...options, members: list }));
    await other.waitForLine(says(/two processes share the id, or the store was lost/));
    other.kill("SIGKILL");
    await other.exited;
    const shorter = members
      .filter(({ id }) => id === gone.id || id === leader.id)
      .map(({ id, address }) => `${id}=${address}`);
    const wrong = startChild(cacheArgv({ ...options, dir: folder.file("list"), members: shorter.join(",") }));
    await wrong.waitForLine(says(/started with another member list/));
    wrong.kill("SIGKILL");
    await wrong.exited;
    await gone.restart();
    assert.equal((await cluster.settled()).id, leader.id);
  });

  test("a client that never reads is dropped in the end and costs the others nothing", async () => {
    using folder = new WorkFolder();
    await using node = await solo(folder);
    await until("a leader", async () => ((await node.status()).role === "leader" ? true : undefined));
    const redis = await connected(node.respPort);
    await redis.set("big", "x".repeat(500_000));
    const deaf = connect({ port: node.respPort, host: "127.0.0.1" });
    deaf.on("error", () => {});
    deaf.pause();
    deaf.write("GET big\r\n".repeat(5_000));
    for (let i = 0; i < 200; i++) await redis.set("small", String(i));
    const list = String(await redis.client("LIST"));
    assert.equal(list.trim().split("\n").length, 2);
    const memory = Number(/VmRSS:\s+(\d+) kB/.exec((await run("cat", [`/proc/${node.child.pid}/status`])).stdout)?.[1]);
    assert.ok(memory < 400_000, `${memory} kB`);
    deaf.destroy();
    redis.disconnect();
  });
});
