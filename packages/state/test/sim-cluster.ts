/** Nodes with shared objects on a simulated network, directory and engine; each may be killed, paused and cut off. */
import type { Millis } from "@sluice/base/brand";
import { SILENT_LOG } from "@sluice/base/log";
import { MemoryStore } from "@sluice/engine/memory/memory-store";
import { OBJECT_LIMITS, OBJECT_TIMINGS, type ObjectLimits } from "@sluice/state/limits";
import { ObjectHost } from "@sluice/state/object-host";
import type { SharedObject } from "@sluice/state/shared-object";
import type { ObjectGuard, ObjectLinks, ObjectNotice } from "@sluice/state/ports";
import { FakeClock } from "@sluice/testkit/fake-clock";
import { seededRandom } from "@sluice/testkit/random";
import { SimClock } from "@sluice/testkit/sim-clock";
import { type SimEvent, SimNetwork } from "@sluice/testkit/sim-network";
import { simEngine } from "./sim-engine.ts";
import { SimDirectory, SimOwnership } from "./sim-ownership.ts";

export interface SimClusterOptions {
  readonly nodes: number;
  readonly seed: number;
  readonly limits?: Partial<ObjectLimits>;
  readonly guard?: ObjectGuard;
  readonly ignoresLease?: boolean;
}

export class SimNode {
  readonly name: string;
  readonly clock: SimClock;
  readonly host: ObjectHost;
  readonly ownership: SimOwnership;
  readonly notices: ObjectNotice[] = [];
  readonly #links = new Set<string>();

  constructor(name: string, life: number, cluster: SimCluster) {
    const { options, directory, network, store, clock } = cluster;
    this.name = name;
    this.clock = new SimClock(clock);
    this.ownership = new SimOwnership({
      self: name,
      life,
      clock: this.clock,
      directory,
      origins: () => [...this.#links, name].sort(),
      ignoresLease: options.ignoresLease ?? false,
    });
    const nodes = () => [...this.#links].sort();
    const links: ObjectLinks = {
      get nodes() {
        return nodes();
      },
      send: (to, message) => network.send(name, to, message),
    };
    const engine = simEngine(store, this.clock, () => directory.cutOff.has(name));
    this.host = new ObjectHost({
      ownership: this.ownership,
      engine: () => engine,
      clock: this.clock,
      log: SILENT_LOG,
      random: seededRandom(options.seed + life),
      guard: options.guard ?? {},
      limits: { ...OBJECT_LIMITS, ...options.limits },
      timings: OBJECT_TIMINGS,
      links,
      notice: (notice) => this.notices.push(notice),
    });
  }

  receive(event: SimEvent<Uint8Array>): void {
    if (event.type === "opened") {
      this.#links.add(event.peer);
      this.host.linkUp(event.peer);
    } else if (event.type === "closed") {
      this.#links.delete(event.peer);
      this.host.linkDown(event.peer);
    } else this.host.receive(event.from, event.message);
  }
}

export class SimCluster {
  readonly options: SimClusterOptions;
  readonly clock = new FakeClock();
  readonly network: SimNetwork<Uint8Array>;
  readonly directory = new SimDirectory(this.clock);
  readonly store = new MemoryStore({ clock: this.clock, generation: 1 });
  readonly #nodes = new Map<string, SimNode>();
  #lives = 0;

  constructor(options: SimClusterOptions) {
    this.options = options;
    this.network = new SimNetwork({ clock: this.clock, seed: options.seed });
    for (let i = 0; i < options.nodes; i++) this.start(`n${i}`);
  }

  get nodes(): readonly SimNode[] {
    return [...this.#nodes.values()];
  }

  /** @throws {Error} for a node that does not run */
  node(name: string): SimNode {
    const found = this.#nodes.get(name);
    if (found === undefined) throw new Error(`${name} does not run`);
    return found;
  }

  find(name: string): SimNode | undefined {
    return this.#nodes.get(name);
  }

  start(name: string): SimNode {
    const node = new SimNode(name, ++this.#lives, this);
    this.#nodes.set(name, node);
    this.network.add(name, node, node.clock);
    return node;
  }

  kill(name: string): void {
    const node = this.node(name);
    node.clock.stop();
    this.network.remove(name);
    this.directory.views.delete(node.ownership);
    this.#nodes.delete(name);
  }

  /** The node that is the home by its own knowledge, and not paused. */
  home(path: string): SharedObject | undefined {
    const homes = this.nodes.flatMap(({ host, clock }) => (clock.isPaused ? [] : [host.find(path)]));
    return homes.find((object) => object?.isHome === true);
  }

  homeNode(path: string): string | undefined {
    return this.nodes.find(({ host, clock }) => !clock.isPaused && host.find(path)?.isHome === true)?.name;
  }

  async run(millis: number): Promise<void> {
    await this.clock.advanceAsync(millis);
  }
}

export const MOMENT = 50 as Millis;
