/** A single cache node against Debian's redis-server: same core, same client, alternating. */
import type { Redis } from "ioredis";
import type { BenchOptions } from "../options.ts";
import {
  type CacheServer,
  type CacheServerName,
  hasRedis,
  startRedis,
  startSluiceCache,
} from "../peers/cache-server.ts";
import { measureLoad, openClient, redisBenchmark } from "../resp-load.ts";
import { median } from "../statistics.ts";
import { formatTable, short } from "../table.ts";
import { judgeFloor, readBudget, type ScenarioResult } from "../verdict.ts";

const TURNS = 7;
const IN_FLIGHT = 100;
const REQUESTS = 400_000;
const SLICE_SECONDS = 1.5;
const MANY_KEYS = ["-r", "100000", "-d", "64"];

/** Requests per second of one server, by one kind of request. */
interface Measure {
  readonly name: string;
  /** Id in the budget; without one the result is only shown. */
  readonly goal?: string;
  readonly take: (of: Measured, seconds: number) => Promise<number>;
}

interface Measured {
  readonly server: CacheServer;
  readonly redis: Redis;
}

const ioredis = (command: "set" | "get"): Measure => ({
  name: `ioredis ${command.toUpperCase()}`,
  goal: "cache.ioredis.overRedis",
  take: async ({ redis }, seconds) => (await measureLoad(redis, { inFlight: IN_FLIGHT, seconds, command })).perSecond,
});

const pipelined = (command: "set" | "get", more: readonly string[] = []): Measure => ({
  name: `-P 16 ${more.length > 0 ? "-r 100000 " : ""}${command.toUpperCase()}`,
  ...(more.length === 0 && { goal: "cache.pipeline.overRedis" }),
  take: ({ server }) => redisBenchmark(server.port, { command, requests: REQUESTS, more }),
});

const MEASURES: readonly Measure[] = [
  ioredis("set"),
  ioredis("get"),
  pipelined("set"),
  pipelined("get"),
  pipelined("set", MANY_KEYS),
  pipelined("get", MANY_KEYS),
];

interface Pair {
  readonly redis: number;
  readonly sluice: number;
}

/** Measures both servers within seconds, so that other load of the machine affects both. */
async function takePairs(
  measure: Measure,
  of: Readonly<Record<CacheServerName, Measured>>,
  { turns, seconds }: { readonly turns: number; readonly seconds: number },
): Promise<Pair[]> {
  for (const one of Object.values(of)) await measure.take(one, 3); // warm-up: code compiled, memory grown
  const pairs: Pair[] = [];
  for (let turn = 0; turn < turns; turn++) {
    const redis = await measure.take(of.redis, seconds);
    pairs.push({ redis, sluice: await measure.take(of.sluice, seconds) });
  }
  return pairs;
}

export async function cacheSpeed(options: BenchOptions): Promise<ScenarioResult> {
  if (!hasRedis()) return { results: [], verdicts: [] };
  const [seconds, turns] = [options.seconds ?? SLICE_SECONDS, Math.max(TURNS, options.repeats)];
  await using redisServer = await startRedis();
  await using sluiceServer = await startSluiceCache();
  const of = {
    redis: { server: redisServer, redis: await openClient(redisServer.port) },
    sluice: { server: sluiceServer, redis: await openClient(sluiceServer.port) },
  };
  const taken: { readonly measure: Measure; readonly pairs: readonly Pair[] }[] = [];
  for (const measure of MEASURES) taken.push({ measure, pairs: await takePairs(measure, of, { turns, seconds }) });
  for (const { redis } of Object.values(of)) redis.disconnect();

  const ratioOf = (pairs: readonly Pair[]): number => median(pairs.map(({ redis, sluice }) => sluice / redis));
  const rows = taken.map(({ measure, pairs }) => [
    measure.name,
    short(median(pairs.map(({ redis }) => redis))),
    short(median(pairs.map(({ sluice }) => sluice))),
    short(ratioOf(pairs)),
  ]);
  console.log(formatTable(["requests a second", "redis", "sluice", "ratio"], rows));
  const verdicts = taken.flatMap(({ measure: { name, goal }, pairs }) =>
    goal === undefined ? [] : [judgeFloor(readBudget(), goal, `${name}: share of Redis`, ratioOf(pairs))],
  );
  return { results: taken.map(({ measure, pairs }) => ({ name: measure.name, pairs })), verdicts };
}
