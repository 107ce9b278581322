/** `sluice cache status|switch-over|add|remove`: asks a running cache node over its RESP port. */
import { UnavailableError } from "@sluice/base/errors";
import { Redis } from "ioredis";
import { formatAddress } from "../cache/address.ts";
import type { NodeReport } from "../cache/cluster-admin.ts";
import { parseMembers, readSecret, requireAddress } from "./cache-options.ts";
import { UsageError } from "./failure.ts";
import { table } from "./table.ts";

export interface CacheAdminOptions {
  readonly resp: string;
  readonly respPasswordFile?: string;
  readonly json?: boolean;
}

/** The node cannot be reached, or says no. */
export class CacheCallError extends UnavailableError {
  override readonly name = "CacheCallError";
  readonly code = "UNAVAILABLE_CACHE_NODE";
  readonly context: { readonly resp: string; readonly reason: string };
  constructor(context: { readonly resp: string; readonly reason: string }) {
    super(`Cannot ask the cache node at ${context.resp}: ${context.reason}`);
    this.context = context;
  }
}

/** Beyond what catching up a new member and a hand-over take. */
const PATIENCE = 30_000;

export async function cacheStatus(options: CacheAdminOptions): Promise<void> {
  const report = await ask<NodeReport>(options, options.resp, ["STATUS"]);
  if (options.json) return void process.stdout.write(`${JSON.stringify(report)}\n`);
  const { node, role, term, leader, commit, generation, members } = report;
  process.stdout.write(`Node ${node}: ${role}, term ${term}, leader ${leader ?? "none"}, commit ${commit}, data ${generation}\n`);
  const rows = members.map((member) => [
    member.id,
    member.id === leader ? "leader" : member.role,
    member.address,
    member.resp ?? "-",
    member.isReachable ? "yes" : "no",
    member.held === null ? "-" : String(member.held),
  ]);
  process.stdout.write(table(["MEMBER", "ROLE", "ADDRESS", "RESP", "REACHABLE", "HELD"], rows));
}

export async function cacheSwitchOver(member: string | undefined, options: CacheAdminOptions): Promise<void> {
  await askLeader(options, member === undefined ? ["SWITCH-OVER"] : ["SWITCH-OVER", member]);
  const report = await ask<NodeReport>(options, options.resp, ["STATUS"]);
  process.stdout.write(`Leader is ${report.leader ?? "not known yet"}\n`);
}

export async function cacheAdd(member: string, options: CacheAdminOptions): Promise<void> {
  const [entry, ...more] = parseMembers(member);
  if (entry === undefined || more.length > 0) throw new UsageError("Give one member, as id=host:port");
  await askLeader(options, ["ADD", ...entry]);
  process.stdout.write(`Member ${entry[0]} is added; it votes once it has caught up and voters are odd in number\n`);
}

export async function cacheRemove(member: string, options: CacheAdminOptions): Promise<void> {
  await askLeader(options, ["REMOVE", member]);
  process.stdout.write(`Member ${member} is removed\n`);
}

/** Of any member: who leads is asked there first. */
async function askLeader(options: CacheAdminOptions, words: readonly string[]): Promise<void> {
  const { leader, members } = await ask<NodeReport>(options, options.resp, ["STATUS"]);
  const resp = members.find((member) => member.id === leader)?.resp;
  if (resp === undefined || resp === null) throw new CacheCallError({ resp: options.resp, reason: "nobody leads now, or the leader has no RESP port" });
  await ask(options, resp, words);
}

async function ask<Answer>(options: CacheAdminOptions, resp: string, words: readonly string[]): Promise<Answer> {
  const { host, port } = requireAddress("--resp", resp);
  const password = options.respPasswordFile && readSecret("--resp-password-file", options.respPasswordFile);
  const redis = new Redis({
    host,
    port,
    ...(password ? { password } : {}),
    lazyConnect: true,
    retryStrategy: () => null,
    enableReadyCheck: false,
    commandTimeout: PATIENCE,
  });
  redis.on("error", () => {});
  try {
    await redis.connect();
    return JSON.parse(String(await redis.call("SLUICE", ...words))) as Answer;
  } catch (error) {
    throw new CacheCallError({ resp: formatAddress({ host, port }), reason: reasonOf(error as Error) });
  } finally {
    redis.disconnect();
  }
}

function reasonOf(error: Error): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === "ECONNREFUSED" || message.includes("Connection is closed") ? "nothing answers there; is the node running?" : message;
}
