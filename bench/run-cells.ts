/** Runs a list of cells with interleaved repeats, so that a drift of the machine affects all alike; progress on stderr. */
import { type Cell, type CellResult, runCell } from "./cell.ts";
import { cellName, faultsOf } from "./cell-table.ts";
import type { BenchOptions } from "./options.ts";
import { percent, short } from "./table.ts";

export async function runCells(cells: readonly Cell[], options: BenchOptions): Promise<CellResult[]> {
  const results: CellResult[] = [];
  for (let turn = 0; turn < options.repeats; turn++) {
    for (const cell of cells) {
      try {
        const result = await runCell(cell, options.timing);
        results.push(result);
        const noise = `others ${percent(result.othersShare)}, load ${result.load}`;
        console.error(`${cellName(cell)}: cost ${short(result.cost)}, ${faultsOf(result)} (${noise})`);
      } catch (error) {
        console.error(`${cellName(cell)}: failed: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  }
  return results;
}
