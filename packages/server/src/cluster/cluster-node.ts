/** This node in the cluster: its links, their users, and its view of the other nodes. */
import type { Clock } from "@sluice/base/clock";
import type { Crypto } from "@sluice/base/crypto";
import type { Log } from "@sluice/base/log";
import type { Meter } from "@sluice/base/meter";
import type { AdminEvent } from "@sluice/client/admin-contract";
import type { Millis } from "@sluice/base/brand";
import type { Refusal } from "@sluice/mesh/errors";
import type { Incarnation, NodeIdentity } from "@sluice/mesh/hello";
import { DEFAULT_LINK_LIMITS, DEFAULT_LINK_TIMINGS } from "@sluice/mesh/limits";
import { LinkServices } from "@sluice/mesh/link-services";
import { Membership } from "@sluice/mesh/membership/membership";
import { type Attempt, type DialTarget, Mesh } from "@sluice/mesh/mesh";
import type { LinkDialler } from "@sluice/mesh/transport";
import { LinkListener, type LinkTls, SocketDialler } from "@sluice/runtime/links/link-ports";
import { type HostAndPort, isLoopback, splitAddress } from "@sluice/runtime/sockets/host-and-port";
import { type Interfaces, shownHost } from "@sluice/runtime/sockets/reach";
import { advertisedAddress, reachableAt } from "./advertised.ts";
import type { ClusterLimits } from "./limits.ts";
import { LinkNotes } from "./link-notes.ts";
import { type Resolve, type Seed, SeedAddresses } from "./seed-addresses.ts";

/** How nodes prove that they belong together. */
export interface ClusterProof {
  /** The first is used for proving; read for every handshake. Empty: anybody who can connect is accepted. */
  readonly secrets: () => readonly Uint8Array[];
  readonly dialTls: LinkTls;
  /** Undefined: accepts connections from this machine only. */
  readonly listenTls: LinkTls | undefined;
}

/** Dials and accepts the connections of a node's links. */
export interface LinkConnections {
  readonly dialler: LinkDialler & { close(): Promise<void> };
  /** Undefined: accepts no connections. */
  readonly listener: Pick<LinkListener, "open" | "close"> | undefined;
}

export interface ClusterNodeOptions {
  readonly id: string;
  readonly incarnation: Incarnation;
  readonly roles: readonly string[];
  readonly version: string;
  /** Digest of the settings that should be equal on every node. */
  readonly settings: string;
  readonly proof: ClusterProof;
  /** Undefined: the node only dials. */
  readonly listen: HostAndPort | undefined;
  /** `host:port` for others to dial, if it differs from the bound address. */
  readonly publicAddress: string | undefined;
  readonly seeds: readonly Seed[];
  readonly resolve: Resolve;
  readonly interfaces: () => Interfaces;
  readonly tell: (event: AdminEvent) => void;
  readonly crypto: Crypto;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly meter: Meter;
  readonly limits: ClusterLimits;
  /** Default: sockets, according to `listen` and `proof`. */
  readonly connections?: (accept: Mesh["accept"]) => LinkConnections;
  /** Runs `action` after all input of this turn of the event loop; default `process.nextTick`. */
  readonly defer?: (action: () => void) => void;
}

/** Contributions of a state engine that lives in the cluster's nodes. */
export interface ClusterEngine {
  /** Names and values for every hello from now on. */
  facts(): ReadonlyMap<string, string>;
  /** The reason to refuse a peer that proved itself, if any. */
  judge(peer: NodeIdentity): Refusal | undefined;
  /** Whether the leases of the node have run out; false while the engine cannot answer. */
  isGone(id: string, incarnation: Incarnation): boolean;
  /** A connection ended before it became a link. */
  failed(attempt: Attempt, error: Error): void;
}

/** How long a node may be unheard before it is suspect: more than a pause of 2 s. */
const SUSPECT_AFTER = 2_500 as Millis;
/** A suspect is declared dead no sooner than this. */
const DEAD_AFTER = 1_000 as Millis;
/** How long nodes that left or died are still shown. */
const FORGET_AFTER = 600_000 as Millis;
const JUDGE_EVERY = 500 as Millis;
/** A link with traffic this recent has a running process at its other end. */
const ALIVE = 2_000 as Millis;

