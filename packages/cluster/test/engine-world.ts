/** Nodes on the simulated network: hosts that serve one memory store, and clients that use it over links. */
import type { Millis } from "@sluice/base/brand";
import { SILENT_LOG } from "@sluice/base/log";
import { EngineHost } from "@sluice/cluster/engine/engine-host";
import { EngineLinks } from "@sluice/cluster/engine/engine-links";
import { LinkEngine } from "@sluice/cluster/engine/link-engine";
import { MemoryEngine } from "@sluice/engine/memory-engine";
import { MemoryStore } from "@sluice/engine/memory/memory-store";
import type { Incarnation, NodeIdentity } from "@sluice/mesh/hello";
import { DEFAULT_LINK_LIMITS, DEFAULT_LINK_TIMINGS } from "@sluice/mesh/limits";
import { LinkServices } from "@sluice/mesh/link-services";
import { Mesh } from "@sluice/mesh/mesh";
import { FakeClock, settle } from "@sluice/testkit/fake-clock";
import { randomBelow, seededRandom } from "@sluice/testkit/random";
import { SimClock, type SimClockOptions } from "@sluice/testkit/sim-clock";
import { SimNetwork } from "@sluice/testkit/sim-network";
import { SimHost, type SimPacket } from "@sluice/testkit/sim-transport";
import { createHmac } from "node:crypto";

export interface WorldNode {
  readonly name: string;
  readonly mesh: Mesh;
  readonly services: LinkServices;
  readonly links: EngineLinks;
  readonly clock: SimClock;
}

export interface HostNode extends WorldNode {
  readonly engine: MemoryEngine;
  readonly host: EngineHost;
}

export interface WorldOptions {
  readonly delay?: { readonly min: number; readonly max: number };
  /** The store's clock may be looked at by tests as this. */
  readonly generation?: number;
}

const SECRET = Buffer.from("a secret of the world");

export class EngineWorld {
  readonly clock = new FakeClock();
  readonly random: () => number;
  readonly network: SimNetwork<SimPacket>;
  readonly store: MemoryStore;
  readonly hosts = new Map<string, HostNode>();
  readonly nodes = new Map<string, WorldNode>();
  readonly #crypto: {
    randomBytes: (count: number) => Uint8Array;
    hmacSha256: (key: Uint8Array, bytes: Uint8Array) => Uint8Array;
  };
  #lives = 0;

  constructor(seed: number, { delay = { min: 1, max: 5 }, generation = 1 }: WorldOptions = {}) {
    this.random = seededRandom(seed);
    this.network = new SimNetwork({ clock: this.clock, seed, delay });
    this.store = new MemoryStore({ clock: this.clock, generation });
    this.#crypto = {
      randomBytes: (count) => Uint8Array.from({ length: count }, () => randomBelow(this.random, 256)),
      hmacSha256: (key, bytes) => new Uint8Array(createHmac("sha256", key).update(bytes).digest()),
    };
  }

  /** Serves the store. */
  startHost(name: string): HostNode {
    const node = this.startNode(name);
    const engine = new MemoryEngine(this.store);
    const host: HostNode = {
      ...node,
      engine,
      host: new EngineHost({ engine, links: node.links, clock: node.clock }),
    };
    this.hosts.set(name, host);
    return host;
  }

  /** @param bytesPerMilli  what each of its connections sends at most */
  startNode(name: string, clockOptions: SimClockOptions = {}, bytesPerMilli?: number): WorldNode {
    const clock = new SimClock(this.clock, clockOptions);
    const own: NodeIdentity = {
      id: name,
      incarnation: ++this.#lives as Incarnation,
      purpose: "node",
      facts: new Map(),
    };
    const services = new LinkServices({ failed() {} });
    const links = new EngineLinks(name);
    services.add(links);
    const transport = new SimHost({
      name,
      network: this.network,
      clock,
      accept: (accepted, from) => mesh.accept(accepted, from),
      ...(bytesPerMilli === undefined ? {} : { bytesPerMilli }),
    });
    const mesh = new Mesh({
      own: () => own,
      secrets: () => [SECRET],
      judge: () => undefined,
      crypto: this.#crypto,
      dialler: transport,
      clock,
      defer: (action) => void clock.afterPoll(action),
      random: this.random,
      limits: DEFAULT_LINK_LIMITS,
      timings: DEFAULT_LINK_TIMINGS,
      listener: services,
    });
    const node: WorldNode = { name, mesh, services, links, clock };
    this.nodes.set(name, node);
    this.network.add(name, transport, clock);
    this.#dialAll();
    return node;
  }

  /** Resolves once a host has answered; time must pass meanwhile. */
  openClient(node: WorldNode, signal: AbortSignal = new AbortController().signal): Promise<LinkEngine> {
    return LinkEngine.open(
      {
        links: node.links,
        hosts: () => [...this.hosts.keys()],
        clock: node.clock,
        crypto: this.#crypto,
        log: SILENT_LOG,
        random: this.random,
      },
      signal,
    );
  }

  /** As kill -9: nothing of the node runs again, its connections break. */
  kill(name: string): void {
    this.nodes.get(name)?.clock.stop();
    this.hosts.get(name)?.engine.cut();
    this.network.remove(name);
    this.nodes.delete(name);
    this.hosts.delete(name);
  }

  /** Every node keeps a link to every host. */
  #dialAll(): void {
    for (const node of this.nodes.values()) {
      const others = [...this.nodes.keys()].filter((name) => name !== node.name);
      node.clock.run(() =>
        node.mesh.reach(new Map(others.map((name) => [name, { address: `${name}:7935`, to: name }]))),
      );
    }
  }

  async advance(millis: number): Promise<void> {
    await this.clock.advanceAsync(millis as Millis);
  }

  /** Lets time pass until the promise has settled. @throws {Error} after a minute of the world's time */
  async during<T>(promise: Promise<T>): Promise<T> {
    const progress = { isDone: false };
    const settled = promise.then(
      () => (progress.isDone = true),
      () => (progress.isDone = true),
    );
    for (let waited = 0; !progress.isDone; waited += 5) {
      if (waited > 60_000) throw new Error("A call was not settled within a minute");
      await this.advance(5);
    }
    await settled;
    return promise;
  }

  async until(what: string, condition: () => boolean, limit = 20_000): Promise<void> {
    for (let waited = 0; !condition(); waited += 5) {
      if (waited > limit) throw new Error(`Waited ${limit} ms for ${what}`);
      await this.advance(5);
    }
    await settle();
  }
}
