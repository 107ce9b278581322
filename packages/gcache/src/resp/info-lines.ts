/** The member's part of INFO: its place in the cluster, its log, its process and its clients. */
import { arch, release, totalmem, type as systemName } from "node:os";
import type { Millis } from "@sluice/base/brand";
import type { RespTraffic } from "./resp-traffic.ts";
import type { ReplicaStatus } from "@sluice/cache/replica/replica-options";

export type InfoLines = readonly (readonly [string, string | number])[];

export interface InfoFacts {
  readonly status: ReplicaStatus;
  /** Messages to members dropped for lack of a connection. */
  readonly droppedMessages: number;
  /** Index of the last record that survives a loss of power. */
  readonly syncedIndex: number;
  readonly traffic: RespTraffic;
  readonly now: Millis;
  readonly port: number;
  readonly maxClients: number;
  /** Bytes queued for all clients together. */
  readonly clientBytes: number;
}

/** @param section  as INFO writes it */
export function infoLinesOf(section: string, facts: InfoFacts): InfoLines {
  switch (section) {
    case "Server":
      return serverLines(facts);
    case "Clients":
      return [["maxclients", facts.maxClients]];
    case "Memory":
      return memoryLines(facts);
    case "Stats":
      return statsLines(facts);
    case "CPU":
      return cpuLines();
    case "Cluster":
      return clusterLines(facts.status, facts.droppedMessages);
    case "Persistence":
      return logLines(facts);
    default:
      return [];
  }
}

const DAY_SECONDS = 86_400;

function serverLines({ now, traffic, port }: InfoFacts): InfoLines {
  const seconds = Math.floor((now - traffic.since) / 1_000);
  return [
    ["os", `${systemName()} ${release()} ${arch()}`],
    ["arch_bits", 64],
    ["process_id", process.pid],
    ["tcp_port", port],
    ["uptime_in_seconds", seconds],
    ["uptime_in_days", Math.floor(seconds / DAY_SECONDS)],
  ];
}

function memoryLines({ clientBytes }: InfoFacts): InfoLines {
  const { rss, heapUsed, external } = process.memoryUsage();
  const used = heapUsed + external;
  return [
    ["used_memory", used],
    ["used_memory_human", `${(used / 2 ** 20).toFixed(2)}M`],
    ["used_memory_rss", rss],
    ["used_memory_rss_human", `${(rss / 2 ** 20).toFixed(2)}M`],
    ["total_system_memory", totalmem()],
    ["mem_clients_normal", clientBytes],
  ];
}

function statsLines({ traffic, now }: InfoFacts): InfoLines {
  const rates = traffic.rates(now);
  return [
    ["total_connections_received", traffic.acceptedClients],
    ["rejected_connections", traffic.refusedClients],
    ["instantaneous_ops_per_sec", Math.round(rates.commands)],
    ["total_net_input_bytes", traffic.inputBytes],
    ["total_net_output_bytes", traffic.outputBytes],
    ["instantaneous_input_kbps", (rates.inputBytes / 1_024).toFixed(2)],
    ["instantaneous_output_kbps", (rates.outputBytes / 1_024).toFixed(2)],
  ];
}

function cpuLines(): InfoLines {
  const { system, user } = process.cpuUsage();
  const seconds = (micros: number): string => (micros / 1e6).toFixed(6);
  return [
    ["used_cpu_sys", seconds(system)],
    ["used_cpu_user", seconds(user)],
    ["used_cpu_sys_children", seconds(0)],
    ["used_cpu_user_children", seconds(0)],
  ];
}

function clusterLines(status: ReplicaStatus, droppedMessages: number): InfoLines {
  const namesOf = (role: "voter" | "learner"): string =>
    status.members.flatMap((member) => (member.role === role ? [member.id] : [])).join(",");
  return [
    ["sluice_cluster_role", status.role],
    ["sluice_cluster_term", status.term],
    ["sluice_cluster_leader", status.leader ?? ""],
    ["sluice_commit_index", status.commit],
    ["sluice_voters", namesOf("voter")],
    ["sluice_learners", namesOf("learner")],
    ["sluice_elections", status.elections],
    ["sluice_truncated_records", status.truncatedRecords],
    ["sluice_dropped_messages", droppedMessages],
    ["sluice_recovering", status.isRecovering ? 1 : 0],
  ];
}

function logLines({ status, syncedIndex }: InfoFacts): InfoLines {
  return [
    ["sluice_log_first_index", status.firstIndex],
    ["sluice_log_last_index", status.lastIndex],
    ["sluice_log_synced_index", Math.min(status.lastIndex, Math.max(status.synced, syncedIndex))],
    ["sluice_log_bytes", status.logBytes],
    ["sluice_snapshot_index", status.snapshotIndex],
  ];
}
