/** Many publishers of 1 Mbit/s and no viewer. */
import { setTimeout as sleep } from "node:timers/promises";
import { type Quantiles, type ServerName, startPublisher, startServer } from "../cell.ts";
import { type BenchOptions, makeCell } from "../options.ts";
import { hasSluice } from "../peers/sluice.ts";
import { cpuSeconds, residentBytes } from "../proc-stat.ts";
import { formatTable, percent, short } from "../table.ts";
import { judge, readBudget, type ScenarioResult } from "../verdict.ts";

interface IngestResult {
  readonly server: ServerName;
  readonly publishers: number;
  readonly serverShare: number;
  readonly cost: number;
  readonly residentPerPublisher: number;
  readonly live: number;
  /** Frames dropped because the server's socket was full for longer than the publisher's buffer lasts. */
  readonly dropped: number;
  readonly blocked: number;
  readonly lost: number;
  readonly late: Quantiles;
}

async function measureIngest(name: ServerName, publishers: number, options: BenchOptions): Promise<IngestResult> {
  await using server = await startServer(makeCell({ server: name, settings: options.settings }));
  const { pid } = server.process;
  const before = residentBytes(pid);
  await using publisher = await startPublisher(server, ["--publishers", String(publishers), "--rate", "50"], 30_000);
  await sleep(options.timing.warmupMs);
  publisher.send("report");
  await publisher.take("report", 5_000);
  const cpu = cpuSeconds(pid);
  await sleep(options.timing.measureMs);
  const spent = cpuSeconds(pid) - cpu;
  publisher.send("report");
  const report = await publisher.take("report", 5_000);
  return {
    server: name,
    publishers,
    serverShare: spent / (options.timing.measureMs / 1_000),
    cost: spent / ((Number(report["bytes"]) * 8) / 1e9),
    residentPerPublisher: (residentBytes(pid) - before) / publishers,
    live: Number(report["live"]),
    dropped: Number(report["dropped"]),
    blocked: Number(report["blocked"]),
    lost: Number(report["lost"]),
    late: report["late"] as Quantiles,
  };
}

function rowOf(r: IngestResult): string[] {
  const counts = [r.live, r.dropped, r.blocked, r.lost].map(String);
  return [
    `${r.server} ×${r.publishers}`,
    percent(r.serverShare),
    short(r.cost),
    ...counts,
    short(r.late.p99),
    short(r.residentPerPublisher / 1024),
  ];
}

export async function ingest(options: BenchOptions): Promise<ScenarioResult> {
  const all = (["sluice", "nginx-rtmp", "node-media-server"] as const).filter(
    (name) => name !== "sluice" || hasSluice(),
  );
  const results: IngestResult[] = [];
  for (const server of options.servers.length > 0 ? options.servers : all) {
    try {
      results.push(await measureIngest(server, options.players[0] ?? 300, options));
    } catch (error) {
      console.error(`${server}: failed: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  console.log(
    formatTable(
      ["cell", "CPU", "cost", "live", "dropped", "blocked", "lost", "late p99 ms", "KB/publisher"],
      results.map(rowOf),
    ),
  );
  const verdicts = results
    .filter((r) => r.server === "sluice")
    .flatMap((r) => [
      judge(readBudget(), "ingest.coreShare", `${r.publishers} publishers: share of a core`, r.serverShare),
      judge(
        readBudget(),
        "faults",
        `${r.publishers} publishers: lost or dropped`,
        r.lost + r.dropped + r.publishers - r.live,
      ),
    ]);
  return { results, verdicts };
}
