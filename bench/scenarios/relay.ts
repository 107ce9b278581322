/** Streams between nodes: bytes that leave the origin, delay of a hop, a cold node's first picture, and the gap when a source is killed. */
import { setTimeout as sleep } from "node:timers/promises";
import { asQuantiles, GOP_SETTLE_MS, type Quantiles, startPublisher, startSink } from "../cell.ts";
import { type BenchOptions, makeCell } from "../options.ts";
import type { RunningServer } from "../peers/running-server.ts";
import { PLAYER_CORE } from "../peers/running-server.ts";
import { SluiceCluster, startNode } from "../peers/sluice-cluster.ts";
import type { BenchEvent, PinnedProcess } from "../pinned-process.ts";
import { formatTable, short } from "../table.ts";
import { judge, readBudget, type ScenarioResult } from "../verdict.ts";

const OPEN = ["limits.connectionsPerAddress=0"];
const VIEWERS = [1, 100, 1_000];
const DELAY_PLAYERS = 20;
/** Times that a relay is killed, and a cold node is played at. */
const ROUNDS = 30;
/** Name of a relay, which nothing else in the cluster knows before it is there. */
const relayId = (round: number): string => `relay-${round}`;
const streamName = (round: number): string => `bench-${round}`;

interface LinkRow {
  readonly peer: string;
  readonly bytesOut: number;
}

interface StreamRow {
  readonly key: string;
  readonly bytesIn: number;
}

async function get<T>(server: RunningServer, path: string): Promise<T> {
  return (await (await fetch(`http://127.0.0.1:${server.ports.http}/api/v1/${path}`)).json()) as T;
}

/** Bytes that left for a node, and those of the stream so far. */
async function sampled(origin: RunningServer, peer: string): Promise<{ out: number; stream: number; at: number }> {
  const { links } = await get<{ readonly links: readonly LinkRow[] }>(origin, "links");
  const { streams } = await get<{ readonly streams: readonly StreamRow[] }>(origin, "streams");
  const out = links.find((link) => link.peer === peer)?.bytesOut ?? Number.NaN;
  const stream = streams.find(({ key }) => key === "live/bench")?.bytesIn ?? Number.NaN;
  return { out, stream, at: performance.now() };
}

interface Flow {
  readonly viewers: number;
  /** Per second. */
  readonly out: number;
  readonly stream: number;
}

async function flowed(origin: RunningServer, seconds: number, viewers: number): Promise<Flow> {
  const before = await sampled(origin, "b");
  await sleep(seconds * 1_000);
  const after = await sampled(origin, "b");
  const took = (after.at - before.at) / 1_000;
  return { viewers, out: (after.out - before.out) / took, stream: (after.stream - before.stream) / took };
}

function sinkAt(server: RunningServer, players: number, options: BenchOptions, name = "bench"): PinnedProcess {
  const cell = makeCell({ server: "sluice", players });
  const port = server.ports.rtmp ?? 0;
  return startSink(port, cell, options.timing, ["--name", name, "--buffer-ms", "0"]);
}

/** The first flow is of a node without viewers: heartbeats and the engine. */
async function measureFlows(
  [origin, edge]: readonly [RunningServer, RunningServer],
  seconds: number,
  options: BenchOptions,
): Promise<{ readonly flows: readonly Flow[]; readonly delays: readonly Quantiles[] }> {
  await using _publisher = await startPublisher(origin);
  await sleep(GOP_SETTLE_MS);
  const flows = [await flowed(origin, seconds, 0)];
  const delays = await delayed([origin, edge], seconds, options);
  for (const viewers of VIEWERS) {
    await using sink = sinkAt(edge, viewers, options);
    await sink.take("joined", (viewers / options.timing.joinsPerSecond) * 1_000 + 60_000);
    await sleep(GOP_SETTLE_MS);
    flows.push(await flowed(origin, seconds, viewers));
  }
  return { flows, delays };
}

