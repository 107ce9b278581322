/** Shared objects of a cluster: bytes between nodes, delay from node to node, and how long a killed home is missed. */
import { setTimeout as sleep } from "node:timers/promises";
import type { BenchOptions } from "../options.ts";
import { OBJECT_APP, ObjectClient, valuesIn } from "../peers/rtmp-object-client.ts";
import type { RunningServer } from "../peers/running-server.ts";
import { SluiceCluster } from "../peers/sluice-cluster.ts";
import { median } from "../statistics.ts";
import { formatTable, short } from "../table.ts";
import { judge, judgeFloor, readBudget, type ScenarioResult } from "../verdict.ts";

const CHANGES_PER_SECOND = 1_000;
const BALL = "ball";
const ACCEPTABLE_TAKE_OVER_MS = 5_000;
const PATIENCE_MS = 30_000;

const rtmpOf = ({ ports }: RunningServer): number => ports.rtmp ?? 0;
const api = ({ ports }: RunningServer, path: string): string => `http://127.0.0.1:${ports.http}/api/v1${path}`;

async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = performance.now() + PATIENCE_MS; !(await isSo()); await sleep(20))
    if (performance.now() > end) throw new Error(`Waited ${PATIENCE_MS} ms for ${what}`);
}

async function moveHome(by: RunningServer, id: string): Promise<void> {
  const path = `/objects/${OBJECT_APP}/${BALL}`;
  await until(`the home at ${id}`, async () => {
    const { object } = (await (await fetch(api(by, path))).json()) as { readonly object?: { readonly home: string } };
    if (object?.home === id) return true;
    const headers = { "content-type": "application/json" };
    await fetch(api(by, `${path}/move`), { method: "POST", headers, body: JSON.stringify({ node: id }) });
    return false;
  });
}

/** Calls `write` so often a second, for so long, in steps of 5 ms. */
async function steadily(seconds: number, perSecond: number, write: (number: number) => void): Promise<void> {
  const began = performance.now();
  for (let written = 0; written < seconds * perSecond; await sleep(5)) {
    const due = Math.min(seconds * perSecond, ((performance.now() - began) * perSecond) / 1_000);
    while (written < due) write(++written);
  }
}

async function linkBytes(from: RunningServer, to: string): Promise<number> {
  const { links } = (await (await fetch(api(from, "/links"))).json()) as {
    readonly links: readonly { readonly peer: string; readonly bytesOut: number }[];
  };
  return links.find(({ peer }) => peer === to)?.bytesOut ?? Number.NaN;
}

interface AcrossNodes {
  readonly bytesForOne: number;
  readonly bytesForHundred: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly seen: number;
  readonly sent: number;
}

/** Node a is the home and has the writer; clients of node b listen. */
async function acrossNodes(seconds: number): Promise<AcrossNodes> {
  await using cluster = await SluiceCluster.start(["limits.connectionsPerAddress=0"]);
  const [a, b] = cluster.nodes as readonly [RunningServer, RunningServer];
  const delays: number[] = [];
  const sentAt = new Map<number, number>();
  let isMeasured = true;
  using writer = await ObjectClient.connect(rtmpOf(a));
  using reader = await ObjectClient.connect(rtmpOf(b), (message) => {
    const now = performance.now();
    if (isMeasured) for (const value of valuesIn(message, "change")) delays.push(now - (sentAt.get(value) ?? now));
  });
  for (const client of [writer, reader]) await client.use(BALL);
  await moveHome(a, "a");
  const run = async (from: number): Promise<number> => {
    const before = await linkBytes(a, "b");
    await steadily(seconds, CHANGES_PER_SECOND, (number) => {
      sentAt.set(from + number, performance.now());
      writer.set(BALL, "x", from + number);
    });
    await sleep(1_000);
    return (await linkBytes(a, "b")) - before;
  };
  const bytesForOne = await run(0);
  isMeasured = false;
  const more = await Promise.all(Array.from({ length: 99 }, () => ObjectClient.connect(rtmpOf(b))));
  await Promise.all(more.map((client) => client.use(BALL)));
  const bytesForHundred = await run(1e6);
  for (const client of more) client[Symbol.dispose]();
  const sorted = delays.toSorted((x, y) => x - y);
  const sent = seconds * CHANGES_PER_SECOND;
  // A change that was merged into a later one was not seen: beyond those that were there is no time.
  const at = (share: number): number => sorted[Math.floor(sent * share)] ?? Number.NaN;
  return { bytesForOne, bytesForHundred, p50Ms: at(0.5), p99Ms: at(0.99), seen: delays.length, sent };
}

/** From the kill of the home until a write at another node is acknowledged; each node is killed in turn, the leader of the engine too. */
async function takeOver(round: number): Promise<number> {
  await using cluster = await SluiceCluster.start([]);
  const ids = ["a", "b", "c"];
  const victim = round % 3;
  const other = (victim + 1) % 3;
  const [home, stays] = [cluster.nodes[victim], cluster.nodes[other]] as readonly [RunningServer, RunningServer];
  let acknowledged = 0;
  let refusals = 0;
  using client = await ObjectClient.connect(rtmpOf(stays), (message) => {
    acknowledged = Math.max(acknowledged, ...valuesIn(message, "change-echo"));
    if (message.events.some(({ type }) => type === "status")) refusals++;
  });
  await client.use(BALL);
  await moveHome(stays, ids[victim] ?? "");
  client.set(BALL, "x", 1);
  await until("the first write", () => acknowledged === 1);
  const began = performance.now();
  process.kill(home.process.pid, "SIGKILL");
  let asked = -1;
  let number = 1;
  await until("a write after the kill", () => {
    if (refusals > asked) {
      asked = refusals;
      client.set(BALL, "x", ++number);
    }
    return acknowledged > 1;
  });
  if (client.isClosed) throw new Error("A client of another node lost its connection");
  return performance.now() - began;
}

export async function objectNodes(options: BenchOptions): Promise<ScenarioResult> {
  const seconds = options.seconds ?? 10;
  const across = await acrossNodes(seconds);
  const rounds: number[] = [];
  for (let round = 0; round < options.kills; round++) rounds.push(await takeOver(round));
  const worst = Math.max(...rounds);
  const columns = ["delay p50 ms", "p99 ms", "bytes a change", "take-over median ms", "worst ms"];
  const perChange = across.bytesForOne / across.sent;
  console.log(formatTable(columns, [[across.p50Ms, across.p99Ms, perChange, median(rounds), worst].map(short)]));
  const budget = readBudget();
  const inTime = rounds.filter((millis) => millis < ACCEPTABLE_TAKE_OVER_MS).length / rounds.length;
  const difference = Math.abs(across.bytesForHundred / across.bytesForOne - 1);
  const verdicts = [
    judge(budget, "objects.bytes.share", "bytes on a link, 100 clients behind it against 1: difference", difference),
    judge(budget, "objects.delay.p99Ms", "1,000 changes/s from node to node: p99 ms", across.p99Ms),
    judgeFloor(budget, "objects.takeOver.share", `${rounds.length} kills of the home: under 5 s`, inTime),
  ];
  return { results: [across, rounds], verdicts };
}
