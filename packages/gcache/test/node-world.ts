/** Cache nodes on the links of simulated nodes: real members, one mesh for each, all on one fake clock and network. */
import assert from "node:assert/strict";
import type { Log } from "@sluice/base/log";
import { SILENT_METER } from "@sluice/base/meter";
import type { CacheName, Operation } from "@sluice/cache/state/operation";
import type { CacheNode } from "@sluice/gcache/node/cache-node";
import type { EligibleNode, GrowthOptions } from "@sluice/gcache/node/cluster-growth";
import type { CacheNodeOptions } from "@sluice/gcache/node/node-options";
import { openCacheNode } from "@sluice/gcache/node/open-cache-node";
import { NodeLinks } from "@sluice/gcache/members/member-links";
import type { Incarnation } from "@sluice/mesh/hello";
import { DEFAULT_LINK_LIMITS, DEFAULT_LINK_TIMINGS } from "@sluice/mesh/limits";
import { LinkServices } from "@sluice/mesh/link-services";
import { Mesh } from "@sluice/mesh/mesh";
import { NODE_CRYPTO } from "@sluice/runtime/node-crypto";
import { FakeClock } from "@sluice/testkit/fake-clock";
import { randomBelow, seededRandom } from "@sluice/testkit/random";
import { SimClock } from "@sluice/testkit/sim-clock";
import { SimNetwork } from "@sluice/testkit/sim-network";
import { SimHost, type SimPacket } from "@sluice/testkit/sim-transport";
import { KeptDisk } from "./kept-store.ts";

const SECRET = Buffer.from("a secret of the world");
/** Long enough for whatever these tests wait for, in virtual time. */
const PATIENCE = 60_000;

export interface WorldNode {
  readonly name: string;
  readonly roles: readonly string[];
  readonly clock: SimClock;
  readonly mesh: Mesh;
  readonly services: LinkServices;
  readonly disk: KeptDisk;
  /** Lines of its log, with their fields. */
  readonly log: string[];
  /** Once it is open. */
  cache: CacheNode | undefined;
  failure: Error | undefined;
}

interface StartOptions extends Partial<CacheNodeOptions> {
  /** Left out: it grows by no word but the test's. */
  readonly voters?: GrowthOptions["voters"];
  readonly roles?: readonly string[];
}

