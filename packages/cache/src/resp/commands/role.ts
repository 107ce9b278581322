/** ROLE, and the words of Redis for leader and followers. */
import type { ClusterView, MemberRow } from "../command-backend.ts";
import { type CommandCall, defineCommands } from "../command.ts";

/** A leader without confirmation by a majority for a while may no longer be one, and does not claim to be. */
export function roleWord({ role, leaderStanding }: ClusterView): "master" | "slave" {
  const isConfirmed = leaderStanding === "up" || leaderStanding === "changing";
  return role === "leader" && isConfirmed ? "master" : "slave";
}

/** The leader, as a follower reports it. */
export function followedRow({ leader, self, members }: ClusterView): MemberRow | undefined {
  return members.find(({ id }) => id === leader && id !== self);
}

/** Reachable members besides the leader. */
export function connectedRows({ leader, members }: ClusterView): readonly MemberRow[] {
  return members.filter(({ id, isReachable }) => id !== leader && isReachable);
}

function role({ reply, backend: { cluster } }: CommandCall): void {
  if (roleWord(cluster) === "master") replyLeader({ reply, cluster });
  else replyFollower({ reply, cluster });
}

type Replying = Pick<CommandCall, "reply"> & { readonly cluster: ClusterView };

function replyLeader({ reply, cluster }: Replying): void {
  const replicas = connectedRows(cluster);
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
  const leader = followedRow(cluster);
  reply.array(5);
  reply.bulkText("slave");
  reply.bulkText(leader?.host ?? "");
  reply.integer(leader?.port ?? 0);
  reply.bulkText(linkState(leader));
  reply.integer(cluster.appliedIndex);
}

/** In Redis's words: there is no leader to connect to, it is not heard, it is heard. */
function linkState(leader: MemberRow | undefined): "connect" | "connecting" | "connected" {
  if (leader === undefined) return "connect";
  return leader.isReachable ? "connected" : "connecting";
}

export const ROLE_COMMANDS = defineCommands("server", [
  {
    name: "role",
    kind: "local",
    work: 50,
    arity: 1,
    run: role,
    summary: "Role of this member, and the other members",
  },
]);
