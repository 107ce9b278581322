/** Writes acknowledged by three voters: per second with a hundred in flight, and the latency of a single one. */
import type { BenchOptions } from "../options.ts";
import { CacheVoters } from "../peers/cache-voters.ts";
import { measureLoad, openClient } from "../resp-load.ts";
import { formatTable, short } from "../table.ts";
import { judge, judgeFloor, readBudget, type ScenarioResult } from "../verdict.ts";

interface VotersResult {
  readonly ack: string;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly serialP50Ms: number;
  readonly serialP99Ms: number;
}

async function measure(ack: string, seconds: number): Promise<VotersResult> {
  await using voters = await CacheVoters.start(ack);
  const redis = await openClient(voters.portOf(await voters.settled()));
  await measureLoad(redis, { inFlight: 100, seconds: 2, command: "set" });
  const { perSecond, p50Ms, p99Ms } = await measureLoad(redis, { inFlight: 100, seconds, command: "set" });
  const serial = await measureLoad(redis, { inFlight: 1, seconds: 3, command: "set" });
  redis.disconnect();
  return { ack, perSecond, p50Ms, p99Ms, serialP50Ms: serial.p50Ms, serialP99Ms: serial.p99Ms };
}

export async function cacheVoters(options: BenchOptions): Promise<ScenarioResult> {
  const seconds = options.seconds ?? 5;
  const memory = await measure("quorum", seconds);
  const fsync = await measure("quorum+fsync", seconds);
  const columns = ["three voters, --ack", "writes/s", "p50 ms", "p99 ms", "serial p50 ms", "serial p99 ms"];
  const rows = [memory, fsync].map((r) => [
    r.ack,
    ...[r.perSecond, r.p50Ms, r.p99Ms, r.serialP50Ms, r.serialP99Ms].map(short),
  ]);
  console.log(formatTable(columns, rows));
  const budget = readBudget();
  const verdicts = [
    judgeFloor(budget, "cache.voters.writesPerSecond", "quorum, 100 in flight: writes/s", memory.perSecond),
    judgeFloor(budget, "cache.voters.fsync.writesPerSecond", "quorum+fsync, 100 in flight: writes/s", fsync.perSecond),
    judge(budget, "cache.voters.serial.p50Ms", "quorum, one at a time: p50 ms", memory.serialP50Ms),
    judge(budget, "cache.voters.fsync.serial.p50Ms", "quorum+fsync, one at a time: p50 ms", fsync.serialP50Ms),
  ];
  return { results: [memory, fsync], verdicts };
}
