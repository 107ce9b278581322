/** The nodes of a cluster as `sluice status` shows them. */
import type { NodeRow, NodesAnswer } from "@sluice/client/admin-contract";
import { table } from "@sluice/runtime/process/table";

/** One line for each node; more columns where there are several. */
export function nodeTable({ nodes }: NodesAnswer): string {
  const own = ["NODE", "STATE", "UP", "CPU", "MEMORY", "SESSIONS", "STREAMS", "OPEN TO ALL"];
  if (nodes.length === 1) return table(own, nodes.map(nodeCells));
  const shared = ["ROLES", "ENGINE", "HEAT", "LINK"];
  return table(
    [...own, ...shared],
    nodes.map((node) => [...nodeCells(node), ...clusterCells(node)]),
  );
}

const UNKNOWN = "?";

function nodeCells(node: NodeRow): string[] {
  const { load, open, uptimeSeconds } = node;
  const isOpen = open && [open.publish ? "publish" : "", open.play ? "play" : ""].filter(Boolean).join(", ");
  return [
    node.id,
    node.state,
    uptimeSeconds === null ? UNKNOWN : span(uptimeSeconds),
    load === null ? UNKNOWN : `${Math.round(load.cpu * 100)} %`,
    load === null ? UNKNOWN : `${Math.round(load.memoryBytes / 2 ** 20)} MiB`,
    String(node.sessions ?? UNKNOWN),
    String(node.streams ?? UNKNOWN),
    isOpen === null ? UNKNOWN : isOpen || "no",
  ];
}

function clusterCells({ roles, engine, heat, self, linked }: NodeRow): string[] {
  return [
    roles.join(","),
    engine ?? UNKNOWN,
    heat === null ? UNKNOWN : heat.toFixed(2),
    self ? "this node" : linked ? "yes" : "no",
  ];
}

function span(seconds: number): string {
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min`;
  return seconds < 86_400 ? `${Math.floor(seconds / 3_600)} h` : `${Math.floor(seconds / 86_400)} d`;
}
