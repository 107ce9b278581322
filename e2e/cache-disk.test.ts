/** A cache process on a disk that fills up: it says so, ends, and has kept everything that it acknowledged. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { freePort } from "@sluice/testkit/free-port";
import { CacheMember, openRedis } from "./support/cache-member.ts";
import { WorkFolder } from "./support/clip.ts";
import { until } from "@sluice/testkit/until";

const SMALL = "size=40m";
const LARGE = "remount,size=200m";

/** A file system of its own, for as long as the test runs. */
function mountSmall(path: string): Disposable {
  mkdirSync(path);
  execFileSync("mount", ["-t", "tmpfs", "-o", SMALL, "none", path]);
  return { [Symbol.dispose]: () => void execFileSync("umount", ["--lazy", path]) };
}

test("a full disk ends a node with its reason, and nothing acknowledged is lost", async (t) => {
  if (process.getuid?.() !== 0) return t.skip("only root may mount a small file system");
  using folder = new WorkFolder();
  const disk = join(folder.path, "disk");
  using _mounted = mountSmall(disk);
  const members = `n1=127.0.0.1:${await freePort()}`;
  await using node = await CacheMember.start({ id: "n1", members, respPort: await freePort(), dir: join(disk, "n1") });
  await until("a leader", async () => ((await node.status()).role === "leader" ? true : undefined));
  const redis = openRedis(node.respPort);
  await redis.connect();
  let acknowledged = 0;
  const refusal = await (async () => {
    for (;;) {
      try {
        await redis.set(`key ${acknowledged}`, "x".repeat(50_000));
        acknowledged++;
      } catch (error) {
        return error as Error;
      }
    }
  })();
  assert.match(refusal.message, /UNKNOWNOUTCOME|MISCONF|closed/);
  redis.disconnect();
  assert.equal((await node.child.exited).code, 1);
  assert.match(node.child.output("stderr"), /the disk is full/);
  assert.ok(acknowledged > 50, `${acknowledged} writes`);

  execFileSync("mount", ["-o", LARGE, disk]);
  await node.restart();
  await until("a leader", async () => ((await node.status()).role === "leader" ? true : undefined));
  const again = openRedis(node.respPort);
  await again.connect();
  const keys = Array.from({ length: acknowledged }, (_, place) => `key ${place}`);
  assert.equal(await again.exists(...keys), acknowledged);
  again.disconnect();
});
