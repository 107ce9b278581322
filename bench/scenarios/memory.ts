/** Resident memory: per playing viewer, with stalled viewers, and over publish/unpublish cycles. */
import { setTimeout as sleep } from "node:timers/promises";
import {
  type CellResult,
  GOP_SETTLE_MS,
  portFor,
  runCell,
  startPublisher,
  startServer,
  startSink,
  type ServerName,
} from "../cell.ts";
import { cellName } from "../cell-table.ts";
import { nativeProgram } from "../native.ts";
import { type BenchOptions, makeCell } from "../options.ts";
import { PLAYER_CORE, type RunningServer } from "../peers/running-server.ts";
import { hasSluice } from "../peers/sluice.ts";
import { PinnedProcess } from "../pinned-process.ts";
import { residentBytes } from "../proc-stat.ts";
import { formatTable, short } from "../table.ts";
import { judge, readBudget, type ScenarioResult, type Verdict } from "../verdict.ts";

const MEGABYTE = 1024 * 1024;
const STALLED = 200;
const CYCLES = 1_000;
/** The first full collection comes after some two to six thousand cycles. */
const CYCLE_ROUNDS = 9;

const serversOf = (options: BenchOptions, fallback: readonly ServerName[]): readonly ServerName[] =>
  (options.servers.length > 0 ? options.servers : fallback).filter((name) => name !== "sluice" || hasSluice());

/** (RSS with N players − RSS with none) / N, per protocol. */
export async function memory(options: BenchOptions): Promise<ScenarioResult> {
  const results: CellResult[] = [];
  for (const server of serversOf(options, ["sluice", "nginx-rtmp", "node-media-server"]))
    for (const [protocol, tls] of [
      ["rtmp", false],
      ["http", false],
      ["ws", false],
      ["rtmp", true],
      ["http", true],
    ] as const) {
      if (server === "nginx-rtmp" && (protocol !== "rtmp" || tls)) continue;
      const cell = makeCell({
        server,
        protocol,
        tls,
        players: options.players[0] ?? 1_000,
        window: options.windows[0] ?? "100ms",
        settings: options.settings,
      });
      const joinsPerSecond = tls ? 150 : 300;
      try {
        results.push(await runCell(cell, { joinsPerSecond, warmupMs: 6_000, measureMs: 4_000 }));
      } catch (error) {
        console.error(`${cellName(cell)}: failed: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  console.log(
    formatTable(
      ["cell", "KB/player"],
      results.map((r) => [cellName(r.cell), short(r.residentPerPlayer / 1024)]),
    ),
  );
  const verdicts = results
    .filter((r) => r.cell.server === "sluice")
    .map((r) =>
      judge(
        readBudget(),
        `memory.${r.cell.tls ? "tls" : r.cell.protocol}.kilobytes`,
        `${cellName(r.cell)}: KB per player`,
        r.residentPerPlayer / 1024,
      ),
    );
  return { results, verdicts };
}

export interface StalledResult {
  readonly server: ServerName;
  readonly seconds: number;
  /** Resident megabytes: before the stall, at half time, the highest, at the end. */
  readonly before: number;
  readonly half: number;
  readonly most: number;
  readonly end: number;
  /** Players the server closed. */
  readonly dropped: number;
}

const megabytesOf = (server: RunningServer): number => residentBytes(server.process.pid) / MEGABYTE;

async function measureStalled(name: ServerName, options: BenchOptions): Promise<StalledResult> {
  const cell = makeCell({
    server: name,
    protocol: options.protocols[0] ?? "rtmp",
    players: 2 * STALLED,
    tls: options.tls,
    window: options.windows[0] ?? "100ms",
    settings: options.settings,
  });
  const seconds = options.seconds ?? 60;
  await using server = await startServer(cell);
  await using _publisher = await startPublisher(server);
  await sleep(GOP_SETTLE_MS);
  await using sink = startSink(portFor(server, cell), cell, { ...options.timing, joinsPerSecond: 200 });
  await sink.take("joined", 60_000);
  await sleep(5_000);
  const before = megabytesOf(server);
  sink.send("mark");
  sink.send(`stall ${STALLED}`);
  const samples: number[] = [];
  for (let second = 0; second < seconds; second += 2) {
    await sleep(2_000);
    samples.push(megabytesOf(server));
  }
  sink.send("wake");
  await sleep(2_000);
  sink.send("report");
  const report = await sink.take("report", 10_000);
  const half = samples[Math.floor(samples.length / 2)] ?? before;
  return {
    server: name,
    seconds,
    before,
    half,
    most: Math.max(...samples),
    end: samples.at(-1) ?? before,
    dropped: Number(report["lost"]),
  };
}

export async function stalled(options: BenchOptions): Promise<ScenarioResult> {
  const results: StalledResult[] = [];
  for (const server of serversOf(options, ["sluice", "nginx-rtmp", "node-media-server"]))
    results.push(await measureStalled(server, options));
  const rows = results.map((r) => [
    `${r.server}, ${STALLED} stalled for ${r.seconds} s`,
    ...[r.before, r.half, r.most, r.end].map(short),
    String(r.dropped),
  ]);
  console.log(formatTable(["cell", "MB before", "MB half time", "MB most", "MB end", "dropped"], rows));
  const verdicts = results
    .filter((r) => r.server === "sluice")
    .map(
      (r): Verdict =>
        judge(
          readBudget(),
          "memory.stalled.growthMegabytes",
          `${STALLED} stalled: MB grown after half time`,
          r.end - r.half,
        ),
    );
  return { results, verdicts };
}

async function runCycles(server: RunningServer, cycles: number): Promise<void> {
  const args = [
    "--port",
    String(server.ports.rtmp),
    "--publishers",
    "5",
    "--cycles",
    String(cycles),
    "--cycle-ms",
    "100",
  ];
  await using publisher = new PinnedProcess({ core: PLAYER_CORE, command: nativeProgram("pub"), args });
  await publisher.take("report", 30_000 + cycles * 200);
}

/** Rounds of a thousand cycles; what the last one adds is judged, as V8 collects the whole heap only every few rounds. */
export async function cycles(options: BenchOptions): Promise<ScenarioResult> {
  const results: { server: ServerName; start: number; before: number; end: number }[] = [];
  for (const name of serversOf(options, ["sluice", "nginx-rtmp"])) {
    await using server = await startServer(makeCell({ server: name, settings: options.settings }));
    await runCycles(server, 200);
    const start = megabytesOf(server);
    for (let round = 1; round < (name === "sluice" ? CYCLE_ROUNDS : 2); round++) await runCycles(server, CYCLES);
    const before = megabytesOf(server);
    await runCycles(server, CYCLES);
    await sleep(3_000);
    results.push({ server: name, start, before, end: megabytesOf(server) });
  }
  console.log(
    formatTable(
      ["cell", "MB after 200", "before the last round", `after ${CYCLES} more`],
      results.map((r) => [r.server, short(r.start), short(r.before), short(r.end)]),
    ),
  );
  const verdicts = results
    .filter((r) => r.server === "sluice")
    .map((r) => judge(readBudget(), "memory.cycles.growthMegabytes", `${CYCLES} cycles: MB grown`, r.end - r.before));
  return { results, verdicts };
}
