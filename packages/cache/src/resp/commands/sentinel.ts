/** SENTINEL: any member answers for the whole cluster, so that Sentinel-aware clients find the leader. */
import type { ClusterView, MemberRow } from "../command-backend.ts";
import { type CommandCall, defineCommands } from "../command.ts";
import { refuse } from "../errors.ts";
import type { RespWriter } from "../resp-writer.ts";
import {
  MASTER_NAME,
  masterFlags,
  memberFlags,
  runId,
  type SentinelView,
  sentinelView,
  voterCount,
} from "../sentinel-view.ts";

const UNKNOWN = "ERR No such master with that name";

/** View of the master that the request names. */
function viewOf({ request, backend: { cluster } }: CommandCall): SentinelView {
  const view = request.text(2) === MASTER_NAME ? sentinelView(cluster) : undefined;
  return view ?? refuse(UNKNOWN);
}

/** Replies only with a leader that is up: otherwise the client asks the next member, which may know more. */
function address({ request, reply, backend: { cluster } }: CommandCall): void {
  const view = request.text(2) === MASTER_NAME ? sentinelView(cluster) : undefined;
  if (view?.standing !== "up") return reply.noList();
  reply.array(2);
  reply.bulkText(view.master.host);
  reply.bulkText(String(view.master.port));
}

function master(call: CommandCall): void {
  replyFields(call.reply, masterFields(viewOf(call), call.backend.cluster));
}

function masters({ reply, backend: { cluster } }: CommandCall): void {
  const view = sentinelView(cluster);
  reply.array(view === undefined ? 0 : 1);
  if (view !== undefined) replyFields(reply, masterFields(view, cluster));
}

function replicas(call: CommandCall): void {
  const view = viewOf(call);
  call.reply.array(view.replicas.length);
  for (const row of view.replicas) replyFields(call.reply, replicaFields(row, view));
}

function sentinels(call: CommandCall): void {
  const view = viewOf(call);
  call.reply.array(view.sentinels.length);
  for (const row of view.sentinels) {
    replyFields(call.reply, memberFields({ row, name: row.id, flags: memberFlags(row, "sentinel") }));
  }
}

/** Whether enough voters are reachable to elect a leader. */
function ckquorum({ request, reply, backend: { cluster } }: CommandCall): void {
  if (request.text(2) !== MASTER_NAME) refuse(UNKNOWN);
  const { reachable, quorum } = voterCount(cluster.members);
  if (reachable < quorum) {
    refuse(
      `NOQUORUM ${reachable} usable Sentinels. Not enough available Sentinels to reach the majority and authorize a failover`,
    );
  }
  reply.simple(`OK ${reachable} usable Sentinels. Quorum and failover authorization can be reached`);
}

type Fields = readonly (readonly [string, string | number])[];

function replyFields(reply: RespWriter, fields: Fields): void {
  reply.map(fields.length);
  for (const [name, value] of fields) {
    reply.bulkText(name);
    reply.bulkText(String(value));
  }
}

interface Described {
  readonly row: MemberRow;
  readonly name: string;
  readonly flags: string;
}

function memberFields({ row: { id, host, port }, name, flags }: Described): Fields {
  return [
    ["name", name],
    ["ip", host],
    ["port", port],
    ["runid", runId(id)],
    ["flags", flags],
  ];
}

function masterFields(view: SentinelView, { term }: ClusterView): Fields {
  return [
    ...memberFields({ row: view.master, name: MASTER_NAME, flags: masterFlags(view) }),
    ["role-reported", "master"],
    ["config-epoch", term],
    ["num-slaves", view.replicas.length],
    ["num-other-sentinels", view.sentinels.length],
    ["quorum", view.voters.quorum],
  ];
}

function replicaFields(row: MemberRow, { master: { host, port }, standing }: SentinelView): Fields {
  return [
    ...memberFields({ row, name: `${row.host}:${row.port}`, flags: memberFlags(row, "slave") }),
    ["role-reported", "slave"],
    ["master-link-status", standing === "up" && row.isReachable ? "ok" : "err"],
    ["master-host", host],
    ["master-port", port],
    ["slave-priority", 100],
    ["slave-repl-offset", row.matchIndex],
  ];
}

const local = { kind: "local", work: 100 } as const;

export const SENTINEL_COMMANDS = defineCommands("server", [
  { ...local, name: "sentinel|get-master-addr-by-name", arity: 3, run: address, summary: "Address of the leader" },
  { ...local, name: "sentinel|master", arity: 3, run: master, summary: "The leader" },
  { ...local, name: "sentinel|masters", arity: 2, run: masters, summary: "The leader, as a list" },
  { ...local, name: "sentinel|replicas", arity: 3, run: replicas, summary: "Followers and learners" },
  { ...local, name: "sentinel|slaves", arity: 3, run: replicas, summary: "Followers and learners" },
  { ...local, name: "sentinel|sentinels", arity: 3, run: sentinels, summary: "The other members" },
  { ...local, name: "sentinel|ckquorum", arity: 3, run: ckquorum, summary: "Whether a leader can be chosen" },
  {
    ...local,
    name: "sentinel|myid",
    arity: 2,
    run: ({ reply, backend }) => reply.bulkText(runId(backend.cluster.self)),
    summary: "Number of this member",
  },
]);
