// Fan-out of one stream to many players: Sluice, its peers and the bare loops side by side.
import type { Cell, CellResult } from "../cell.ts";
import { formatCells } from "../cell-table.ts";
import { type BenchOptions, makeCell, writesOfWindow } from "../options.ts";
import { hasNginxRtmp } from "../peers/nginx-rtmp.ts";
import type { Protocol } from "../peers/running-server.ts";
import { hasSluice } from "../peers/sluice.ts";
import { runCells } from "../run-cells.ts";

const orElse = <T>(chosen: readonly T[], fallback: readonly T[]): readonly T[] => (chosen.length > 0 ? chosen : fallback);

function sluiceCells(options: BenchOptions): Cell[] {
  const cells: Cell[] = [];
  for (const protocol of orElse<Protocol>(options.protocols, ["rtmp"]))
    for (const players of orElse(options.players, [1_000]))
      for (const window of orElse(options.windows, ["100ms"]))
        cells.push(makeCell({ server: "sluice", protocol, players, window, settings: options.settings, tls: options.tls }));
  return cells;
}

/** The loops at the flush rates of the windows, with as many players. */
function loopCells(options: BenchOptions): Cell[] {
  const rates = orElse(options.writes, [...new Set(orElse(options.windows, ["100ms"]).map(writesOfWindow))]);
  return orElse(options.players, [1_000]).flatMap((players) =>
    rates.flatMap((writes) => {
      const loop = { protocol: "raw", players, writes, slices: options.slices } as const;
      return [makeCell({ server: "node-loop", tls: options.tls, ...loop }), ...(options.tls ? [] : [makeCell({ server: "c-loop", ...loop })])];
    }),
  );
}

function peerCells(options: BenchOptions): Cell[] {
  const protocols = orElse<Protocol>(options.protocols, ["rtmp"]);
  return orElse(options.players, [1_000]).flatMap((players) => [
    ...(hasNginxRtmp() && protocols.includes("rtmp") && !options.tls ? [makeCell({ server: "nginx-rtmp", players })] : []),
    ...protocols.map((protocol) => makeCell({ server: "node-media-server", protocol, players, tls: options.tls })),
  ]);
}

export function fanoutCells(options: BenchOptions): Cell[] {
  const all = [...(hasSluice() ? sluiceCells(options) : []), ...loopCells(options), ...peerCells(options)];
  return options.servers.length === 0 ? all : all.filter((cell) => options.servers.includes(cell.server));
}

export async function fanout(options: BenchOptions): Promise<CellResult[]> {
  const results = await runCells(fanoutCells(options), options);
  console.log(formatCells(results));
  return results;
}
