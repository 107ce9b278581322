/** Time from connect() to the first whole key frame: a few joins on an idle server, then 500 joins a second coming and going. */
import { setTimeout as sleep } from "node:timers/promises";
import {
  type Cell,
  GOP_SETTLE_MS,
  measureInterval,
  type Quantiles,
  portFor,
  startPublisher,
  startServer,
  startSink,
} from "../cell.ts";
import { cellName } from "../cell-table.ts";
import { type BenchOptions, makeCell } from "../options.ts";
import { hasSluice } from "../peers/sluice.ts";
import { formatTable, percent, short } from "../table.ts";
import { judge, readBudget, type ScenarioResult, type Verdict } from "../verdict.ts";

interface JoinResult {
  readonly cell: Cell;
  readonly joinsPerSecond: number;
  readonly joins: number;
  readonly join: Quantiles;
  readonly play: Quantiles;
  readonly lost: number;
  readonly serverShare: number;
}

/** How long a player stays in the scenario of many short joins. */
const HOLD_MS = 2_000;

async function measureJoins(cell: Cell, joinsPerSecond: number, options: BenchOptions): Promise<JoinResult> {
  await using server = await startServer(cell);
  await using _publisher = await startPublisher(server);
  await sleep(GOP_SETTLE_MS);
  const timing = { ...options.timing, joinsPerSecond };
  await using sink = startSink(portFor(server, cell), cell, timing, ["--hold-ms", String(HOLD_MS)]);
  const joined = await sink.take("joined", (cell.players / joinsPerSecond) * 1_000 + 30_000);
  await sleep(HOLD_MS);
  const { report, cpu } = await measureInterval(server, sink, options.timing.measureMs);
  return {
    cell,
    joinsPerSecond,
    joins: report.joins,
    join: report.join,
    play: report.play,
    lost: report.lost + Number(joined["lost"]),
    serverShare: cpu / report.seconds,
  };
}

function judgeJoin(result: JoinResult): Verdict[] {
  const name = `${cellName(result.cell)}, ${result.joinsPerSecond} joins/s`;
  return [judgeTime(result, name), judge(readBudget(), "faults", `${name}: lost`, result.lost)];
}

function judgeTime(result: JoinResult, name: string): Verdict {
  if (result.joinsPerSecond < 100)
    return judge(readBudget(), `join.${result.cell.protocol}.p50Ms`, `${name}: join p50 ms`, result.join.p50);
  return judge(readBudget(), "join.busy.p99Ms", `${name}: join p99 ms`, result.join.p99);
}

function rowOf(r: JoinResult): string[] {
  const times = [r.join.p50, r.join.p99, r.join.max, r.play.p50, r.play.p99].map(short);
  return [
    cellName(r.cell),
    String(r.joinsPerSecond),
    String(r.joins),
    ...times,
    percent(r.serverShare),
    String(r.lost),
  ];
}

export async function join(options: BenchOptions): Promise<ScenarioResult> {
  const servers =
    options.servers.length > 0
      ? options.servers
      : hasSluice()
        ? (["sluice", "node-media-server"] as const)
        : (["node-media-server"] as const);
  const protocols = options.protocols.length > 0 ? options.protocols : (["rtmp", "http", "ws"] as const);
  const results: JoinResult[] = [];
  for (const server of servers)
    for (const protocol of protocols)
      for (const [joinsPerSecond, players] of [
        [20, 40],
        [options.timing.joinsPerSecond, options.timing.joinsPerSecond * 2],
      ] as const) {
        const cell = makeCell({
          server,
          protocol,
          players,
          tls: options.tls,
          window: options.windows[0] ?? "100ms",
          settings: options.settings,
        });
        try {
          results.push(await measureJoins(cell, joinsPerSecond, options));
        } catch (error) {
          console.error(`${cellName(cell)}: failed: ${error instanceof Error ? error.message : String(error)}`);
        }
      }
  console.log(
    formatTable(
      ["cell", "joins/s", "joins", "join p50", "p99", "max", "from play p50", "p99", "CPU", "lost"],
      results.map(rowOf),
    ),
  );
  return { results, verdicts: results.filter((r) => r.cell.server === "sluice" && !r.cell.tls).flatMap(judgeJoin) };
}
