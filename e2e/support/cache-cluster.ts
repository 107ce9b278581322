/** Three or more real cache processes with a proxy for every direction between two of them. */
import { join } from "node:path";
import type { NodeReport } from "@sluice/gcache/node/cluster-admin";
import { type Directions, FaultProxy } from "@sluice/testkit/fault-proxy";
import { freePort } from "@sluice/testkit/free-port";
import { CacheMember } from "./cache-member.ts";
import { WorkFolder } from "./clip.ts";
import { until } from "@sluice/testkit/until";

/** Of a cut: bytes vanish, or connections break and are refused. */
export type CutKind = "silent" | "with close";

interface Way {
  readonly from: string;
  readonly to: string;
  readonly proxy: FaultProxy;
}

export interface CacheClusterOptions {
  readonly size?: number;
  readonly args?: readonly string[];
}

/** Dispose it (`await using`), and the processes are dead and their data gone. */
export class CacheCluster implements AsyncDisposable {
  readonly members: readonly CacheMember[];
  readonly #ways: readonly Way[];
  readonly #folder: WorkFolder;

  private constructor(members: readonly CacheMember[], ways: readonly Way[], folder: WorkFolder) {
    this.members = members;
    this.#ways = ways;
    this.#folder = folder;
  }

  static async start({ size = 3, args = [] }: CacheClusterOptions = {}): Promise<CacheCluster> {
    const folder = new WorkFolder();
    const ids = Array.from({ length: size }, (_, index) => `n${index + 1}`);
    const ports = new Map<string, number>();
    for (const id of ids) ports.set(id, await freePort());
    const ways = await openWays(ports);
    const list = [...ports].map(([id, port]) => `${id}=127.0.0.1:${port}`).join(",");
    const members: CacheMember[] = [];
    for (const id of ids) {
      const own = ways.filter((way) => way.from === id);
      const dialThrough = Object.fromEntries(own.map(({ to, proxy }) => [String(ports.get(to)), proxy.port]));
      const dir = join(folder.path, id);
      members.push(new CacheMember({ id, members: list, respPort: await freePort(), dir, args, dialThrough }));
    }
    const cluster = new CacheCluster(members, ways, folder);
    await Promise.all(members.map((member) => member.ready()));
    await cluster.settled();
    return cluster;
  }

  get sentinels(): readonly { readonly host: string; readonly port: number }[] {
    return this.members.map(({ respPort }) => ({ host: "127.0.0.1", port: respPort }));
  }

  get(id: string): CacheMember {
    const member = this.members.find((one) => one.id === id);
    if (member === undefined) throw new RangeError(`Cannot find member "${id}"`);
    return member;
  }

  /** The one that says so itself; of several that do, the one of the highest term. */
  leader(): Promise<CacheMember> {
    return until("a leader", async () => {
      const leaders = (await this.#reports()).filter(({ role }) => role === "leader");
      const leader = leaders.sort((a, b) => b.term - a.term)[0];
      return leader && this.get(leader.node);
    });
  }

  /** Until one leads, the others follow it, and all hold what is committed. @returns the leader */
  settled(): Promise<CacheMember> {
    return until("all members to agree", async () => {
      const reports = await this.#reports();
      const leader = reports.find(({ role }) => role === "leader");
      if (leader === undefined || reports.length < this.members.length) return undefined;
      const agree = reports.every((one) => one.leader === leader.node && one.term === leader.term && !one.isRecovering);
      const hold = leader.members.every(({ id, held }) => id === leader.node || (held ?? 0) + 2_000 >= leader.commit);
      const [first] = agree && hold ? this.members.filter(({ id }) => id === leader.node) : [];
      return first;
    });
  }

  /** Until all members agree, and each of them hears all others. */
  async allReachable(): Promise<void> {
    await this.settled();
    await until("all members to hear each other", async () => {
      const reports = await this.#reports();
      const isSo = reports.every(({ members }) => members.every(({ isReachable }) => isReachable));
      return isSo && reports.length === this.members.length ? true : undefined;
    });
  }

  /** Nothing goes from these to the others or comes from them. Clients reach all. */
  split(ids: readonly string[], kind: CutKind): void {
    for (const { from, to, proxy } of this.#ways) {
      if (ids.includes(from) !== ids.includes(to)) cut(proxy, kind, "both");
    }
  }

  /** Nothing goes to it or comes from it; with `only`, one of the two. Clients reach it all the same. */
  isolate(id: string, kind: CutKind, only?: "incoming" | "outgoing"): void {
    for (const { from, to, proxy } of this.#ways) {
      const isTouched = (from === id && only !== "incoming") || (to === id && only !== "outgoing");
      if (isTouched) cut(proxy, kind, "both");
    }
  }

  heal(): void {
    for (const { proxy } of this.#ways) proxy.heal();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const member of this.members) await member.kill();
    for (const { proxy } of this.#ways) await proxy[Symbol.asyncDispose]();
    this.#folder[Symbol.dispose]();
  }

  async #reports(): Promise<NodeReport[]> {
    const asked = await Promise.allSettled(this.members.map((member) => member.status()));
    return asked.filter((one) => one.status === "fulfilled").map(({ value }) => value);
  }
}

function cut(proxy: FaultProxy, kind: CutKind, directions: Directions): void {
  if (kind === "silent") proxy.cutSilently(directions);
  else proxy.cutWithClose("rst");
}

async function openWays(ports: ReadonlyMap<string, number>): Promise<Way[]> {
  const ways: Way[] = [];
  for (const from of ports.keys()) {
    for (const [to, port] of ports) if (from !== to) ways.push({ from, to, proxy: await FaultProxy.start({ port }) });
  }
  return ways;
}
