/** The cache without the media server: what it loads, and its package alone in an empty folder. */
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Redis } from "ioredis";
import { until } from "@sluice/testkit/until";

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL("..", import.meta.url));
/** What the package needs of ours. */
const PACKED = ["base", "bytes", "mesh", "cache", "runtime", "gcache"];

async function folder(t: { after(release: () => Promise<void>): void }): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "sluice-cache-alone-"));
  t.after(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

test("sluice cache loads no room of media", async (t) => {
  const dir = await folder(t);
  const list = join(dir, "loaded.txt");
  const hook = join(dir, "hook.mjs");
  await writeFile(
    hook,
    `import { registerHooks } from "node:module"; import { appendFileSync } from "node:fs";
     registerHooks({ load(url, context, next) { appendFileSync(${JSON.stringify(list)}, url + "\\n"); return next(url, context); } });`,
  );
  const argv = [
    "--import",
    hook,
    "packages/server/dist/main.js",
    "cache",
    "--resp",
    "127.0.0.1:0",
    "--dir",
    join(dir, "d"),
  ];
  const child = spawn(process.execPath, [...argv, "--members", "n1=127.0.0.1:0"], { cwd: ROOT });
  t.after(() => child.kill("SIGKILL"));
  const [line] = await new Promise<[string]>((resolve, reject) => {
    createInterface(child.stdout).once("line", (text) => resolve([text]));
    child.once("exit", (code) => reject(new Error(`ended with ${code}`)));
  });
  assert.match(line, /"event":"ready"/);
  const loaded = (await readFile(list, "utf8")).split("\n").filter((url) => url.includes("/packages/"));
  const rooms = new Set(loaded.map((url) => /\/packages\/(\w+)\//.exec(url)?.[1] ?? ""));
  assert.deepEqual([...rooms].sort(), ["base", "bytes", "cache", "gcache", "mesh", "runtime", "server"]);
  const ofServer = loaded.filter((url) => url.includes("/packages/server/")).map((url) => url.split("/dist/")[1]);
  assert.ok(
    !ofServer.some((file) => /^(node|rtmp|http|sessions|streams|auth|admin)\//.test(file ?? "")),
    ofServer.join(),
  );
});

test("the package of the cache, packed with what it needs, runs in an empty folder", async (t) => {
  const dir = await folder(t);
  for (const name of PACKED) {
    await run("npm", ["pack", "--silent", "--pack-destination", dir, `./packages/${name}`], { cwd: ROOT });
  }
  const archives = (await readdir(dir)).filter((file) => file.endsWith(".tgz")).map((file) => `./${file}`);
  assert.equal(archives.length, PACKED.length);
  await writeFile(join(dir, "package.json"), '{ "private": true, "type": "module" }\n');
  const flags = ["--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"];
  await run("npm", ["install", ...flags, ...archives], { cwd: dir });
  const bin = join(dir, "node_modules", ".bin", "sluice-cache");
  const argv = [bin, "--resp", "127.0.0.1:0", "--members", "n1=127.0.0.1:0", "--dir", join(dir, "data")];
  const child = spawn(process.execPath, argv, { cwd: dir });
  t.after(() => child.kill("SIGKILL"));
  const ready = await new Promise<{ readonly listeners: { readonly resp: string } }>((resolve, reject) => {
    createInterface(child.stdout).once("line", (text) => resolve(JSON.parse(text)));
    let said = "";
    child.stderr.on("data", (bytes: Buffer) => (said += bytes.toString()));
    child.once("exit", (code) => reject(new Error(`ended with ${code}: ${said}`)));
  });
  const [host = "", port = ""] = ready.listeners.resp.split(":");
  const redis = new Redis({ host, port: Number(port) });
  t.after(() => redis.disconnect());
  await until("it to lead", () => redis.set("packed", "yes").catch(() => undefined));
  assert.equal(await redis.get("packed"), "yes");
  const script = `import { openCacheNode, NODE_CRYPTO, SILENT_LOG, SILENT_METER, SystemClock } from "@sluice/gcache";
    await using node = await openCacheNode({ id: "n1", address: "none", founders: new Map([["n1", "127.0.0.1:0"]]),
      clock: new SystemClock(), log: SILENT_LOG, meter: SILENT_METER, crypto: NODE_CRYPTO });
    while ((await node.barrier()) !== "reached") await new Promise((resolve) => setTimeout(resolve, 20));
    console.log(node.status().role);`;
  await writeFile(join(dir, "embed.mjs"), script);
  assert.equal((await run(process.execPath, ["embed.mjs"], { cwd: dir })).stdout.trim(), "leader");
});
