/** The cluster as the admin API sees it: rows of nodes and links, and what is asked of this node or another. */
import type { OwnNodeRow } from "@sluice/client/admin-contract";
import type { AdminCluster, DeedOutcome } from "../admin/admin-source.ts";
import type { NodeCalls } from "../cluster/node-calls.ts";
import type { ClusterPart } from "./cluster-part.ts";
import type { NodePart } from "./node-part.ts";
import { linkRows, nodesAnswer } from "./node-rows.ts";

/** A node that is alone is its own cluster. */
export function adminCluster(node: NodePart, part: ClusterPart | undefined): AdminCluster {
  const { clock, ports, view } = node;
  const self = node.config.node.id;
  const own = (): OwnNodeRow => view.ownNode();
  return {
    nodes: async () =>
      part === undefined ? { nodes: [own()], silent: [], stale: false } : nodesAnswer({ ...part, own, clock }),
    links: () => (part === undefined ? [] : linkRows({ cluster: part.cluster, clock })),
    async kick({ id, node: nodeId = self }, reason) {
      if (nodeId === self) return ports.registry.kick(id, reason) ? "done" : "not-found";
      return ask(part, nodeId, async (calls) => ((await calls.kick(nodeId, id, reason)) ? "done" : "not-found"));
    },
    async drain(nodeId) {
      if (nodeId !== self) return ask(part, nodeId, (calls) => calls.drain(nodeId).then(() => "done" as const));
      node.startDrain("an admin asked for it");
      return "done";
    },
  };
}

/** Another node. */
async function ask(
  part: ClusterPart | undefined,
  nodeId: string,
  deed: (calls: NodeCalls) => Promise<DeedOutcome>,
): Promise<DeedOutcome> {
  if (part?.cluster.membership.find(nodeId) === undefined) return "unknown-node";
  return deed(part.calls).catch((error: Error) => ({ silent: error.message }));
}
