/** INFO: facts in sections, in the format of Redis. */
import { DATABASE_COUNT } from "../client-state.ts";
import type { CommandBackend } from "../command-backend.ts";
import { type CommandCall, defineCommands } from "../command.ts";
import type { CacheName } from "../../state/operation.ts";
import { runId } from "../sentinel-view.ts";
import { connectedRows, followedRow, roleWord } from "./role.ts";

/** The Redis version reported: clients choose commands by it. */
export const REDIS_VERSION_SHOWN = "7.0.15";

type Lines = readonly (readonly [string, string | number])[];

const SECTIONS: ReadonlyMap<string, (backend: CommandBackend) => Lines> = new Map([
  ["Server", serverLines],
  ["Clients", clientLines],
  ["Memory", memoryLines],
  ["Persistence", () => [["loading", 0]] as const],
  ["Stats", statsLines],
  ["Replication", replicationLines],
  ["CPU", () => []],
  ["Cluster", () => [["cluster_enabled", 0]] as const],
  ["Keyspace", keyspaceLines],
]);
const ALL_WORDS = ["default", "all", "everything"];

function info({ request, reply, backend }: CommandCall): void {
  const wanted = new Set<string>();
  for (let i = 1; i < request.count; i++) wanted.add(request.word(i));
  const isAll = wanted.size === 0 || ALL_WORDS.some((word) => wanted.has(word));
  const parts: string[] = [];
  for (const [name, lines] of SECTIONS) {
    if (!isAll && !wanted.has(name.toLowerCase())) continue;
    const all = [...lines(backend), ...backend.cluster.infoLines(name)];
    parts.push(`# ${name}\r\n${all.map(([key, value]) => `${key}:${value}\r\n`).join("")}`);
  }
  reply.verbatim(parts.join("\r\n"));
}

function serverLines({ cluster }: CommandBackend): Lines {
  return [
    ["redis_version", REDIS_VERSION_SHOWN],
    ["redis_mode", "standalone"],
    ["run_id", runId(cluster.self)],
    ["sluice_member", cluster.self],
  ];
}

function clientLines({ clients }: CommandBackend): Lines {
  return [["connected_clients", clients.count]];
}

function memoryLines({ store: { state } }: CommandBackend): Lines {
  return [
    ["maxmemory", 0],
    ["sluice_entry_bytes", state.snapshotBytes],
    ["sluice_slab_bytes", state.heldBytes],
    ["maxmemory_policy", "allkeys-lru"],
  ];
}

function statsLines({ counts, store: { state } }: CommandBackend): Lines {
  return [
    ["total_commands_processed", counts.commands],
    ["keyspace_hits", counts.hits],
    ["keyspace_misses", counts.misses],
    ["expired_keys", state.expiredCount],
    ["evicted_keys", state.evictedCount],
  ];
}

function replicationLines({ cluster }: CommandBackend): Lines {
  const leader = followedRow(cluster);
  const replicas = connectedRows(cluster);
  const role = roleWord(cluster);
  const facts: (readonly [string, string | number])[] = [["role", role]];
  if (role === "slave") {
    facts.push(["master_host", leader?.host ?? ""], ["master_port", leader?.port ?? 0]);
    facts.push(["master_link_status", leader?.isReachable === true ? "up" : "down"], ["slave_read_only", 1]);
    facts.push(["slave_repl_offset", cluster.appliedIndex]);
  } else {
    facts.push(["connected_slaves", replicas.length]);
    for (const [i, { host, port, matchIndex }] of replicas.entries()) {
      facts.push([`slave${i}`, `ip=${host},port=${port},state=online,offset=${matchIndex},lag=0`]);
    }
  }
  facts.push(
    ["master_repl_offset", cluster.appliedIndex],
    ["sluice_role", cluster.role],
    ["sluice_term", cluster.term],
  );
  return facts;
}

function keyspaceLines({ store: { state } }: CommandBackend): Lines {
  const facts: (readonly [string, string])[] = [];
  for (let database = 0; database < DATABASE_COUNT; database++) {
    const table = state.findCache(String(database) as CacheName)?.table;
    if (table === undefined || table.slots.count === 0) continue;
    facts.push([`db${database}`, `keys=${table.slots.count},expires=${table.expiries.count},avg_ttl=0`]);
  }
  return facts;
}

export const INFO_COMMANDS = defineCommands("server", [
  {
    name: "info",
    work: 500, // it also queries the system
    kind: "local",
    arity: -1,
    run: info,
    summary: "Facts about this member",
    flags: ["loading", "stale"],
  },
]);
