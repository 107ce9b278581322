/** One life of a simulated node: the server's own parts of the cluster on a simulated network, clock and disk, joined as the server joins them. */
import { createHmac } from "node:crypto";
import type { Crypto } from "@sluice/base/crypto";
import type { Log } from "@sluice/base/log";
import { SILENT_METER } from "@sluice/base/meter";
import { Scope } from "@sluice/base/scope";
import type { AdminEvent, NodesAnswer } from "@sluice/client/admin-contract";
import { EngineLinks } from "@sluice/cluster/engine/engine-links";
import type { CacheNode } from "@sluice/gcache/node/cache-node";
import { openCacheNode } from "@sluice/gcache/node/open-cache-node";
import type { Incarnation } from "@sluice/mesh/hello";
import { ClusterNode } from "@sluice/server/cluster/cluster-node";
import { incarnationAfter } from "@sluice/server/cluster/incarnation";
import { DEFAULT_CLUSTER_LIMITS } from "@sluice/server/cluster/limits";
import type { MemberList } from "@sluice/server/cluster/member-list";
import { type MemberOrder, NodeCalls } from "@sluice/server/cluster/node-calls";
import { loadConfig } from "@sluice/server/config/load-config";
import { type ClusterEngineOptions, openClusterEngine, type ReachedEngine } from "@sluice/server/node/cluster-engine";
import { ClusterReplica, type ReplicaOptions } from "@sluice/server/node/cluster-replica";
import { nodesAnswer } from "@sluice/server/node/node-rows";
import { NodeState } from "@sluice/server/node/node-state";
import { randomBelow } from "@sluice/testkit/random";
import type { SimClock } from "@sluice/testkit/sim-clock";
import type { SimNetwork } from "@sluice/testkit/sim-network";
import { SimHost, type SimPacket } from "@sluice/testkit/sim-transport";
import { KeptDisk } from "../../../gcache/test/kept-store.ts";
import { NODE } from "../admin-fakes.ts";

/** What outlives a node's process. */
export interface SimDisk {
  readonly store: KeptDisk;
  incarnation: number;
}

export interface SimNodeOptions {
  readonly id: string;
  /** As in the configuration, separated by commas. */
  readonly roles: string;
  /** Ids of nodes; none: it founds a cluster. */
  readonly seeds: readonly string[];
  /** Nobody can dial it. */
  readonly isDialOnly: boolean;
  readonly rejoin: "ask" | "auto";
  readonly disk: SimDisk;
  readonly clock: SimClock;
  readonly network: SimNetwork<SimPacket>;
  /** Of this life alone. */
  readonly random: () => number;
  readonly log: Log;
  readonly tell: (event: AdminEvent) => void;
}

const SECRET = "a secret of the whole world";
const PORT = 7935;
const METER = { ...SILENT_METER, beforePage: () => ({ [Symbol.dispose]() {} }) };

export class SimNode {
  readonly id: string;
  readonly clock: SimClock;
  readonly options: SimNodeOptions;
  readonly incarnation: Incarnation;
  readonly cluster: ClusterNode;
  readonly state: NodeState;
  /** Once the node's store is open. */
  cache: CacheNode | undefined;
  /** Once the engine has answered. */
  reached: ReachedEngine | undefined;
  readonly #scope = new Scope();
  readonly #calls: NodeCalls;
  readonly #crypto: Crypto;
  readonly #joined: Omit<ClusterEngineOptions, "openCache" | "scope">;
  #pauses = 0;

