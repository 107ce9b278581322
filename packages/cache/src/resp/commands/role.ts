/** ROLE, and the words by which Redis calls leader and followers. */
import type { ClusterView, MemberRow } from "../command-backend.ts";
import { type CommandCall, defineCommands } from "../command.ts";

export function roleWord({ role }: ClusterView): "master" | "slave" {
  return role === "leader" ? "master" : "slave";
}

export function leaderRow({ leader, members }: ClusterView): MemberRow | undefined {
  return members.find(({ id }) => id === leader);
}

/** Members beside the leader. */
export function replicaRows({ leader, members }: ClusterView): readonly MemberRow[] {
  return members.filter(({ id }) => id !== leader);
}

function role({ reply, backend: { cluster } }: CommandCall): void {
  if (cluster.role === "leader") replyLeader({ reply, cluster });
  else replyFollower({ reply, cluster });
}

type Replying = Pick<CommandCall, "reply"> & { readonly cluster: ClusterView };

function replyLeader({ reply, cluster }: Replying): void {
  const replicas = replicaRows(cluster).filter(({ isReachable }) => isReachable);
  reply.array(3);
  reply.bulkText("master");
  reply.integer(cluster.appliedIndex);
  reply.array(replicas.length);
  for (const { host, port, matchIndex } of replicas) {
    reply.array(3);
    reply.bulkText(host);
    reply.bulkText(String(port));
    reply.bulkText(String(matchIndex));
  }
}

function replyFollower({ reply, cluster }: Replying): void {
  const leader = leaderRow(cluster);
  reply.array(5);
  reply.bulkText("slave");
  reply.bulkText(leader?.host ?? "");
  reply.integer(leader?.port ?? 0);
  reply.bulkText(leader === undefined ? "connect" : "connected");
  reply.integer(cluster.appliedIndex);
}

export const ROLE_COMMANDS = defineCommands("server", [
  { name: "role", kind: "local", arity: 1, run: role, summary: "Whether this member leads, and who else there is" },
]);
