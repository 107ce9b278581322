/** The nodes of a cluster as `sluice status` shows them, and what an operator should do about them. */
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

/** What to do, a sentence a line; empty when there is nothing. @param engine  kind of the state engine */
export function clusterAdvice({ nodes, silent, stale }: NodesAnswer, engine: string): readonly string[] {
  const present = nodes.filter(({ state }) => state !== "left" && state !== "dead");
  const named = (suits: (node: NodeRow) => boolean): string =>
    present
      .filter(suits)
      .map(({ id }) => id)
      .join(", ");
  const advice = [
    present.length === 2 && engine === "gcache" ? TWO_NODES : "",
    sentence(
      "Suspect, since nobody hears them",
      named(({ state }) => state === "suspect"),
    ),
    sentence(
      "Alive but not linked with this node (is the path between the two open?)",
      named(({ linked, state }) => !linked && state !== "suspect"),
    ),
    sentence("No answer in time from", silent.join(", ")),
    stale ? "This view may be wrong: nobody can say whether a suspect node is dead or only cut off from here." : "",
    sentence(
      "Another version than this node",
      named(({ differs }) => differs.includes("version")),
    ),
    sentence(
      "Other auth.* settings than this node, so clients are judged differently",
      named(({ differs }) => differs.includes("auth")),
    ),
  ];
  return advice.filter((line) => line !== "");
}

const TWO_NODES =
  "Two nodes: no automatic fail-over of state. Add a third node (node.roles: voter is enough), or use engine.strategy: priority.";

function sentence(what: string, who: string): string {
  return who === "" ? "" : `${what}: ${who}.`;
}

function span(seconds: number): string {
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min`;
  return seconds < 86_400 ? `${Math.floor(seconds / 3_600)} h` : `${Math.floor(seconds / 86_400)} d`;
}
