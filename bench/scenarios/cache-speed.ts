/** A cache node alone against Debian's redis-server: same core, same client, in turns. */
import type { BenchOptions } from "../options.ts";
import { type CacheServer, hasRedis, startRedis, startSluiceCache } from "../peers/cache-server.ts";
import { measureLoad, openClient, redisBenchmark } from "../resp-load.ts";
import { median } from "../statistics.ts";
import { formatTable, short } from "../table.ts";
import { judgeFloor, readBudget, type ScenarioResult } from "../verdict.ts";

const TURNS = 3;
const IN_FLIGHT = 100;
const REQUESTS = 400_000;

const JUDGED = ["ioredis SET", "ioredis GET", "-P 16 SET", "-P 16 GET"] as const;
const MEASURES = [...JUDGED, "-P 16 -r 100000 SET", "-P 16 -r 100000 GET"] as const;
type Rates = Readonly<Record<(typeof MEASURES)[number], number>>;

async function measure(server: CacheServer, seconds: number): Promise<Rates> {
  const redis = await openClient(server.port);
  const load = { inFlight: IN_FLIGHT, seconds } as const;
  const set = await measureLoad(redis, { ...load, command: "set" });
  const get = await measureLoad(redis, { ...load, command: "get" });
  redis.disconnect();
  const one = await redisBenchmark(server.port, REQUESTS);
  const many = await redisBenchmark(server.port, REQUESTS, ["-r", "100000", "-d", "64"]);
  return {
    "ioredis SET": set.perSecond,
    "ioredis GET": get.perSecond,
    "-P 16 SET": one["SET"] ?? Number.NaN,
    "-P 16 GET": one["GET"] ?? Number.NaN,
    "-P 16 -r 100000 SET": many["SET"] ?? Number.NaN,
    "-P 16 -r 100000 GET": many["GET"] ?? Number.NaN,
  };
}

export async function cacheSpeed(options: BenchOptions): Promise<ScenarioResult> {
  if (!hasRedis()) return { results: [], verdicts: [] };
  const seconds = options.seconds ?? 3;
  await using redis = await startRedis();
  await using sluice = await startSluiceCache();
  await measure(sluice, 3); // compiled and grown by then; Redis gets the same
  await measure(redis, 3);
  const turns: { readonly redis: Rates; readonly sluice: Rates }[] = [];
  for (let turn = 0; turn < Math.max(TURNS, options.repeats); turn++) {
    turns.push({ redis: await measure(redis, seconds), sluice: await measure(sluice, seconds) });
  }
  const ratio = (name: keyof Rates): number => median(turns.map((turn) => turn.sluice[name] / turn.redis[name]));
  const rows = MEASURES.map((name) => [
    name,
    ...(["redis", "sluice"] as const).map((server) => short(median(turns.map((turn) => turn[server][name])))),
    short(ratio(name)),
  ]);
  console.log(formatTable(["requests a second", "redis", "sluice", "ratio"], rows));
  const verdicts = JUDGED.map((name) => {
    const id = name.startsWith("ioredis") ? "cache.ioredis.overRedis" : "cache.pipeline.overRedis";
    return judgeFloor(readBudget(), id, `${name}: share of Redis`, ratio(name));
  });
  return { results: turns, verdicts };
}
