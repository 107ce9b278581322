/** What a cluster of three costs when nothing happens, and whether its engine keeps its leader under load. */
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { GOP_SETTLE_MS, startPublisher, startSink } from "../cell.ts";
import { type BenchOptions, makeCell } from "../options.ts";
import { SluiceCluster } from "../peers/sluice-cluster.ts";
import { startSluice } from "../peers/sluice.ts";
import { cpuSeconds } from "../proc-stat.ts";
import { formatTable, short } from "../table.ts";
import { judge, readBudget, type ScenarioResult } from "../verdict.ts";

const LARGE_BYTES = 16_000_000;
const IDLE_SECONDS = 30;

/** Cores that each node of an idle cluster uses beyond what a lone one with the same engine does. */
async function measureIdle(seconds: number): Promise<{ readonly lone: number; readonly nodes: readonly number[] }> {
  await using alone = await startSluice({ window: "auto", tls: false, settings: ["engine.kind=gcache"] });
  await using cluster = await SluiceCluster.start([]);
  await sleep(10_000);
  const before = [cpuSeconds(alone.process.pid), ...cluster.cpuSeconds()];
  await sleep(seconds * 1_000);
  const after = [cpuSeconds(alone.process.pid), ...cluster.cpuSeconds()];
  const [lone = Number.NaN, ...nodes] = after.map((value, index) => (value - (before[index] ?? Number.NaN)) / seconds);
  return { lone, nodes };
}

/** Players on the node that leads, all of the rest on the other core. */
async function electionsUnderPlayers(options: BenchOptions): Promise<number> {
  const players = options.players[0] ?? 6_000;
  await using cluster = await SluiceCluster.start(["limits.connectionsPerAddress=0"]);
  const { leader } = cluster;
  await using _publisher = await startPublisher(leader);
  await sleep(GOP_SETTLE_MS);
  const before = await cluster.unrest();
  const cell = makeCell({ server: "sluice", players, window: "auto" });
  const port = leader.ports.rtmp ?? 0;
  await using sink = startSink(port, cell, options.timing);
  await sink.take("joined", (players / options.timing.joinsPerSecond) * 1_000 + 60_000);
  await sleep(options.timing.warmupMs + options.timing.measureMs);
  return (await cluster.unrest()) - before;
}

async function electionsUnderLargeValues(rounds: number): Promise<{ elections: number; refused: number }> {
  await using cluster = await SluiceCluster.start([]);
  const before = await cluster.unrest();
  const redis = new Redis({ host: "127.0.0.1", port: cluster.leader.ports.resp ?? 0, commandTimeout: 60_000 });
  let refused = 0;
  for (let round = 0; round < rounds; round++)
    await redis.set(`large:${round % 4}`, Buffer.alloc(LARGE_BYTES, round)).catch(() => refused++);
  redis.disconnect();
  return { elections: (await cluster.unrest()) - before, refused };
}

export async function cluster(options: BenchOptions): Promise<ScenarioResult> {
  const idle = await measureIdle(options.seconds ?? IDLE_SECONDS);
  const byPlayers = await electionsUnderPlayers(options);
  const large = await electionsUnderLargeValues(20);
  console.log(
    formatTable(["idle, cores", "lone", "leader", "voter", "voter"], [["", ...[idle.lone, ...idle.nodes].map(short)]]),
  );
  const budget = readBudget();
  const most = Math.max(...idle.nodes) - idle.lone;
  const verdicts = [
    judge(budget, "cluster.idle.coreShare", "idle node of three, cores beyond a lone one", most),
    judge(budget, "cluster.elections", "players on the leader: elections and terms", byPlayers),
    judge(budget, "cluster.elections", "20 values of 16 MB: elections and terms", large.elections),
    judge(budget, "faults", "20 values of 16 MB: not acknowledged", large.refused),
  ];
  return { results: [idle, byPlayers, large], verdicts };
}