export class NodeWorld {
  readonly clock = new FakeClock();
  readonly network: SimNetwork<SimPacket>;
  readonly nodes = new Map<string, WorldNode>();
  readonly #disks = new Map<string, KeptDisk>();
  readonly #random: () => number;
  #lives = 0;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
    this.network = new SimNetwork({ clock: this.clock, seed, delay: { min: 1, max: 10 } });
  }

  /** Starts a node that dials all others, with the disk of its last life. */
  start(
    name: string,
    founders: CacheNodeOptions["founders"],
    { voters, roles = ["origin"], ...more }: StartOptions = {},
  ): WorldNode {
    const disk = this.#disks.get(name) ?? new KeptDisk();
    this.#disks.set(name, disk);
    const clock = new SimClock(this.clock, { offset: randomBelow(this.#random, 10_000) });
    const log: string[] = [];
    const services = new LinkServices({ failed: () => {} });
    const incarnation = ++this.#lives as Incarnation;
    const host = new SimHost({ name, network: this.network, clock, accept: (...of) => mesh.accept(...of) });
    const defer = (action: () => void): void => void clock.afterPoll(action);
    const mesh: Mesh = new Mesh({
      own: () => ({ id: name, incarnation, purpose: "node", facts: links.facts }),
      secrets: () => [SECRET],
      judge: () => undefined,
      crypto: NODE_CRYPTO,
      dialler: host,
      clock,
      defer,
      random: this.#random,
      limits: DEFAULT_LINK_LIMITS,
      timings: DEFAULT_LINK_TIMINGS,
      listener: services,
    });
    const links = new NodeLinks({ mesh, services, heartbeat: DEFAULT_LINK_TIMINGS.heartbeat });
    const node: WorldNode = { name, roles, clock, mesh, services, disk, log, cache: undefined, failure: undefined };
    this.nodes.set(name, node);
    this.network.add(name, host, clock);
    clock.run(() => {
      for (const other of this.nodes.values()) other.clock.run(() => this.#dialAll(other));
      openCacheNode({
        id: name,
        address: { host: name, port: 7935 },
        links,
        founders,
        store: disk.open(name),
        secret: SECRET,
        ...(voters && { growth: { voters, eligible: () => this.#linkedWith(node) } }),
        clock,
        random: this.#random,
        defer,
        log: noteLog(log),
        meter: SILENT_METER,
        crypto: NODE_CRYPTO,
        ...more,
      }).then(
        (cache) => (node.cache = cache),
        (error: Error) => (node.failure = error),
      );
    });
    return node;
  }

  /** As kill -9. */
  kill(name: string): void {
    this.nodes.get(name)?.clock.stop();
    this.network.remove(name);
    this.nodes.delete(name);
    const disk = this.#disks.get(name);
    if (disk !== undefined) disk.isClosed = true;
  }

  /** Its folder is gone; for a node that does not run. */
  loseDisk(name: string): void {
    this.#disks.delete(name);
  }

  /** Moves time on until it is so. */
  async until(what: string, isSo: () => boolean): Promise<void> {
    for (let passed = 0; passed < PATIENCE; passed += 20) {
      if (isSo()) return;
      await this.clock.advanceAsync(20);
    }
    assert.fail(
      `Waited ${PATIENCE} ms for ${what}: ${[...this.nodes.keys()].map((name) => this.show(name)).join("; ")}`,
    );
  }

  async pass(millis: number): Promise<void> {
    await this.clock.advanceAsync(millis);
  }

  /** Of a node that is open. */
  cacheOf(name: string): CacheNode {
    const node = this.nodes.get(name);
    assert.ok(node?.cache !== undefined, `${name} is not open: ${node?.failure}`);
    return node.cache;
  }

  isOpen(name: string): boolean {
    return this.nodes.get(name)?.cache !== undefined;
  }

  get leader(): CacheNode | undefined {
    return this.#open().find((cache) => cache.status().role === "leader");
  }

  /** `a: leader of a, b, c*`: a star for learners. */
  show(name: string): string {
    const cache = this.nodes.get(name)?.cache;
    if (cache === undefined) return `${name}: not open`;
    const { role, members } = cache.status();
    return `${name}: ${role} of ${members.map((one) => `${one.id}${one.role === "voter" ? "" : "*"}`).join(", ")}`;
  }

  votersAt(name: string): readonly string[] {
    const members = this.nodes.get(name)?.cache?.status().members ?? [];
    return members.flatMap(({ id, role }) => (role === "voter" ? [id] : [])).sort();
  }

  #open(): readonly CacheNode[] {
    return [...this.nodes.values()].flatMap(({ cache, clock }) =>
      cache === undefined || clock.isPaused ? [] : [cache],
    );
  }

  #linkedWith({ mesh }: WorldNode): readonly EligibleNode[] {
    return [...this.nodes.values()]
      .filter(({ name }) => mesh.links.has(name))
      .map(({ name, roles }) => ({ id: name, roles }));
  }

  #dialAll({ name, mesh }: WorldNode): void {
    const others = [...this.nodes.keys()].filter((other) => other !== name);
    mesh.reach(new Map(others.map((other) => [other, { address: `${other}:7935`, to: other }])));
  }
}

export const CACHE = "0" as CacheName;

export const set = (key: string, value: string): Operation => ({
  type: "set",
  cache: CACHE,
  key: Buffer.from(key),
  value: Buffer.from(value),
  expiry: "never",
  when: "always",
  answerWith: "version",
});

function noteLog(lines: string[]): Log {
  const note = (fields: Readonly<Record<string, unknown>>, message: string): void =>
    void lines.push(`${message} ${JSON.stringify(fields)}`);
  const log: Log = { debug() {}, info: note, warn: note, error: note, child: () => log };
  return log;
}
