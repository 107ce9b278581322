/** One cell of the comparison: a server on its core, a publisher and players on the other, one steady interval measured. */
import { setTimeout as sleep } from "node:timers/promises";
import { nativeProgram } from "./native.ts";
import { startCLoop, startNodeLoop } from "./peers/loops.ts";
import { startNginxRtmp } from "./peers/nginx-rtmp.ts";
import { startNodeMediaServer } from "./peers/node-media-server.ts";
import { PLAYER_CORE, type Protocol, type RunningServer, SERVER_CORE } from "./peers/running-server.ts";
import { startSluice } from "./peers/sluice.ts";
import { type BenchEvent, PinnedProcess } from "./pinned-process.ts";
import { coreBusySeconds, cpuSeconds, loadAverage, residentBytes } from "./proc-stat.ts";

export type ServerName = "sluice" | "nginx-rtmp" | "node-media-server" | "node-loop" | "c-loop";

export interface Cell {
  readonly server: ServerName;
  readonly protocol: Protocol;
  readonly tls: boolean;
  readonly players: number;
  /** delivery.window of Sluice: `100ms`, `auto`, …; other servers ignore it. */
  readonly window: string;
  /** Writes per second and player of a loop. */
  readonly writes: number;
  readonly slices: number;
  readonly bytesPerSecond: number;
  /** More `key=value` settings for Sluice. */
  readonly settings: readonly string[];
}

export interface Timing {
  readonly joinsPerSecond: number;
  readonly warmupMs: number;
  /** A multiple of 2 s, so that every interval holds the same number of key frames. */
  readonly measureMs: number;
}

/** Quantiles in milliseconds. */
export interface Quantiles {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** What the sink counted since `mark`. */
export interface SinkReport {
  readonly seconds: number;
  readonly players: number;
  readonly bytes: number;
  readonly leastBytes: number;
  readonly mostBytes: number;
  readonly frames: number;
  readonly damaged: number;
  readonly holes: number;
  readonly backwards: number;
  readonly stalls: number;
  readonly maxGapMs: number;
  readonly lost: number;
  readonly joins: number;
  readonly latency: Quantiles;
  readonly join: Quantiles;
  readonly play: Quantiles;
}

export interface CellResult {
  readonly cell: Cell;
  /** CPU-seconds of the server per gigabit delivered. */
  readonly cost: number;
  readonly gigabits: number;
  /** Share of the server's core the server itself used, 0…1. */
  readonly serverShare: number;
  /** Share of the server's core that other processes used meanwhile: above 0.05 the cell is polluted. */
  readonly othersShare: number;
  /** Share of the players' core that was busy at all: near 1 the players themselves are the limit. */
  readonly playersShare: number;
  readonly load: number;
  readonly join: Quantiles;
  readonly play: Quantiles;
  readonly report: SinkReport;
  readonly residentPerPlayer: number;
  readonly lostWhileJoining: number;
}

export function startServer(cell: Cell): Promise<RunningServer> {
  switch (cell.server) {
    case "sluice":
      return startSluice(cell);
    case "nginx-rtmp":
      return startNginxRtmp();
    case "node-media-server":
      return startNodeMediaServer();
    case "node-loop":
      return startNodeLoop(cell);
    case "c-loop":
      return startCLoop(cell);
  }
}

export function portFor(server: RunningServer, cell: Cell): number {
  const port = server.ports[cell.tls ? (`${cell.protocol}+tls` as const) : cell.protocol];
  if (port === undefined)
    throw new Error(`${cell.server} does not serve ${cell.protocol}${cell.tls ? " over TLS" : ""}`);
  return port;
}

export async function startPublisher(
  server: RunningServer,
  extra: readonly string[] = [],
  timeoutMs = 15_000,
): Promise<PinnedProcess> {
  const args = ["--port", String(server.ports.rtmp), ...extra];
  const publisher = new PinnedProcess({ core: PLAYER_CORE, command: nativeProgram("pub"), args });
  try {
    await publisher.take("live", timeoutMs);
  } catch (error) {
    await publisher[Symbol.asyncDispose]();
    throw error;
  }
  return publisher;
}

export function startSink(port: number, cell: Cell, timing: Timing, extra: readonly string[] = []): PinnedProcess {
  const who = [
    "--protocol",
    cell.protocol,
    "--port",
    String(port),
    "--tls",
    cell.tls ? "1" : "0",
    "--players",
    String(cell.players),
  ];
  const args = [...who, "--rate", String(timing.joinsPerSecond), ...extra];
  return new PinnedProcess({ core: PLAYER_CORE, command: nativeProgram("sink"), args });
}

/** Of an event's field; not a number where nothing was counted, so that nothing measured never meets a goal. */
export function asQuantiles(event: BenchEvent, name: string): Quantiles {
  const quantiles = event[name] as Quantiles;
  return quantiles.count > 0 ? quantiles : { count: 0, p50: Number.NaN, p99: Number.NaN, max: Number.NaN };
}

function asSinkReport(event: BenchEvent): SinkReport {
  const [latency, join, play] = ["latency", "join", "play"].map((name) => asQuantiles(event, name));
  return { ...event, latency, join, play } as unknown as SinkReport;
}

/** Time to have one whole GOP (2 s) in a GOP cache before anybody joins. */
export const GOP_SETTLE_MS = 2_300;

interface Interval {
  readonly report: SinkReport;
  readonly cpu: number;
  readonly others: number;
  readonly playersBusy: number;
}

/** Marks, waits, reports; the server's CPU time is read at both ends. */
export async function measureInterval(
  server: RunningServer,
  sink: PinnedProcess,
  measureMs: number,
): Promise<Interval> {
  const { pid } = server.process;
  sink.send("mark");
  await sink.take("marked", 10_000);
  const [cpu, busy, playersBusy] = [cpuSeconds(pid), coreBusySeconds(SERVER_CORE), coreBusySeconds(PLAYER_CORE)];
  await sleep(measureMs);
  sink.send("report");
  const spent = cpuSeconds(pid) - cpu;
  const others = Math.max(0, coreBusySeconds(SERVER_CORE) - busy - spent);
  const report = asSinkReport(await sink.take("report", 10_000));
  return { report, cpu: spent, others, playersBusy: coreBusySeconds(PLAYER_CORE) - playersBusy };
}

/** Runs one cell from start to end. @throws when the server refuses the publisher or players never join. */
export async function runCell(cell: Cell, timing: Timing): Promise<CellResult> {
  await using server = await startServer(cell);
  const port = portFor(server, cell);
  await using publisher = cell.protocol === "raw" ? undefined : await startPublisher(server);
  if (publisher) await sleep(GOP_SETTLE_MS);
  const residentBefore = residentBytes(server.process.pid);
  await using sink = startSink(port, cell, timing);
  const joined = await sink.take("joined", (cell.players / timing.joinsPerSecond) * 1_000 + 30_000);
  await sleep(timing.warmupMs);
  const { report, cpu, others, playersBusy } = await measureInterval(server, sink, timing.measureMs);
  const gigabits = (report.bytes * 8) / 1e9;
  return {
    cell,
    cost: cpu / gigabits,
    gigabits,
    serverShare: cpu / report.seconds,
    othersShare: others / report.seconds,
    playersShare: playersBusy / report.seconds,
    load: loadAverage(),
    join: asQuantiles(joined, "join"),
    play: asQuantiles(joined, "play"),
    report,
    residentPerPlayer: (residentBytes(server.process.pid) - residentBefore) / cell.players,
    lostWhileJoining: Number(joined["lost"]),
  };
}
