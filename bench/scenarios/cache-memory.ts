/** Memory of a million keys of 16 bytes with values of 64, compared with Redis. */
import { setTimeout as sleep } from "node:timers/promises";
import type { BenchOptions } from "../options.ts";
import { type CacheServer, hasRedis, startRedis, startSluiceCache } from "../peers/cache-server.ts";
import { privateBytes, residentBytes } from "../proc-stat.ts";
import { fill } from "../resp-load.ts";
import { formatTable, short } from "../table.ts";
import { judge, readBudget, type ScenarioResult } from "../verdict.ts";

const KEYS = 1_000_000;
const MEGABYTE = 1024 * 1024;
/** Enough for snapshots to be written and garbage to be collected. */
const REST_MS = 8_000;

interface MemoryResult {
  readonly server: string;
  readonly emptyMegabytes: number;
  readonly megabytes: number;
  /** Without file pages, which the system reclaims when needed. */
  readonly privateMegabytes: number;
  readonly fillSeconds: number;
}

async function measure(starting: Promise<CacheServer>): Promise<MemoryResult> {
  await using server = await starting;
  const { pid } = server.process;
  await sleep(1_500);
  const empty = residentBytes(pid);
  const start = performance.now();
  await fill(server.port, KEYS);
  const fillSeconds = (performance.now() - start) / 1_000;
  await sleep(REST_MS);
  return {
    server: server.name,
    emptyMegabytes: empty / MEGABYTE,
    megabytes: residentBytes(pid) / MEGABYTE,
    privateMegabytes: privateBytes(pid) / MEGABYTE,
    fillSeconds,
  };
}

export async function cacheMemory(_options: BenchOptions): Promise<ScenarioResult> {
  if (!hasRedis()) return { results: [], verdicts: [] };
  const results = [await measure(startRedis()), await measure(startSluiceCache())] as const;
  const rows = results.map((r) => [
    r.server,
    ...[r.emptyMegabytes, r.megabytes, r.privateMegabytes, r.fillSeconds].map(short),
  ]);
  console.log(formatTable(["a million keys", "MB empty", "MB resident", "MB without files", "s to fill"], rows));
  const [redis, sluice] = results;
  const ratio = sluice.privateMegabytes / redis.privateMegabytes;
  const verdict = judge(readBudget(), "cache.memory.overRedis", "a million keys: times Redis's memory", ratio);
  return { results, verdicts: [verdict] };
}
