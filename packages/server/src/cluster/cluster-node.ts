/** This node among the others: its links, who shares them, and what it knows of the cluster. */
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

/** How nodes prove to each other that they belong together. */
export interface ClusterProof {
  /** The first is the one in use; asked for every handshake. None: whoever can connect is believed. */
  readonly secrets: () => readonly Uint8Array[];
  readonly dialTls: LinkTls;
  /** Undefined: nothing comes in but from this machine. */
  readonly listenTls: LinkTls | undefined;
}

/** What carries the links of a node. */
export interface LinkConnections {
  readonly dialler: LinkDialler & { close(): Promise<void> };
  /** Undefined: nothing comes in. */
  readonly listener: Pick<LinkListener, "open" | "close"> | undefined;
}

export interface ClusterNodeOptions {
  readonly id: string;
  readonly incarnation: Incarnation;
  readonly roles: readonly string[];
  readonly version: string;
  /** Digest of what should be configured alike on every node. */
  readonly settings: string;
  readonly proof: ClusterProof;
  /** Undefined: it only dials. */
  readonly listen: HostAndPort | undefined;
  /** `host:port` for others to dial, where it is not what is bound. */
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
  /** Left out: sockets, as `listen` and `proof` say. */
  readonly connections?: (accept: Mesh["accept"]) => LinkConnections;
  /** Runs `action` once all that this turn of the event loop brings is in; `process.nextTick` when left out. */
  readonly defer?: (action: () => void) => void;
}

/** What the state engine adds, where it lives in the cluster's nodes. */
export interface ClusterEngine {
  /** Names and values for every hello from now on. */
  facts(): ReadonlyMap<string, string>;
  /** Why a peer that proved itself is turned away all the same. */
  judge(peer: NodeIdentity): Refusal | undefined;
  /** Whether what a node owned has run out; false while the engine cannot say. */
  isGone(id: string, incarnation: Incarnation): boolean;
  /** A connection ended before it was a link. */
  failed(attempt: Attempt, error: Error): void;
}

/** How long nobody must hear a node before it is suspect: more than a pause of 2 s. */
const SUSPECT_AFTER = 2_500 as Millis;
/** A suspect is dead no sooner than this. */
const DEAD_AFTER = 1_000 as Millis;
/** How long whoever left or died is still shown. */
const FORGET_AFTER = 600_000 as Millis;
const JUDGE_EVERY = 500 as Millis;
/** A link that carried something so recently has a living process at its other end. */
const ALIVE = 2_000 as Millis;

export class ClusterNode {
  readonly mesh: Mesh;
  /** Users are to be added before `start`. */
  readonly services: LinkServices;
  readonly membership: Membership;
  readonly #options: ClusterNodeOptions;
  readonly #connections: LinkConnections;
  readonly #seeds: SeedAddresses;
  #engine: Partial<ClusterEngine> = {};
  #addresses: Readonly<Record<string, string>> = {};
  #advertised: string | undefined;
  /** Whom to dial, by a name of the room that wants it. */
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
    if (!this.#hasProof) log.warn({}, "Nodes of this machine are believed without a secret (cluster.secret)");
  }

  /** Opens the port, and is found from now on. @returns `host:port` as bound, where there is a port. @throws {ListenError} */
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

  /** Looks for the others where the seeds are. */
  dial(): void {
    this.#seeds.start();
  }

  /** From now on the engine has a say in who is who and who is dead, in what it says; without one nobody is ever dead. */
  consult(engine: Partial<ClusterEngine>): void {
    this.#engine = { ...this.#engine, ...engine };
  }

  /** Where other nodes can dial this one, once it has started; undefined where they cannot. */
  get advertised(): string | undefined {
    return this.#advertised;
  }

  /**
   * Whom the engine wants links to, whether or not they are known to be there: a cluster that was stopped as a whole finds
   * itself by them, and an empty disk in the place of a member is told what it was.
   */
  reachMembers(targets: ReadonlyMap<string, DialTarget>): void {
    this.#members = targets;
    this.#reach();
  }

  /** Clients are served from now on. @param addresses  by protocol */
  serve(addresses: Readonly<Record<string, string>>): void {
    this.#addresses = addresses;
    this.#describe();
  }

  /** The seed that names a node: it answers at one of its addresses, or says that one of them is its own. */
  findSeed(id: string): Seed | undefined {
    const own = this.membership.find(id)?.record.addresses["cluster"];
    const said = own === undefined ? undefined : this.#seeds.findSeed(own);
    if (said !== undefined) return said;
    return this.#seeds.all.find(({ addresses }) => addresses.some((address) => this.mesh.reachedAt(address) === id))
      ?.seed;
  }

  /** Says goodbye to all, and waits until that is on its way. */
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

  /** Clients come where other nodes come, or else where this machine is seen first. */
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

  /** Without a secret nothing beyond this machine is believed, so it is not dialled either. */
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
