/** Clusters of servers that have the embedded cache as their engine, and what a writer through its RESP ports was promised. */
import { type CacheLedger, findMissing, openSentinelRedis } from "./cache-ledger.ts";
import type { WorkFolder } from "./clip.ts";
import { ClusterServer } from "./cluster-server.ts";

const SECRET = "secret: the secret of this cluster";
const RESP = ["cache.resp.port: 0"];

export interface StartOptions {
  readonly seeds?: readonly ClusterServer[];
  readonly cluster?: readonly string[];
  readonly more?: readonly string[];
  /** Where it listens for nodes; any free one if left out, `off`: it only dials. */
  readonly port?: number | "off";
}

export function start(folder: WorkFolder, id: string, options: StartOptions = {}): Promise<ClusterServer> {
  const { seeds = [], cluster = [], more = RESP, port = 0 } = options;
  const named = seeds.length === 0 ? [] : [`seeds: [${seeds.map(({ address }) => address).join(", ")}]`];
  return ClusterServer.start(folder, { id, cluster: [`port: ${port}`, SECRET, ...named, ...cluster], more });
}

/** A; B with A as its seed; C with B as its seed. */
export async function three(
  folder: WorkFolder,
  more: readonly string[] = [],
): Promise<readonly [ClusterServer, ClusterServer, ClusterServer]> {
  const all = { more: [...RESP, ...more] };
  const a = await start(folder, "a", all);
  const b = await start(folder, "b", { ...all, seeds: [a] });
  const c = await start(folder, "c", { ...all, seeds: [b] });
  return [a, b, c];
}

export async function end(servers: readonly ClusterServer[], signal: "SIGTERM" | "SIGKILL"): Promise<void> {
  for (const server of servers) server.child.kill(signal);
  await Promise.all(servers.map(({ child }) => child.exited));
}

export const sentinels = (servers: readonly ClusterServer[]) =>
  servers.map((server) => ({ host: "127.0.0.1", port: server.port("resp") }));

/** What was acknowledged and is not there, as the leader answers. */
export async function missing(servers: readonly ClusterServer[], ledger: CacheLedger): Promise<readonly string[]> {
  const redis = openSentinelRedis(sentinels(servers));
  try {
    return await findMissing(redis, ledger.acknowledged);
  } finally {
    redis.disconnect();
  }
}
