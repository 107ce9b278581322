/** The servers in the comparison of caches: one process each, with a RESP port. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { PinnedProcess } from "../pinned-process.ts";
import { askStatus } from "./cache-status.ts";
import { freePort, SERVER_CORE, temporaryFolder, untilListening } from "./running-server.ts";

const MAIN = join(import.meta.dirname, "..", "..", "packages", "server", "dist", "main.js");
const REDIS = "/usr/bin/redis-server";

export type CacheServerName = "redis" | "sluice";

export interface CacheServer extends AsyncDisposable {
  readonly name: CacheServerName;
  readonly process: PinnedProcess;
  readonly port: number;
}

export const hasRedis = (): boolean => existsSync(REDIS);

/** Debian's, in memory only: never writes a file. */
export async function startRedis(): Promise<CacheServer> {
  const port = await freePort();
  const args = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
  const process = new PinnedProcess({ core: SERVER_CORE, command: REDIS, args });
  await untilListening(port, 10_000);
  return { name: "redis", process, port, [Symbol.asyncDispose]: () => process[Symbol.asyncDispose]() };
}

/** A single node, as `sluice cache` starts it: with its log on disk. */
export async function startSluiceCache(): Promise<CacheServer> {
  const folder = temporaryFolder();
  const port = await freePort();
  const members = `n1=127.0.0.1:${await freePort()}`;
  const process = startMember({ core: SERVER_CORE, id: "n1", members, port, dir: folder.path, ack: "quorum" });
  await process.take("ready", 15_000);
  while ((await askStatus(port))?.role !== "leader") await sleep(20);
  return {
    name: "sluice",
    process,
    port,
    async [Symbol.asyncDispose]() {
      await process[Symbol.asyncDispose]();
      folder.remove();
    },
  };
}

export interface MemberStart {
  readonly core: number | string;
  readonly id: string;
  readonly members: string;
  readonly port: number;
  readonly dir: string;
  readonly ack: string;
}

export function startMember({ core, id, members, port, dir, ack }: MemberStart): PinnedProcess {
  const own = ["--id", id, "--members", members, "--resp", `127.0.0.1:${port}`, "--dir", dir, "--ack", ack];
  const args = [MAIN, "cache", ...own, "--log-level", "error"];
  return new PinnedProcess({ core, command: process.execPath, args });
}
