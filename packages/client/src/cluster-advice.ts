/** Advice to operators about a cluster: the same sentences for the command line and the console. */
import type { EngineMemberRow, NodeRow, NodesAnswer } from "./admin-contract.ts";

export interface ClusterAdvice {
  readonly text: string;
  /** Ids of the nodes concerned; empty for advice about the whole cluster. */
  readonly nodes: readonly string[];
}

/** Empty when there is nothing to do. @param engine  kind of the state engine. @param members  of the embedded one */
export function clusterAdvice(
  { nodes, silent, stale }: NodesAnswer,
  engine: string,
  members: readonly EngineMemberRow[] = [],
): readonly ClusterAdvice[] {
  const present = nodes.filter(({ state }) => state !== "left" && state !== "dead");
  const about = (what: string, suits: (node: NodeRow) => boolean): readonly ClusterAdvice[] =>
    advise(
      what,
      present.filter(suits).map(({ id }) => id),
    );
  const gone = members.filter(({ role, present: isThere }) => role !== "learner" && !isThere);
  return [
    ...(present.length === 2 && engine === "gcache" && gone.length === 0 ? [{ text: TWO_NODES, nodes: [] }] : []),
    ...gone.map(({ id }) => ({ text: goneVoter(id), nodes: [id] })),
    ...present.flatMap(({ id, state, reasons }) =>
      state === "starting" && reasons !== null
        ? reasons.map((reason) => ({ text: waiting(id, reason), nodes: [id] }))
        : [],
    ),
    ...about("Suspect: no node hears them", ({ state }) => state === "suspect"),
    ...about(
      "Alive but not linked with this node (is the path between the two open?)",
      ({ linked, state }) => !linked && state !== "suspect",
    ),
    ...advise("No answer in time from", silent),
    ...(stale ? [{ text: STALE, nodes: [] }] : []),
    ...about("Another version than this node", ({ differs }) => differs.includes("version")),
    ...about("Other auth.* settings than this node, so nodes admit different clients", ({ differs }) =>
      differs.includes("auth"),
    ),
  ];
}

const TWO_NODES = "Two nodes: no automatic fail-over of state. Add a third node; one with node.roles: voter is enough.";

const goneVoter = (id: string): string =>
  `${id} is a voter of the state engine and is missing: start it again. If that is impossible: sluice cluster remove ${id}; if only its disk is lost: sluice cluster replace ${id}.`;

const waiting = (id: string, reason: string): string =>
  `${id} is not ready: ${reason}${reason.endsWith(".") ? "" : "."}`;

const STALE = "This view may be wrong: it is unknown whether a suspect node is dead or only cut off from here.";

function advise(what: string, nodes: readonly string[]): readonly ClusterAdvice[] {
  return nodes.length === 0 ? [] : [{ text: `${what}: ${nodes.join(", ")}.`, nodes }];
}
