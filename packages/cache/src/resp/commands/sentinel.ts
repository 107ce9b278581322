/** SENTINEL: any member answers for the whole cluster, so that Sentinel-aware clients find the leader by themselves. */
import type { ClusterView, MemberRow } from "../command-backend.ts";
import { type CommandCall, defineCommands } from "../command.ts";
import { refuse } from "../errors.ts";
import type { RespWriter } from "../resp-writer.ts";
import { leaderRow, replicaRows } from "./role.ts";

/** The only master there is. */
export const MASTER_NAME = "sluice";

function checkMaster({ request }: CommandCall): void {
  if (request.text(2) !== MASTER_NAME) refuse("ERR No such master with that name");
}

function address({ request, reply, backend: { cluster } }: CommandCall): void {
  const leader = request.text(2) === MASTER_NAME ? leaderRow(cluster) : undefined;
  if (leader === undefined || leader.port === 0) return reply.noList();
  reply.array(2);
  reply.bulkText(leader.host);
  reply.bulkText(String(leader.port));
}

function master(call: CommandCall): void {
  checkMaster(call);
  replyFields(call.reply, masterFields(call.backend.cluster));
}

function masters({ reply, backend }: CommandCall): void {
  reply.array(1);
  replyFields(reply, masterFields(backend.cluster));
}

function replicas(call: CommandCall): void {
  checkMaster(call);
  const { cluster } = call.backend;
  const rows = replicaRows(cluster).filter(({ port }) => port !== 0);
  call.reply.array(rows.length);
  for (const row of rows) replyFields(call.reply, replicaFields(row, cluster));
}

/** Every other member with a RESP port. */
function sentinels(call: CommandCall): void {
  checkMaster(call);
  const { members, self } = call.backend.cluster;
  const rows = members.filter(({ id, port }) => id !== self && port !== 0);
  call.reply.array(rows.length);
  for (const row of rows)
    replyFields(call.reply, memberFields(row, row.isReachable ? "sentinel" : "s_down,sentinel,disconnected"));
}

/** Whether enough voters are there to choose a leader. */
function ckquorum(call: CommandCall): void {
  checkMaster(call);
  const voters = call.backend.cluster.members.filter(({ isVoter }) => isVoter);
  const reachable = voters.filter(({ isReachable }) => isReachable).length;
  const quorum = quorumOf(voters.length);
  if (reachable < quorum) {
    refuse(
      `NOQUORUM ${reachable} usable Sentinels. Not enough available Sentinels to reach the majority and authorize a failover`,
    );
  }
  call.reply.simple(`OK ${reachable} usable Sentinels. Quorum and failover authorization can be reached`);
}

function quorumOf(voterCount: number): number {
  return Math.floor(voterCount / 2) + 1;
}

type Fields = readonly (readonly [string, string | number])[];

function replyFields(reply: RespWriter, fields: Fields): void {
  reply.map(fields.length);
  for (const [name, value] of fields) {
    reply.bulkText(name);
    reply.bulkText(String(value));
  }
}

function memberFields({ id, host, port }: MemberRow, flags: string): Fields {
  return [
    ["name", id],
    ["ip", host],
    ["port", port],
    ["runid", runId(id)],
    ["flags", flags],
  ];
}

function masterFields(cluster: ClusterView): Fields {
  const leader = leaderRow(cluster);
  const voterCount = cluster.members.filter(({ isVoter }) => isVoter).length;
  return [
    ["name", MASTER_NAME],
    ["ip", leader?.host ?? ""],
    ["port", leader?.port ?? 0],
    ["runid", leader === undefined ? "" : runId(leader.id)],
    ["flags", leader === undefined ? "master,o_down" : "master"],
    ["role-reported", "master"],
    ["config-epoch", cluster.term],
    ["num-slaves", replicaRows(cluster).length],
    ["num-other-sentinels", Math.max(0, cluster.members.length - 1)],
    ["quorum", quorumOf(voterCount)],
  ];
}

function replicaFields(row: MemberRow, cluster: ClusterView): Fields {
  const leader = leaderRow(cluster);
  return [
    ...memberFields(
      { ...row, id: `${row.host}:${row.port}` as MemberRow["id"] },
      row.isReachable ? "slave" : "s_down,slave,disconnected",
    ),
    ["role-reported", "slave"],
    ["master-link-status", leader === undefined ? "err" : "ok"],
    ["master-host", leader?.host ?? ""],
    ["master-port", leader?.port ?? 0],
    ["slave-priority", 100],
    ["slave-repl-offset", row.matchIndex],
  ];
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

const local = { kind: "local" } as const;

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
