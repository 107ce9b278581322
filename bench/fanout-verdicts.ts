/** Compares Sluice's cells with floor and peers of the same run. */
import type { Cell, CellResult } from "./cell.ts";
import { cellName, faultCount, groupRepeats, medianCost } from "./cell-table.ts";
import { writesOfWindow } from "./options.ts";
import { median } from "./statistics.ts";
import { type Budget, judge, type Verdict } from "./verdict.ts";

/** A window up to this is *realtime*. */
const REALTIME_MS = 20;

interface Group {
  readonly cell: Cell;
  readonly repeats: readonly CellResult[];
}

function findLoop(groups: readonly Group[], cell: Cell): Group | undefined {
  const writes = writesOfWindow(cell.window);
  return groups.find(
    ({ cell: c }) =>
      c.server === "node-loop" && c.players === cell.players && c.tls === cell.tls && c.writes === writes,
  );
}

function latencyVerdict(budget: Budget, group: Group): Verdict {
  const { cell } = group;
  const millis = cell.window === "auto" ? 0 : Number.parseInt(cell.window, 10);
  const id = cell.window === "auto" ? "auto.p99Ms" : millis <= REALTIME_MS ? "realtime.p99Ms" : "fanout.p99Ms";
  return judge(budget, id, `${cellName(cell)}: p99 ms`, median(group.repeats.map((r) => r.report.latency.p99)));
}

function peerVerdicts(budget: Budget, group: Group, groups: readonly Group[]): Verdict[] {
  const realtime = group.cell.window !== "auto" && Number.parseInt(group.cell.window, 10) <= REALTIME_MS;
  const peers = groups.filter(({ cell: c }) => {
    const comparable =
      c.players === group.cell.players && c.protocol === group.cell.protocol && c.tls === group.cell.tls;
    return comparable && (c.server === "nginx-rtmp" || (c.server === "node-media-server" && !realtime));
  });
  return peers.map((peer) => {
    const id = realtime ? "realtime.costOverNginxRtmp" : "fanout.costOverPeer";
    return judge(
      budget,
      id,
      `${cellName(group.cell)}: cost / ${peer.cell.server}`,
      medianCost(group.repeats) / medianCost(peer.repeats),
    );
  });
}

export function judgeFanout(budget: Budget, results: readonly CellResult[]): Verdict[] {
  const groups = groupRepeats(results).flatMap((repeats) => (repeats[0] ? [{ cell: repeats[0].cell, repeats }] : []));
  return groups
    .filter(({ cell }) => cell.server === "sluice")
    .flatMap((group) => {
      const name = cellName(group.cell);
      const loop = group.cell.window === "auto" ? undefined : findLoop(groups, group.cell);
      const ratio = loop ? medianCost(group.repeats) / medianCost(loop.repeats) : undefined;
      const floor = group.cell.tls ? "tls.costOverNodeLoop" : "fanout.costOverNodeLoop";
      return [
        ...(ratio === undefined ? [] : [judge(budget, floor, `${name}: cost / node-loop`, ratio)]),
        latencyVerdict(budget, group),
        ...peerVerdicts(budget, group, groups),
        judge(budget, "faults", `${name}: faults`, Math.max(...group.repeats.map(faultCount))),
      ];
    });
}
