/** The cluster for the admin API: rows of nodes and links, and requests to this node or another. */
import type { EngineAnswer, EngineMemberRow, OwnNodeRow } from "@sluice/client/admin-contract";
import type { AdminCluster, DeedOutcome, MemberChangeOutcome } from "../admin/admin-source.ts";
import type { MemberOrder, NodeCalls } from "../cluster/node-calls.ts";
import type { ClusterPart } from "./cluster-part.ts";
import type { NodePart } from "./node-part.ts";
import { linkRows, nodesAnswer } from "./node-rows.ts";

/** A node outside a cluster is shown as a cluster of one. */
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
    engine: () => engineAnswer(engineShown(node.config.engine.kind), part),
    changeMember: (order) => changeMember(order, part),
  };
}

/** The engine that there is, or will be once it is needed. */
function engineShown(kind: NodePart["config"]["engine"]["kind"]): EngineAnswer["kind"] {
  return kind === "auto" ? "gcache" : kind;
}

async function engineAnswer(kind: EngineAnswer["kind"], part: ClusterPart | undefined): Promise<EngineAnswer> {
  const own = part?.replica?.members;
  const list = own ?? (await askMember(part, (calls, peer) => calls.members(peer)).catch(() => undefined));
  if (part === undefined || list === undefined) return { kind, leader: null, members: [] };
  const isPresent = (id: string): boolean => {
    const standing = part.cluster.membership.find(id)?.standing;
    return standing === "starting" || standing === "ready" || standing === "draining";
  };
  const members = list.members.map(
    ({ id, role, address }): EngineMemberRow => ({
      id,
      role: id === list.leader ? "leader" : role,
      address,
      present: isPresent(id),
    }),
  );
  return { kind, leader: list.leader, members };
}

async function changeMember(order: MemberOrder, part: ClusterPart | undefined): Promise<MemberChangeOutcome> {
  const { replica } = part ?? {};
  if (replica === undefined) return { refused: "The engine of this node has no members that could be changed" };
  try {
    const reason = await (replica.members === undefined
      ? askMember(part, (calls, peer) => calls.changeMember(peer, order))
      : replica.changeMember(order));
    if (reason === undefined) return { refused: "No member of the cluster is linked with this node" };
    return reason === "" ? "done" : { refused: reason };
  } catch (error) {
    return { silent: (error as Error).message };
  }
}

/** Asks the first linked member; undefined if none is linked. */
async function askMember<T>(
  part: ClusterPart | undefined,
  question: (calls: NodeCalls, peer: string) => Promise<T>,
): Promise<T | undefined> {
  const peer = part?.replica?.hosts.find((id) => part.cluster.mesh.links.has(id));
  return part === undefined || peer === undefined ? undefined : question(part.calls, peer);
}

/** Asks another node. */
async function ask(
  part: ClusterPart | undefined,
  nodeId: string,
  deed: (calls: NodeCalls) => Promise<DeedOutcome>,
): Promise<DeedOutcome> {
  if (part?.cluster.membership.find(nodeId) === undefined) return "unknown-node";
  return deed(part.calls).catch((error: Error) => ({ silent: error.message }));
}
