/** This node's member of the embedded cache: on the node's own links, kept out of other clusters, serving others while it is one. */
import type { Millis } from "@sluice/base/brand";
import { aborted, Scope } from "@sluice/base/scope";
import type { Timer } from "@sluice/base/clock";
import type { Crypto } from "@sluice/base/crypto";
import type { EngineRole } from "@sluice/client/admin-contract";
import { EngineHost } from "@sluice/cluster/engine/engine-host";
import type { EngineLinks } from "@sluice/cluster/engine/engine-links";
import { GcacheEngine } from "@sluice/drivers/gcache/gcache-engine";
import { isUnbound, memberOf } from "@sluice/gcache/members/member-identity";
import { NodeLinks } from "@sluice/gcache/members/member-links";
import type { CacheNode } from "@sluice/gcache/node/cache-node";
import type { EligibleNode } from "@sluice/gcache/node/cluster-growth";
import { CacheChangeError } from "@sluice/gcache/node/node-errors";
import type { CacheNodeOptions } from "@sluice/gcache/node/node-options";
import { LinkRefusedError, type Refusal } from "@sluice/mesh/errors";
import type { NodeIdentity } from "@sluice/mesh/hello";
import { DEFAULT_LINK_TIMINGS } from "@sluice/mesh/limits";
import type { NodeRow } from "@sluice/mesh/membership/membership-view";
import type { Attempt } from "@sluice/mesh/mesh";
import type { PromMeter } from "@sluice/runtime/metrics/prom-meter";
import { splitAddress } from "@sluice/runtime/sockets/host-and-port";
import type { ClusterNode } from "../cluster/cluster-node.ts";
import type { MemberList } from "../cluster/member-list.ts";
import type { MemberOrder } from "../cluster/node-calls.ts";
import { meterHost } from "./engine-meter.ts";
import type { NodePart } from "./node-part.ts";

/** What a node tells that has a copy of the engine's data for others to use. */
const SERVICE = "engine";
/** How often it is looked whether the node is a member; growing takes seconds. */
const LOOK_EVERY = 200 as Millis;

/** What the engine of a cluster needs of its node. */
export type EngineNode = Pick<NodePart, "clock" | "log" | "incarnation" | "hold" | "release" | "showEngine"> & {
  readonly config: Pick<NodePart["config"], "node" | "cluster">;
  readonly meter: Pick<PromMeter, "counter" | "gauge" | "beforePage">;
};

export interface ClusterReplicaOptions {
  readonly node: EngineNode;
  readonly cluster: ClusterNode;
  readonly engineLinks: EngineLinks;
  readonly crypto: Crypto;
  readonly random: () => number;
}

/** How the cache takes part. */
export type ReplicaOptions = Pick<CacheNodeOptions, "address" | "links" | "founders" | "growth" | "rejoin">;

export class ClusterReplica {
  readonly #options: ClusterReplicaOptions;
  readonly #links: NodeLinks;
  #cache: CacheNode | undefined;

