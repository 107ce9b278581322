/** Three nodes of one cluster, as a user starts them: each is a server with a vote in the state engine. */
import { setTimeout as sleep } from "node:timers/promises";
import { cpuSeconds } from "../proc-stat.ts";
import { PLAYER_CORE, type RunningServer, SERVER_CORE } from "./running-server.ts";
import { startSluice } from "./sluice.ts";

const SETTLING_MS = 60_000;
const SECRET = "cluster.secret=of-the-bench-and-of-nothing-else";

interface NodeRow {
  readonly id: string;
  readonly engine: string | null;
}

/** One more node of a cluster whose first node is `seed`. @param id  free in the cluster */
export function startNode(
  id: string,
  seed: RunningServer | undefined,
  more: { readonly core: number; readonly settings: readonly string[] },
): Promise<RunningServer> {
  const seeds = seed === undefined ? [] : [`cluster.seeds=127.0.0.1:${seed.ports.cluster}`];
  const settings = [`node.id=${id}`, "cluster.port=0", SECRET, ...seeds, ...more.settings];
  return startSluice({ window: "auto", tls: false, settings, core: more.core });
}

export class SluiceCluster implements AsyncDisposable {
  readonly nodes: readonly RunningServer[];

  private constructor(nodes: readonly RunningServer[]) {
    this.nodes = nodes;
  }

  /** The first node has the server's core for itself, founds the engine and leads it. */
  static async start(settings: readonly string[], others: readonly string[] = []): Promise<SluiceCluster> {
    const first = await startNode("a", undefined, {
      core: SERVER_CORE,
      settings: ["cache.resp.port=0", ...settings],
    });
    const nodes = [first];
    for (const id of ["b", "c"]) nodes.push(await startNode(id, first, { core: PLAYER_CORE, settings: others }));
    const cluster = new SluiceCluster(nodes);
    await cluster.#settled();
    return cluster;
  }

  get leader(): RunningServer {
    const [first] = this.nodes;
    if (first === undefined) throw new RangeError("Cannot find the first node");
    return first;
  }

  /** Elections and terms of all nodes, added up: unchanged while every node accepts the leader. */
  async unrest(): Promise<number> {
    let sum = 0;
    for (const { ports } of this.nodes) {
      const page = await (await fetch(`http://127.0.0.1:${ports.http}/metrics`)).text();
      for (const name of ["sluice_cache_elections", "sluice_cache_term"])
        sum += Number(new RegExp(`^${name} (\\d+)$`, "m").exec(page)?.[1] ?? Number.NaN);
    }
    return sum;
  }

  cpuSeconds(): number[] {
    return this.nodes.map((node) => cpuSeconds(node.process.pid));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const node of this.nodes) await node[Symbol.asyncDispose]();
  }

  /** Until three vote, and the first leads. */
  async #settled(): Promise<void> {
    for (const end = performance.now() + SETTLING_MS; performance.now() < end; await sleep(200)) {
      const answer = await fetch(`http://127.0.0.1:${this.leader.ports.http}/api/v1/nodes`);
      const { nodes } = (await answer.json()) as { readonly nodes: readonly NodeRow[] };
      const count = (role: string): number => nodes.filter(({ engine }) => engine === role).length;
      if (count("leader") === 1 && count("voter") === 2) return;
    }
    throw new Error(`Three nodes do not vote after ${SETTLING_MS} ms`);
  }
}