/** Age of frames at as many players of each server, all at the same time: what else the machine does, it does to both. */
async function delayed(
  servers: readonly RunningServer[],
  seconds: number,
  options: BenchOptions,
): Promise<readonly Quantiles[]> {
  const sinks = servers.map((server) => sinkAt(server, DELAY_PLAYERS, options));
  try {
    for (const sink of sinks) await sink.take("joined", 30_000);
    await sleep(GOP_SETTLE_MS);
    for (const sink of sinks) sink.send("mark");
    for (const sink of sinks) await sink.take("marked", 10_000);
    await sleep(seconds * 1_000);
    for (const sink of sinks) sink.send("report");
    const reports = await Promise.all(sinks.map((sink) => sink.take("report", 10_000)));
    return reports.map((report) => asQuantiles(report, "latency"));
  } finally {
    for (const sink of sinks) await sink[Symbol.asyncDispose]();
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** From connect() to the first whole key frame at a node that has no copy. */
async function measureCold(edge: RunningServer, options: BenchOptions): Promise<readonly number[]> {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    await using sink = sinkAt(edge, 1, options, streamName(round));
    const joined: BenchEvent = await sink.take("joined", 30_000);
    times.push(asQuantiles(joined, "join").p50);
  }
  return times;
}

/** The edge has each stream from a relay of its own, which is killed: the longest gap that its player saw. */
async function measureGaps(
  [origin, edge]: readonly [RunningServer, RunningServer],
  options: BenchOptions,
): Promise<readonly number[]> {
  const gaps: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    await using relay = await startNode(relayId(round), origin, { core: PLAYER_CORE, settings: ["node.roles=edge"] });
    await until(async () => (await isReady(relay)) && (await hasLink(edge, relayId(round))));
    await using sink = sinkAt(edge, 1, options, streamName(round));
    await sink.take("joined", 30_000);
    await until(async () => (await copiesAt(relay)) === 1);
    sink.send("mark");
    await sink.take("marked", 10_000);
    process.kill(relay.process.pid, "SIGKILL");
    await sleep(3_000);
    sink.send("report");
    gaps.push(Number((await sink.take("report", 10_000))["maxGapMs"]));
  }
  return gaps;
}

async function hasLink(server: RunningServer, peer: string): Promise<boolean> {
  const { links } = await get<{ readonly links: readonly LinkRow[] }>(server, "links");
  return links.some((link) => link.peer === peer);
}

/** Knows the directory. */
async function isReady(server: RunningServer): Promise<boolean> {
  return (await fetch(`http://127.0.0.1:${server.ports.http}/readyz`)).ok;
}

async function copiesAt(server: RunningServer): Promise<number> {
  const page = await (await fetch(`http://127.0.0.1:${server.ports.http}/metrics`)).text();
  return Number(/^sluice_stream_copies (\d+)$/m.exec(page)?.[1] ?? Number.NaN);
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (const end = performance.now() + 30_000; performance.now() < end; await sleep(50)) if (await isSo()) return;
  throw new Error("Waited 30 s in vain");
}

export async function relay(options: BenchOptions): Promise<ScenarioResult> {
  const seconds = options.seconds ?? 20;
  const from = Array.from({ length: ROUNDS }, (_, round) => relayId(round)).join(",");
  await using cluster = await SluiceCluster.start(OPEN, [...OPEN, `relay.from=${from}`]);
  const [origin, edge, other] = cluster.nodes as readonly [RunningServer, RunningServer, RunningServer];
  const { flows, delays } = await measureFlows([origin, edge], seconds, options);
  const [idle, ...watched] = flows as readonly [Flow, ...Flow[]];
  await using _publishers = await startPublisher(origin, ["--publishers", String(ROUNDS), "--rate", "50"], 30_000);
  await sleep(GOP_SETTLE_MS);
  const cold = await measureCold(other, options);
  const gaps = await measureGaps([origin, edge], options);
  const net = watched.map(({ out }) => out - idle.out);
  const over = Math.max(...watched.map(({ stream }, i) => (net[i] as number) / stream));
  const spread = Math.max(...net) / Math.min(...net) - 1;
  const [home, away] = delays as readonly [Quantiles, Quantiles];
  const columns = ["viewers on the edge", "kB/s to it", "without idle", "stream kB/s"];
  const rows = flows.map((f) => [f.viewers, f.out / 1e3, (f.out - idle.out) / 1e3, f.stream / 1e3].map(short));
  console.log(formatTable(columns, rows));
  for (const [where, { p50, p99, max }] of [["home", home] as const, ["edge", away] as const])
    console.log(`age of frames at the ${where}: p50 ${short(p50)} ms, p99 ${short(p99)} ms, most ${short(max)} ms`);
  console.log(`cold node: median ${short(median(cold))} ms, worst ${short(Math.max(...cold))} ms`);
  console.log(`relay killed: median gap ${short(median(gaps))} ms, worst ${short(Math.max(...gaps))} ms`);
  const budget = readBudget();
  const late = gaps.filter((gap) => !(gap <= 1_000)).length;
  return {
    results: [{ flows, delays, cold, gaps }],
    verdicts: [
      judge(budget, "relay.bytes.overStream", "bytes that leave the origin, over the stream's", over),
      judge(budget, "relay.bytes.spread", "the same with 1, 100 and 1,000 viewers: spread", spread),
      judge(
        budget,
        "relay.hop.p99Ms",
        "age of frames at the edge beyond that at the home: p99 ms",
        away.p99 - home.p99,
      ),
      judge(budget, "relay.cold.p50Ms", "cold node to the first key frame: p50 ms", median(cold)),
      judge(budget, "relay.gap.roundsOverSecond", `gaps over 1 s in ${gaps.length} rounds`, late),
    ],
  };
}