  /** From now on nodes of another cluster are refused. */
  constructor(options: ClusterReplicaOptions) {
    const { cluster } = options;
    this.#options = options;
    this.#links = new NodeLinks({
      mesh: cluster.mesh,
      services: cluster.services,
      heartbeat: DEFAULT_LINK_TIMINGS.heartbeat,
      reach: (targets) => cluster.reachMembers(targets),
    });
    cluster.services.add({ names: [], up: () => options.node.release("cluster"), happened() {}, down() {} });
    cluster.consult({
      facts: () => this.#links.facts,
      judge: (peer) => this.#judge(peer),
      failed: (attempt, error) => this.#failed(attempt, error),
    });
  }

  /** For the cache, beside what every embedded one has. */
  get options(): ReplicaOptions {
    const { config } = this.#options.node;
    const { advertised } = this.#options.cluster;
    const { bootstrap, seeds, voters, rejoin } = config.cluster;
    return {
      address: advertised === undefined ? "none" : splitAddress(advertised),
      links: this.#links,
      founders: bootstrap || seeds.length === 0 ? "self" : "join",
      growth: { voters, eligible: () => this.#rows.filter(isThere).map(({ record }) => record satisfies EligibleNode) },
      rejoin: rejoin === "auto" ? "auto" : "manual",
    };
  }

  /** Ids of the nodes that serve the engine. */
  get hosts(): readonly string[] {
    return this.#rows.flatMap(({ record }) => (record.services.includes(SERVICE) ? [record.id] : []));
  }

  /** As this node's copy says; undefined while it is no member. */
  get members(): MemberList | undefined {
    if (this.#cache === undefined || roleOf(this.#cache) === "client") return undefined;
    const { leader = null, members } = this.#cache.status();
    return { leader, members: members.map(({ id, role, address }) => ({ id, role, address })) };
  }

  /** Asked of the leader, where this node is a member. @returns why not; empty once it is done */
  async changeMember({ type, id }: MemberOrder): Promise<string> {
    if (this.#cache === undefined) return "this node's store is not open yet";
    try {
      await (type === "remove" ? this.#cache.remove(id) : this.#cache.replace(id));
      return "";
    } catch (error) {
      if (error instanceof CacheChangeError) return error.message;
      throw error;
    }
  }

  /** Serves this node and others while it is a member, and shows how it stands. Stays open: the cache. */
  serve(cache: CacheNode): AsyncDisposable {
    const { node, cluster } = this.#options;
    this.#cache = cache;
    node.showEngine(() => roleOf(cache));
    const onRefusals = cache.onRefusals(() => this.#onRefusals(cache));
    this.#onRefusals(cache);
    let timer: Timer | undefined;
    let serving: { readonly ending: AbortController; readonly over: Promise<void> } | undefined;
    const look = (): void => {
      timer = node.clock.after(LOOK_EVERY, look);
      const isMember = roleOf(cache) !== "client";
      if (isMember && serving === undefined) {
        const ending = new AbortController();
        const over = this.#host(cache, ending.signal).catch((error: unknown) => {
          if (!ending.signal.aborted) node.log.error({ err: error }, "This node's copy of the state cannot be used");
        });
        serving = { ending, over };
      } else if (!isMember) {
        serving?.ending.abort(new Error("It is no member any more"));
        serving = undefined;
      }
    };
    look();
    return {
      async [Symbol.asyncDispose]() {
        timer?.cancel();
        onRefusals[Symbol.dispose]();
        cluster.membership.describe({ services: [] });
        serving?.ending.abort(new Error("The node is stopping"));
        await serving?.over;
      },
    };
  }

  async #host(cache: CacheNode, signal: AbortSignal): Promise<void> {
    const { node, cluster, engineLinks, crypto, random } = this.#options;
    const { clock, log } = node;
    await using scope = new Scope(signal);
    const engine = scope.use(await GcacheEngine.open({ node: cache, clock, log, crypto, random }, scope.signal));
    const host = scope.use(new EngineHost({ engine, links: engineLinks, clock }));
    scope.use(meterHost(host, node.meter));
    cluster.membership.describe({ services: [SERVICE] });
    await aborted(scope.signal);
    cluster.membership.describe({ services: [] });
  }

  get #rows(): readonly NodeRow[] {
    return this.#options.cluster.membership.rows;
  }

  #judge(peer: NodeIdentity): Refusal | undefined {
    const own = memberOf({ id: this.#options.node.config.node.id, facts: this.#links.facts });
    const other = memberOf(peer);
    if (own === undefined || other === undefined || isUnbound(own) || isUnbound(other)) return undefined;
    return Buffer.from(own.clusterId).equals(other.clusterId) ? undefined : "wrong-cluster";
  }

  /** Whoever has seeds wants to be of their cluster, and a node that is linked with others has found it. */
  #failed({ side, to, address }: Attempt, error: Error): void {
    const { node, cluster } = this.#options;
    const isForeign = error instanceof LinkRefusedError && error.context.reason === "wrong-cluster";
    const isLooking = node.config.cluster.seeds.length > 0 && cluster.mesh.links.size === 0;
    if (side !== "dial" || !isForeign || !isLooking) return;
    const who = error.context.peer || to || address;
    node.hold(
      "cluster",
      `Node "${who}" belongs to another cluster than the store of this one: to join it, stop this node and set its store aside (sluice cluster set-aside)`,
    );
  }

  #onRefusals(cache: CacheNode): void {
    const { node, cluster } = this.#options;
    for (const { member, reason } of cache.refusals) {
      if (reason === "wrong-cluster") cluster.mesh.drop(member, "it belongs to another cluster");
    }
    const lost = cache.refusals.find(({ by, reason }) => by === "the other member" && reason === "other-store");
    if (lost === undefined) node.release("store");
    else node.hold("store", `The cluster knows this node with another store; ${lost.advice}`);
  }
}

/** It can be counted on for a while. */
function isThere({ standing, isLinked }: NodeRow): boolean {
  return isLinked && (standing === "ready" || standing === "starting");
}

function roleOf(cache: CacheNode): EngineRole {
  const { role, self, members } = cache.status();
  if (role === "leader") return "leader";
  return members.find(({ id }) => id === self)?.role ?? "client";
}