export class ClusterNode {
  readonly mesh: Mesh;
  /** Add users before `start`. */
  readonly services: LinkServices;
  readonly membership: Membership;
  readonly #options: ClusterNodeOptions;
  readonly #connections: LinkConnections;
  readonly #seeds: SeedAddresses;
  #engine: Partial<ClusterEngine> = {};
  #addresses: Readonly<Record<string, string>> = {};
  #advertised: string | undefined;
  /** Nodes to dial, by names that membership chooses. */
  #nodes: ReadonlyMap<string, DialTarget> = new Map();
  #members: ReadonlyMap<string, DialTarget> = new Map();

  constructor(options: ClusterNodeOptions) {
    const { id, roles, version, settings, proof, clock, random, log } = options;
    this.#options = options;
    const notes = new LinkNotes({ ...options, self: id });
    const connect = options.connections ?? ((accept) => this.#newSockets(notes, accept));
    this.#connections = connect((...of) => this.mesh.accept(...of));
    const failed = (attempt: Attempt, error: Error): void => {
      notes.failed(attempt, error);
      this.#engine.failed?.(attempt, error);
    };
    this.services = new LinkServices({ failed });
    this.mesh = new Mesh({
      own: () => this.#own(),
      secrets: proof.secrets,
      judge: (peer) => this.#judge(peer),
      crypto: options.crypto,
      dialler: this.#connections.dialler,
      clock,
      defer: options.defer ?? ((action) => process.nextTick(action)),
      random,
      limits: DEFAULT_LINK_LIMITS,
      timings: { ...DEFAULT_LINK_TIMINGS, handshake: options.limits.handshake },
      listener: this.services,
    });
    this.membership = new Membership({
      self: this.#own(),
      record: { roles, addresses: {}, build: version, since: Math.round(clock.wall()), settings },
      clock,
      random,
      suspectAfter: SUSPECT_AFTER,
      deadAfter: DEAD_AFTER,
      forgetAfter: FORGET_AFTER,
      judgeEvery: JUDGE_EVERY,
      isGone: (peer, incarnation) => this.#engine.isGone?.(peer, incarnation) ?? false,
      reach: (targets) => {
        this.#nodes = targets;
        this.#reach();
      },
      changed: (change) => notes.changed(change),
      twin: (record) => notes.twin(record),
    });
    this.services.add(notes);
    this.services.add(this.membership);
    const changed = (addresses: readonly string[]): void => this.membership.setSeeds(addresses);
    this.#seeds = new SeedAddresses({ ...options, changed });
    if (!this.#hasProof) log.warn({}, "Nodes on this machine are trusted without a secret (cluster.secret)");
  }

  /** Opens the port; the node can be found from now on. @returns `host:port` as bound, if there is a port. @throws {ListenError} */
  async start(): Promise<string | undefined> {
    const { listen, publicAddress: configured, seeds, interfaces, log } = this.#options;
    const bound = listen && (await this.#connections.listener?.open(listen));
    const hasFarSeed = seeds.some(({ host }) => !isLoopback(host));
    const advertised = advertisedAddress({ configured, bound, hasFarSeed, interfaces: interfaces() });
    if ("address" in advertised) this.#advertised = advertised.address;
    else log.warn({ reason: advertised.onlyDials }, "Other nodes cannot dial this one: it only dials");
    this.#describe();
    return bound;
  }

  /** Looks for the other nodes at the seeds. */
  dial(): void {
    this.#seeds.start();
  }

  /** Uses the engine's answers about identities and deaths from now on; without an engine no node is ever declared dead. */
  consult(engine: Partial<ClusterEngine>): void {
    this.#engine = { ...this.#engine, ...engine };
  }

  /** The address at which other nodes can dial this one, once started; undefined if they cannot. */
  get advertised(): string | undefined {
    return this.#advertised;
  }

  /**
   * Links that the engine needs, whether or not the nodes are known to run: a cluster that was stopped as a whole finds
   * itself by them, and a member with an empty disk learns its former place.
   */
  reachMembers(targets: ReadonlyMap<string, DialTarget>): void {
    this.#members = targets;
    this.#reach();
  }

  /** Announces that clients are served. @param addresses  by protocol */
  serve(addresses: Readonly<Record<string, string>>): void {
    this.#addresses = addresses;
    this.#describe();
  }

  /** The seed that names a node: one whose address reaches it, or is among the addresses that it announced. */
  findSeed(id: string): Seed | undefined {
    const own = this.membership.find(id)?.record.addresses["cluster"];
    const said = own === undefined ? undefined : this.#seeds.findSeed(own);
    if (said !== undefined) return said;
    return this.#seeds.all.find(({ addresses }) => addresses.some((address) => this.mesh.reachedAt(address) === id))
      ?.seed;
  }

  /** Says goodbye to all nodes, and waits until the goodbyes are sent. */
  async close(): Promise<void> {
    this.#seeds[Symbol.dispose]();
    this.membership.announce("left");
    this.membership.close();
    this.mesh.close("this node is stopping");
    const { dialler, listener } = this.#connections;
    await Promise.all([listener?.close(), dialler.close()]);
  }

  get #hasProof(): boolean {
    const { secrets, dialTls } = this.#options.proof;
    return dialTls.ca !== undefined || secrets().length > 0;
  }

  #own(): NodeIdentity {
    const { id, incarnation, roles, version } = this.#options;
    const facts = new Map([
      ["roles", roles.join(",")],
      ["build", version],
    ]);
    for (const [name, address] of Object.entries(this.#told())) facts.set(`address.${name}`, address);
    for (const [name, value] of this.#engine.facts?.() ?? []) facts.set(name, value);
    return { id, incarnation, purpose: "node", facts };
  }

  /** Addresses for clients: the host that nodes use, or else the first address of this machine. */
  #told(): Readonly<Record<string, string>> {
    const host = this.#advertised === undefined ? undefined : splitAddress(this.#advertised).host;
    const seen = host ?? shownHost("0.0.0.0", this.#options.interfaces());
    const clients = Object.entries(this.#addresses).map(([name, address]) => [name, reachableAt(address, seen)]);
    return { ...Object.fromEntries(clients), ...(this.#advertised !== undefined && { cluster: this.#advertised }) };
  }

  #describe(): void {
    this.membership.describe({ addresses: this.#told() });
  }

  #judge(peer: NodeIdentity): Refusal | undefined {
    const { id, incarnation, facts } = peer;
    if (!this.#isProvable(facts.get("address.cluster") ?? "")) return "needs-secret";
    const link = this.mesh.links.get(id);
    const silence = link?.driver.link?.silentFor(this.#options.clock.now()) ?? ALIVE;
    if (link !== undefined && link.peer.incarnation !== incarnation && silence < ALIVE) return "twin";
    const known = this.membership.find(id)?.record;
    if (known !== undefined && known.incarnation > incarnation) return "earlier-life";
    return this.#engine.judge?.(peer);
  }

  /** Without a secret no node on another machine is trusted, so none is dialled either. */
  #reach(): void {
    const known = new Set([...this.#nodes.values()].map(({ address }) => address));
    const members = [...this.#members].filter(([, { address }]) => !known.has(address));
    const targets = [...this.#nodes, ...members.map(([id, target]) => [`member ${id}`, target] as const)];
    this.mesh.reach(new Map(targets.filter(([, { address }]) => this.#isProvable(address))));
  }

  #isProvable(address: string): boolean {
    return this.#hasProof || address === "" || isLoopback(splitAddress(address).host);
  }

  #newSockets(notes: LinkNotes, accept: Mesh["accept"]): LinkConnections {
    const { listen, proof, limits, clock, log, meter } = this.#options;
    const dialler = new SocketDialler(proof.dialTls);
    if (listen === undefined) return { dialler, listener: undefined };
    const listener = new LinkListener({
      name: "cluster",
      mesh: { accept },
      tls: proof.listenTls,
      strangers: { ...limits, exempt: [] },
      clock,
      log,
      meter,
      refused: (error, address) => notes.tlsFailed(error, address),
    });
    return { dialler, listener };
  }
}
