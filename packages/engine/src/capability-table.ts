/** Renders the capabilities of engines side by side as plain text, for a start-up log or a test report. */
import type { EngineCapabilities } from "./engine.ts";

const COLUMNS: readonly (readonly [title: string, cell: (stated: EngineCapabilities) => string])[] = [
  ["engine", ({ engine }) => engine],
  ["server", ({ serverVersion }) => serverVersion || "–"],
  ["durable", ({ isDurable }) => yesOrNo(isDurable)],
  ["power loss", ({ survivesPowerLoss }) => yesOrNo(survivesPowerLoss)],
  ["node loss", ({ survivesNodeLoss }) => yesOrNo(survivesNodeLoss)],
  ["enforces leases", ({ enforcesLeases }) => yesOrNo(enforcesLeases)],
  ["logs", ({ hasLogs }) => yesOrNo(hasLogs)],
  ["max value", ({ maxValueBytes }) => `${maxValueBytes} B`],
  ["max key", ({ maxKeyBytes }) => `${maxKeyBytes} B`],
];

/** A title line and one line per engine, in aligned columns, without a final line end. */
export function renderCapabilityTable(engines: readonly EngineCapabilities[]): string {
  const rows = [COLUMNS.map(([title]) => title), ...engines.map((stated) => COLUMNS.map(([, cell]) => cell(stated)))];
  const widths = COLUMNS.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function yesOrNo(fact: boolean): string {
  return fact ? "yes" : "no";
}