  constructor(options: SimNodeOptions) {
    const { id, clock, disk, log, network, random, roles, isDialOnly, seeds } = options;
    this.options = options;
    this.id = id;
    this.clock = clock;
    this.incarnation = incarnationAfter(disk.incarnation, clock.wall());
    disk.incarnation = this.incarnation;
    this.#crypto = seededCrypto(random);
    this.state = new NodeState(this.#scope.signal);
    const defer = (action: () => void): void => void clock.afterPoll(action);
    const limits = DEFAULT_CLUSTER_LIMITS;
    const host = new SimHost({
      name: id,
      network,
      clock,
      accept: isDialOnly ? undefined : (...of) => this.cluster.mesh.accept(...of),
      skew: () => (random() < 0.5 ? 0 : randomBelow(random, 60)),
    });
    this.cluster = new ClusterNode({
      id,
      incarnation: this.incarnation,
      roles: roles.split(","),
      version: "0.1.0",
      settings: "alike",
      proof: {
        secrets: () => [Buffer.from(SECRET)],
        dialTls: { plain: "within-this-machine" },
        listenTls: undefined,
      },
      listen: isDialOnly ? undefined : { host: id, port: PORT },
      publicAddress: undefined,
      seeds: seeds.map((seed) => ({ host: seed, port: PORT, properties: { of: id } })),
      resolve: async (name) => [name],
      interfaces: () => ({}),
      tell: options.tell,
      crypto: this.#crypto,
      clock,
      random,
      log,
      meter: METER,
      limits,
      connections: () => ({
        dialler: { dial: (...of) => host.dial(...of), close: async () => {} },
        listener: isDialOnly ? undefined : { open: async ({ host: name }) => `${name}:${PORT}`, close: async () => {} },
      }),
      defer,
    });
    const engineLinks = new EngineLinks(id);
    this.cluster.services.add(engineLinks);
    const joined = {
      node: {
        config: configOf(options),
        incarnation: this.incarnation,
        clock,
        log,
        meter: METER,
        hold: (...of: [string, string]) => this.state.hold(...of),
        release: (name: string) => this.state.release(name),
        showEngine: () => {},
      },
      cluster: this.cluster,
      engineLinks,
      crypto: this.#crypto,
      random,
    };
    const replica = new ClusterReplica(joined);
    this.#joined = { ...joined, replica };
    const actions = {
      counts: () => NODE,
      kick: () => false,
      drain: () => {},
      members: () => replica.members,
      changeMember: (order: MemberOrder) => replica.changeMember(order),
    };
    this.#calls = new NodeCalls({ actions, clock, limits });
    this.cluster.services.add(this.#calls);
    network.add(id, host, clock);
  }

  /** In the order of the server's own start. */
  async start(): Promise<void> {
    const scope = this.#scope;
    const { cluster, state } = this;
    scope.defer(() => cluster.close());
    scope.use(state.listen((shown) => cluster.membership.announce(shown)));
    await cluster.start();
    const { cache, reached } = await openClusterEngine({
      ...this.#joined,
      openCache: (of) => this.#openCache(of),
      scope,
    });
    this.cache = cache;
    cluster.serve({ rtmp: `${this.id}:1935` });
    cluster.dial();
    state.becomeReady();
    this.reached = await reached;
  }

  async #openCache(of: ReplicaOptions): Promise<CacheNode> {
    const { disk, clock, log, random, id } = this.options;
    const cache = await openCacheNode({
      id,
      store: disk.store.open(id),
      ackLevel: { type: "quorum+fsync" },
      clock,
      random,
      defer: (action) => void clock.afterPoll(action),
      log,
      meter: METER,
      crypto: this.#crypto,
      signal: this.#scope.signal,
      ...of,
    });
    this.#scope.defer(() => cache.close());
    return cache;
  }

  /** As SIGTERM. */
  async stop(): Promise<void> {
    this.state.startDrain("it is told to stop");
    await this.#scope[Symbol.asyncDispose]();
  }

  /** What `GET /api/v1/nodes` says. */
  nodes(): Promise<NodesAnswer> {
    const own = () => ({ ...NODE, id: this.id });
    return nodesAnswer({ cluster: this.cluster, calls: this.#calls, own, clock: this.clock });
  }

  /** As its own copy of the engine's data says; undefined where it is no member. */
  get members(): MemberList | undefined {
    return this.#joined.replica.members;
  }

  /** What an operator orders. @returns why not; empty once it is done */
  changeMember(order: MemberOrder): Promise<string> {
    return this.#joined.replica.changeMember(order);
  }

  /** Rises with every pause. */
  get pauseCount(): number {
    return this.#pauses;
  }

  pause(): void {
    this.#pauses++;
    this.clock.pause();
  }

  get isRunning(): boolean {
    return !this.clock.isPaused && !this.clock.isStopped;
  }
}

export function newDisk(random: () => number): SimDisk {
  return { store: new KeptDisk(randomBytes(random, 16)), incarnation: 0 };
}

/** Real proofs, and numbers that a seed repeats. */
function seededCrypto(random: () => number): Crypto {
  return {
    randomBytes: (count) => randomBytes(random, count),
    hmacSha256: (key, bytes) => new Uint8Array(createHmac("sha256", key).update(bytes).digest()),
  };
}

function randomBytes(random: () => number, count: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: count }, () => randomBelow(random, 256));
}

function configOf({ id, seeds, roles, rejoin }: Pick<SimNodeOptions, "id" | "seeds" | "roles" | "rejoin">) {
  const sets = [
    `node.id=${id}`,
    `node.roles=${roles}`,
    `cluster.secret=${SECRET}`,
    `cluster.seeds=${seeds.map((seed) => `${seed}:${PORT}`).join(",")}`,
    `cluster.rejoin=${rejoin}`,
  ];
  return loadConfig({ sets, file: "none", env: {}, cwd: "/", hostname: "simulated" });
}
