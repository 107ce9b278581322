/** The table of cells: one row each, repeated cells folded into their median with the spread beside it. */
import type { Cell, CellResult } from "./cell.ts";
import { medianItem, spreadOf } from "./statistics.ts";
import { formatTable, percent, short } from "./table.ts";

/** Above this share of other processes on the server's core a cell says little. */
const POLLUTED = 0.05;

export const cellName = (cell: Cell): string => {
  const protocol = cell.protocol === "raw" ? "raw" : { rtmp: "RTMP", http: "HTTP-FLV", ws: "WS-FLV" }[cell.protocol];
  const setting = cell.server === "sluice" ? cell.window : cell.protocol === "raw" ? `${cell.writes}/s` : "per message";
  return `${cell.server} ${protocol}${cell.tls ? "+TLS" : ""} ×${cell.players} ${setting}${cell.slices > 1 ? ` ${cell.slices} slices` : ""}`;
};

/** Cells whose name is the same are repeats of one. */
export function groupRepeats(results: readonly CellResult[]): CellResult[][] {
  return [...Map.groupBy(results, (result) => cellName(result.cell)).values()];
}

export const medianCost = (results: readonly CellResult[]): number => spreadOf(results.map((r) => r.cost)).median;

/** How unequal the players fared: 1 − least/most bytes. */
const unevenness = (r: CellResult): number => 1 - r.report.leastBytes / Math.max(1, r.report.mostBytes);

function faultsFound(result: CellResult): [string, number][] {
  const { lost, stalls, holes, damaged, backwards } = result.report;
  const counts = { lost: lost + result.lostWhileJoining, stalls, holes, damaged, backwards };
  const found = Object.entries(counts).filter(([, count]) => count > 0);
  return unevenness(result) > 0.05 ? [...found, ["uneven %", Math.round(unevenness(result) * 100)]] : found;
}

export const faultCount = (result: CellResult): number =>
  faultsFound(result).reduce((sum, [, count]) => sum + count, 0);

/** Everything that went wrong, or `clean`. */
export function faultsOf(result: CellResult): string {
  const found = faultsFound(result);
  return found.length === 0 ? "clean" : found.map(([name, count]) => `${name} ${count}`).join(", ");
}

const HEAD = [
  "cell",
  "cost",
  "least…most",
  "CPU",
  "Gbit/s",
  "p50 ms",
  "p99 ms",
  "max ms",
  "join p50",
  "join p99",
  "KB/player",
  "faults",
  "others",
  "players' core",
];

function rowOf(repeats: readonly CellResult[]): string[] {
  const result = medianItem(repeats, (r) => r.cost);
  const { cell, report, join } = result;
  const spread = spreadOf(repeats.map((r) => r.cost));
  const timed = (value: number): string => (cell.protocol === "raw" ? "" : short(value));
  const others = Math.max(...repeats.map((r) => r.othersShare));
  return [
    cellName(cell),
    short(spread.median),
    repeats.length > 1 ? `${short(spread.least)}…${short(spread.most)}` : "",
    percent(result.serverShare),
    short(result.gigabits / report.seconds),
    ...[report.latency.p50, report.latency.p99, report.latency.max, join.p50, join.p99].map(timed),
    short(result.residentPerPlayer / 1024),
    faultsOf(result),
    percent(others) + (others > POLLUTED ? " !" : ""),
    percent(result.playersShare),
  ];
}

export function formatCells(results: readonly CellResult[]): string {
  return formatTable(HEAD, groupRepeats(results).map(rowOf));
}
