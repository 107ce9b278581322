/** A cluster as a Redis Sentinel sees it: one master, its replicas, the other Sentinels, and which of them are down. */
import type { ClusterView, LeaderStanding, MemberRow } from "./command-backend.ts";

/** The only master there is. */
export const MASTER_NAME = "sluice";

export interface SentinelView {
  /** The last known leader; `standing` says how valid that is. */
  readonly master: MemberRow;
  readonly standing: LeaderStanding;
  /** Members besides the master with a RESP port. */
  readonly replicas: readonly MemberRow[];
  /** Members besides this one with a RESP port. */
  readonly sentinels: readonly MemberRow[];
  readonly voters: VoterCount;
}

export interface VoterCount {
  readonly reachable: number;
  /** Voters needed to elect a leader. */
  readonly quorum: number;
}

/** `undefined` without a master: no leader was ever known here, or it has no RESP port. */
export function sentinelView(cluster: ClusterView): SentinelView | undefined {
  const { members, self, lastLeader, leaderStanding: standing } = cluster;
  const master = members.find(({ id }) => id === lastLeader);
  if (master === undefined || master.port === 0) return undefined;
  const shown = members.filter(({ port }) => port !== 0);
  const replicas = shown.filter(({ id }) => id !== master.id);
  const sentinels = shown.filter(({ id }) => id !== self);
  return { master, standing, replicas, sentinels, voters: voterCount(members) };
}

export function voterCount(members: readonly MemberRow[]): VoterCount {
  const voters = members.filter(({ isVoter }) => isVoter);
  const reachable = voters.filter(({ isReachable }) => isReachable).length;
  return { reachable, quorum: Math.floor(voters.length / 2) + 1 };
}

/** In the words and the order of Redis; clients look for `s_down`, `o_down`, `disconnected`, `failover_in_progress`. */
export function masterFlags({ standing, voters }: SentinelView): string {
  switch (standing) {
    case "up":
      return "master";
    case "changing":
      return "master,failover_in_progress";
    case "unheard":
      return "s_down,master,disconnected";
    case "lost":
      return `s_down,o_down,master,disconnected${voters.reachable < voters.quorum ? "" : ",failover_in_progress"}`;
  }
}

export function memberFlags({ isReachable }: MemberRow, kind: "slave" | "sentinel"): string {
  return isReachable ? kind : `s_down,${kind},disconnected`;
}

/** Forty hexadecimal digits, as Redis has them, from the member's name. */
export function runId(name: string): string {
  let hash = 0x811c9dc5;
  let text = "";
  while (text.length < 40) {
    for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
    text += (hash >>> 0).toString(16).padStart(8, "0");
  }
  return text.slice(0, 40);
}
