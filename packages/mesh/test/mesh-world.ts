/** Nodes with links over the simulated network, each with a clock of its own, restarted, paused and cut off at will. */
import type { Millis } from "@sluice/base/brand";
import type { NodeIdentity, Incarnation } from "@sluice/mesh/hello";
import { DEFAULT_LINK_LIMITS, DEFAULT_LINK_TIMINGS } from "@sluice/mesh/limits";
import { type DialTarget, Mesh } from "@sluice/mesh/mesh";
import { FakeClock } from "@sluice/testkit/fake-clock";
import { randomBelow, seededRandom } from "@sluice/testkit/random";
import { SimClock } from "@sluice/testkit/sim-clock";
import { SimNetwork } from "@sluice/testkit/sim-network";
import { SimHost, type SimPacket } from "@sluice/testkit/sim-transport";
import { CRYPTO, identity } from "./link-fixture.ts";

export interface WorldNode {
  readonly name: string;
  readonly mesh: Mesh;
  readonly host: SimHost;
  readonly clock: SimClock;
  /** `up b`, `down b goodbye`, `failed wrong-secret`, in order. */
  readonly log: string[];
  /** Ids of peers from whom a message came over a link that still stands. */
  readonly heard: Map<string, number>;
}

export class MeshWorld {
  readonly clock = new FakeClock();
  readonly random: () => number;
  readonly network: SimNetwork<SimPacket>;
  readonly nodes = new Map<string, WorldNode>();
  #lives = 0;

  constructor(seed: number) {
    this.random = seededRandom(seed);
    this.network = new SimNetwork({ clock: this.clock, seed, delay: { min: 1, max: 20 } });
  }

  /** Starts a node, or starts it again after `kill`. @param targets  names of the nodes that it dials */
  start(name: string, targets: readonly string[], secret = "a secret of the world"): WorldNode {
    const clock = new SimClock(this.clock, { offset: randomBelow(this.random, 10_000) });
    const own: NodeIdentity = identity(name, { incarnation: ++this.#lives as Incarnation });
    const log: string[] = [];
    const heard = new Map<string, number>();
    const host = new SimHost({
      name,
      network: this.network,
      clock,
      accept: (transport, from) => mesh.accept(transport, from),
    });
    const mesh = new Mesh({
      own: () => own,
      secrets: () => [Buffer.from(secret)],
      judge: () => undefined,
      crypto: CRYPTO,
      dialler: host,
      clock,
      defer: (action) => void clock.afterPoll(action),
      random: this.random,
      limits: DEFAULT_LINK_LIMITS,
      timings: DEFAULT_LINK_TIMINGS,
      listener: {
        up: (link) => {
          log.push(`up ${link.peer.id}`);
          link.driver.link?.openChannel("greeting", { class: "state" }).send(Uint8Array.of(1));
        },
        happened: (link, event) => {
          if (event.type === "message") heard.set(link.peer.id, (heard.get(link.peer.id) ?? 0) + 1);
        },
        down: (link, why) => {
          log.push(`down ${link.peer.id} ${why.type}`);
          heard.delete(link.peer.id);
        },
        failed: (_attempt, error) =>
          log.push(`failed ${"context" in error ? JSON.stringify(error.context) : error.message}`),
      },
    });
    const node: WorldNode = { name, mesh, host, clock, log, heard };
    this.nodes.set(name, node);
    this.network.add(name, host, clock);
    clock.run(() => mesh.reach(targetsOf(targets)));
    return node;
  }

  /** As kill -9: nothing of the node runs again, its connections break. */
  kill(name: string): void {
    this.nodes.get(name)?.clock.stop();
    this.network.remove(name);
    this.nodes.delete(name);
  }

  advance(millis: number): void {
    this.clock.advance(millis as Millis);
  }
}

export function targetsOf(names: readonly string[]): ReadonlyMap<string, DialTarget> {
  return new Map(names.map((name) => [name, { address: `${name}:7935`, to: name }]));
}
