/** Fan-out of one stream to many players: Sluice, its peers and the bare loops side by side. */
import type { Cell } from "../cell.ts";
import { formatCells } from "../cell-table.ts";
import { judgeFanout } from "../fanout-verdicts.ts";
import { type BenchOptions, makeCell, writesOfWindow } from "../options.ts";
import { hasNginxRtmp } from "../peers/nginx-rtmp.ts";
import type { Protocol } from "../peers/running-server.ts";
import { hasSluice } from "../peers/sluice.ts";
import { runCells } from "../run-cells.ts";
import { readBudget, type ScenarioResult } from "../verdict.ts";

const orElse = <T>(chosen: readonly T[], fallback: readonly T[]): readonly T[] =>
  chosen.length > 0 ? chosen : fallback;

function sluiceCells(options: BenchOptions): Cell[] {
  const cells: Cell[] = [];
  for (const protocol of orElse<Protocol>(options.protocols, ["rtmp"]))
    for (const players of orElse(options.players, [1_000]))
      for (const window of orElse(options.windows, ["100ms"]))
        cells.push(
          makeCell({ server: "sluice", protocol, players, window, settings: options.settings, tls: options.tls }),
        );
  return cells;
}

/** The loops at the flush rates of the windows, with as many players. */
function loopCells(options: BenchOptions): Cell[] {
  const rates = orElse(options.writes, [...new Set(orElse(options.windows, ["100ms"]).map(writesOfWindow))]);
  return orElse(options.players, [1_000]).flatMap((players) =>
    rates.flatMap((writes) => {
      const loop = { protocol: "raw", players, writes, slices: options.slices } as const;
      return [
        makeCell({ server: "node-loop", tls: options.tls, ...loop }),
        ...(options.tls ? [] : [makeCell({ server: "c-loop", ...loop })]),
      ];
    }),
  );
}

function peerCells(options: BenchOptions): Cell[] {
  const protocols = orElse<Protocol>(options.protocols, ["rtmp"]);
  return orElse(options.players, [1_000]).flatMap((players) => [
    ...(hasNginxRtmp() && protocols.includes("rtmp") && !options.tls
      ? [makeCell({ server: "nginx-rtmp", players })]
      : []),
    ...protocols.map((protocol) => makeCell({ server: "node-media-server", protocol, players, tls: options.tls })),
  ]);
}

export function fanoutCells(options: BenchOptions): Cell[] {
  const all = [...(hasSluice() ? sluiceCells(options) : []), ...loopCells(options), ...peerCells(options)];
  return options.servers.length === 0 ? all : all.filter((cell) => options.servers.includes(cell.server));
}

export async function fanout(options: BenchOptions): Promise<ScenarioResult> {
  const results = await runCells(fanoutCells(options), options);
  console.log(formatCells(results));
  return { results, verdicts: judgeFanout(readBudget(), results) };
}

/** The same over TLS: fewer players, because the players' core deciphers joins. */
export function tls(options: BenchOptions): Promise<ScenarioResult> {
  const timing = { ...options.timing, joinsPerSecond: Math.min(options.timing.joinsPerSecond, 150) };
  const protocols = orElse<Protocol>(options.protocols, ["rtmp", "http"]);
  return fanout({ ...options, timing, protocols, players: orElse(options.players, [600]), tls: true });
}

/** A window of 20 ms against nginx-rtmp, and `auto` with few players. */
export async function realtime(options: BenchOptions): Promise<ScenarioResult> {
  const cells = [
    ...(hasSluice() ? [makeCell({ server: "sluice", window: "20ms", settings: options.settings })] : []),
    makeCell({ server: "node-loop", protocol: "raw", writes: 50 }),
    makeCell({ server: "c-loop", protocol: "raw", writes: 50 }),
    ...(hasNginxRtmp() ? [makeCell({ server: "nginx-rtmp" })] : []),
    ...(hasSluice() ? [makeCell({ server: "sluice", window: "auto", players: 100, settings: options.settings })] : []),
  ];
  const results = await runCells(cells, options);
  console.log(formatCells(results));
  return { results, verdicts: judgeFanout(readBudget(), results) };
}
