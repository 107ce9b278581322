/** One link between two processes: latency of control messages while bulk fills it, and throughput. */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { BenchOptions } from "../options.ts";
import { makeCertificate, PLAYER_CORE, SERVER_CORE, temporaryFolder } from "../peers/running-server.ts";
import { type BenchEvent, PinnedProcess } from "../pinned-process.ts";
import { formatTable, short } from "../table.ts";
import { judge, readBudget, type ScenarioResult } from "../verdict.ts";

const PROGRAM = join(import.meta.dirname, "..", "peers", "link-end.ts");
const PATIENCE_MS = 15_000;

interface LinkResult {
  readonly tls: boolean;
  readonly mode: "idle" | "bulk" | "small";
  readonly megabytesPerSecond: number;
  readonly messagesPerSecond: number;
  /** Cores that the receiving and the sending end used. */
  readonly receiverCores: number;
  readonly senderCores: number;
  readonly controlP50Ms: number;
  readonly controlP99Ms: number;
  readonly controlMaxMs: number;
}

interface Report {
  readonly bytes: number;
  readonly messages: number;
  readonly controlMs: readonly number[];
  readonly cpuSeconds: number;
}

async function reportOf(end: PinnedProcess): Promise<Report> {
  end.send("report");
  return (await end.take("report", PATIENCE_MS)) as BenchEvent & Report;
}

function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

const startEnd = (core: number, args: readonly string[]): PinnedProcess =>
  new PinnedProcess({ core, command: process.execPath, args: [PROGRAM, ...args] });

async function measureLink(tls: boolean, seconds: number): Promise<LinkResult[]> {
  const folder = temporaryFolder();
  if (tls) makeCertificate(folder.path);
  const secured = tls ? [folder.path] : [];
  await using receiver = startEnd(SERVER_CORE, ["receiver", "listen", ...secured]);
  const { address } = await receiver.take("listening", PATIENCE_MS);
  await using sender = startEnd(PLAYER_CORE, ["sender", String(address), ...secured]);
  await sender.take("up", PATIENCE_MS);
  const results: LinkResult[] = [];
  for (const mode of ["idle", "bulk", "small"] as const) {
    sender.send(mode);
    await sleep(1_000);
    const before = [await reportOf(receiver), await reportOf(sender)] as const;
    const began = performance.now();
    await sleep(seconds * 1_000);
    const after = [await reportOf(receiver), await reportOf(sender)] as const;
    const took = (performance.now() - began) / 1_000;
    const { bytes, messages, controlMs } = after[0];
    results.push({
      tls,
      mode,
      megabytesPerSecond: bytes / took / 1e6,
      messagesPerSecond: messages / took,
      receiverCores: (after[0].cpuSeconds - before[0].cpuSeconds) / took,
      senderCores: (after[1].cpuSeconds - before[1].cpuSeconds) / took,
      controlP50Ms: percentile(controlMs, 0.5),
      controlP99Ms: percentile(controlMs, 0.99),
      controlMaxMs: percentile(controlMs, 1),
    });
  }
  folder.remove();
  return results;
}

export async function links(options: BenchOptions): Promise<ScenarioResult> {
  const seconds = options.seconds ?? 5;
  const results = [...(await measureLink(false, seconds)), ...(await measureLink(true, seconds))];
  const columns = [
    "link",
    "MB/s",
    "messages/s",
    "receiver cores",
    "sender cores",
    "control p50 ms",
    "p99 ms",
    "max ms",
  ];
  const rows = results.map((r) => [
    `${r.tls ? "TLS" : "TCP"}, ${r.mode}`,
    ...[r.megabytesPerSecond, r.messagesPerSecond, r.receiverCores, r.senderCores].map(short),
    ...[r.controlP50Ms, r.controlP99Ms, r.controlMaxMs].map(short),
  ]);
  console.log(formatTable(columns, rows));
  const budget = readBudget();
  const verdicts = results
    .filter(({ mode }) => mode === "bulk")
    .map((r) =>
      judge(budget, "links.control.p99Ms", `${r.tls ? "TLS" : "TCP"} filled with bulk: control p99 ms`, r.controlP99Ms),
    );
  return { results, verdicts };
}
