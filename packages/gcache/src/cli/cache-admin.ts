/** `sluice cache status|switch-over|add|remove`: sends a command to a running cache node over its RESP port. */
import { UnavailableError } from "@sluice/base/errors";
import { Redis } from "ioredis";
import { formatAddress } from "@sluice/runtime/sockets/host-and-port";
import type { NodeReport } from "../node/cluster-admin.ts";
import { parseMembers, readSecret, requireAddress } from "./cache-options.ts";
import { UsageError } from "@sluice/runtime/process/usage-error";
import { table } from "@sluice/runtime/process/table";
import { print } from "@sluice/runtime/process/print";

export interface CacheAdminOptions {
  readonly resp: string;
  readonly respPasswordFile?: string;
  readonly json?: boolean;
}

/** Prefix of an answer that was understood and refused. */
const NO = "ERR ";

/** The node cannot be reached, or refuses. */
export class CacheCallError extends UnavailableError {
  override readonly name = "CacheCallError";
  readonly code = "UNAVAILABLE_CACHE_NODE";
  readonly context: { readonly resp: string; readonly reason: string };
  constructor(context: { readonly resp: string; readonly reason: string }) {
    super(
      context.reason.startsWith(NO)
        ? `The cache node at ${context.resp} refuses: ${context.reason.slice(NO.length)}`
        : `Cannot ask the cache node at ${context.resp}: ${context.reason}`,
    );
    this.context = context;
  }
}

/** Longer than a hand-over, or an election before it, takes. */
const PATIENCE = 10_000;

export async function cacheStatus(options: CacheAdminOptions): Promise<void> {
  const report = await statusOf(options);
  if (options.json) return print(`${JSON.stringify(report)}\n`);
  const { node, role, term, leader, commit, generation, members } = report;
  print(`Node ${node}: ${role}, term ${term}, leader ${leader ?? "none"}, commit ${commit}, data ${generation}\n`);
  const rows = members.map((member) => [
    member.id,
    member.id === leader ? "leader" : member.role,
    member.address,
    member.resp ?? "-",
    member.isReachable ? "yes" : "no",
    member.held === null ? "-" : String(member.held),
  ]);
  print(table(["MEMBER", "ROLE", "ADDRESS", "RESP", "REACHABLE", "HELD"], rows));
  if (!report.isMemberListCommitted) print("This list is not committed yet: do not remove members\n");
}

export async function cacheSwitchOver(member: string | undefined, options: CacheAdminOptions): Promise<void> {
  const before = await statusOf(options);
  await askLeader(before, options, member === undefined ? ["SWITCH-OVER"] : ["SWITCH-OVER", member]);
  const after = await until(
    options,
    "the leader is still the same",
    ({ leader }) => leader !== null && leader !== before.leader,
  );
  print(`Leader is ${after.leader}\n`);
}

export async function cacheAdd(member: string, options: CacheAdminOptions): Promise<void> {
  const [entry, ...more] = parseMembers(member);
  if (entry === undefined || more.length > 0) throw new UsageError("Give one member, as id=host:port");
  const [id, address] = entry;
  const before = await statusOf(options);
  const present = before.members.find((one) => one.id === id);
  if (present?.address === address) return print(`Member ${id} is already a member, as ${present.role}\n`);
  await askLeader(before, options, ["ADD", ...entry]);
  await until(
    options,
    "no majority has the list with the member yet",
    ({ members, isMemberListCommitted }) =>
      isMemberListCommitted && members.some((one) => one.id === id && one.address === address),
  );
  print(
    present === undefined
      ? `Member ${id} is added; it votes once it has caught up and voters are odd in number\n`
      : `Member ${id} was a member already; its address is now ${address}\n`,
  );
}

export async function cacheRemove(member: string, options: CacheAdminOptions): Promise<void> {
  await askLeader(await statusOf(options), options, ["REMOVE", member]);
  await until(
    options,
    "no majority has the list without the member yet",
    ({ members, isMemberListCommitted }) => isMemberListCommitted && members.every(({ id }) => id !== member),
  );
  print(`Member ${member} is removed\n`);
}

/** Asks any member for the leader. Retries while the leader finishes something else first. */
async function askLeader(
  { leader, members }: NodeReport,
  options: CacheAdminOptions,
  words: readonly string[],
): Promise<void> {
  const resp = members.find((member) => member.id === leader)?.resp;
  if (resp === undefined || resp === null) {
    throw new CacheCallError({ resp: options.resp, reason: "there is no leader now, or it has no RESP port" });
  }
  for (const end = Date.now() + PATIENCE; ; await pause()) {
    try {
      return void (await ask(options, resp, words));
    } catch (error) {
      if (Date.now() > end || !(error as Error).message.includes("TRYAGAIN")) throw error;
    }
  }
}

const statusOf = async (options: CacheAdminOptions): Promise<NodeReport> =>
  JSON.parse(await ask(options, options.resp, ["STATUS"])) as NodeReport;

/** Polls until the condition holds. A leader that steps down ends its clients' connections: that is not an answer, retry. */
async function until(
  options: CacheAdminOptions,
  trouble: string,
  isSo: (report: NodeReport) => boolean,
): Promise<NodeReport> {
  let failure: Error | undefined;
  for (const end = Date.now() + PATIENCE; Date.now() < end; await pause()) {
    try {
      const report = await statusOf(options);
      if (isSo(report)) return report;
      failure = undefined;
    } catch (error) {
      failure = error as Error;
    }
  }
  throw failure ?? new CacheCallError({ resp: options.resp, reason: trouble });
}

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 100));

async function ask(options: CacheAdminOptions, resp: string, words: readonly string[]): Promise<string> {
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
  let trouble: Error | undefined;
  redis.on("error", (error: Error) => {
    trouble = error; // more specific than the error of the closed connection
  });
  try {
    await redis.connect();
    return String(await redis.call("SLUICE", ...words));
  } catch (error) {
    throw new CacheCallError({ resp: formatAddress({ host, port }), reason: reasonOf(trouble ?? (error as Error)) });
  } finally {
    redis.disconnect();
  }
}

function reasonOf(error: Error): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (message.startsWith("NOAUTH")) return "it wants a password (--resp-password-file)";
  if (error.name === "ParserError")
    return "what answers there does not speak RESP; is it the --resp address of a member?";
  if (code === "EPIPE" || code === "ECONNRESET")
    return "it ended the connection; is it the --resp address of a member?";
  return code === "ECONNREFUSED" || message.includes("Connection is closed")
    ? "nothing answers there; is the node running? --resp names another"
    : message;
}
