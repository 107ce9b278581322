/** Nodes with links and membership over the simulated network. */
import type { Incarnation } from "@sluice/mesh/hello";
import type { Millis } from "@sluice/base/brand";
import { DEFAULT_LINK_LIMITS, DEFAULT_LINK_TIMINGS } from "@sluice/mesh/limits";
import { LinkServices } from "@sluice/mesh/link-services";
import { Membership } from "@sluice/mesh/membership/membership";
import type { MembershipChange } from "@sluice/mesh/membership/membership-view";
import { Mesh } from "@sluice/mesh/mesh";
import { FakeClock } from "@sluice/testkit/fake-clock";
import { randomBelow, seededRandom } from "@sluice/testkit/random";
import { SimClock } from "@sluice/testkit/sim-clock";
import { SimNetwork } from "@sluice/testkit/sim-network";
import { SimHost, type SimPacket } from "@sluice/testkit/sim-transport";
import { CRYPTO, identity } from "./link-fixture.ts";

export interface MemberNode {
  readonly name: string;
  readonly mesh: Mesh;
  readonly services: LinkServices;
  readonly membership: Membership;
  readonly clock: SimClock;
  /** `joined b`, `left b goodbye`, …; `changed` is left out. */
  readonly log: string[];
}

export interface StartOptions {
  readonly seeds?: readonly string[];
  /** Nobody can dial it. */
  readonly isDialOnly?: boolean;
}

export class MembershipWorld {
  readonly clock = new FakeClock();
  readonly random: () => number;
  readonly network: SimNetwork<SimPacket>;
  readonly nodes = new Map<string, MemberNode>();
  /** What the state engine would say; `undefined` stands for an engine that cannot. */
  isGone: ((id: string) => boolean) | undefined = (id) => !this.nodes.has(id);
  #lives = 0;

  constructor(seed: number) {
    this.random = seededRandom(seed);
    this.network = new SimNetwork({ clock: this.clock, seed, delay: { min: 1, max: 20 } });
  }

  start(name: string, { seeds = [], isDialOnly = false }: StartOptions = {}): MemberNode {
    const clock = new SimClock(this.clock, { offset: randomBelow(this.random, 10_000) });
    const self = identity(name, { incarnation: ++this.#lives as Incarnation });
    const log: string[] = [];
    const services = new LinkServices({ failed: () => {} });
    const host = new SimHost({
      name,
      network: this.network,
      clock,
      accept: isDialOnly ? undefined : (transport, from) => mesh.accept(transport, from),
    });
    const mesh = new Mesh({
      own: () => self,
      secrets: () => [Buffer.from("a secret of the world")],
      judge: () => undefined,
      crypto: CRYPTO,
      dialler: host,
      clock,
      defer: (action) => void clock.afterPoll(action),
      random: this.random,
      limits: DEFAULT_LINK_LIMITS,
      timings: DEFAULT_LINK_TIMINGS,
      listener: services,
    });
    const membership = new Membership({
      self,
      record: { roles: ["origin"], addresses: isDialOnly ? {} : { cluster: `${name}:7935` }, build: "0", since: 0 },
      clock,
      random: this.random,
      suspectAfter: 2_500 as Millis,
      deadAfter: 1_000 as Millis,
      forgetAfter: 60_000 as Millis,
      judgeEvery: 500 as Millis,
      isGone: (id) => this.isGone?.(id) ?? false,
      reach: (targets) => mesh.reach(targets),
      changed: (change) => note(log, change),
      twin: ({ incarnation }) => log.push(`twin ${incarnation > self.incarnation ? "later" : "not later"}`),
    });
    services.add(membership);
    const node: MemberNode = { name, mesh, services, membership, clock, log };
    this.nodes.set(name, node);
    this.network.add(name, host, clock);
    clock.run(() => {
      membership.setSeeds(seeds.map((seed) => `${seed}:7935`));
      membership.announce("ready");
    });
    return node;
  }

  /** Says goodbye, then ends. */
  stop(name: string): void {
    const node = this.nodes.get(name);
    node?.clock.run(() => {
      node.membership.announce("left");
      node.membership.close();
      node.mesh.close("stopping");
    });
    this.clock.advance(100);
    this.kill(name);
  }

  /** As kill -9. */
  kill(name: string): void {
    this.nodes.get(name)?.clock.stop();
    this.network.remove(name);
    this.nodes.delete(name);
  }

  /** How a node sees all others: `b ready linked`, sorted. */
  seenBy(name: string): readonly string[] {
    const rows = this.nodes.get(name)?.membership.rows ?? [];
    return rows
      .filter(({ record }) => record.id !== name)
      .map(({ record, standing, isLinked }) => `${record.id} ${standing}${isLinked ? " linked" : ""}`)
      .sort();
  }
}

function note(log: string[], change: MembershipChange): void {
  if (change.type === "changed") return;
  log.push(`${change.type} ${change.row.record.id}${change.type === "left" ? ` ${change.why}` : ""}`);
}
