/** Runs the conformance suite on engines over links, calmly or with hosts that die under them. */
import type { Millis } from "@sluice/base/brand";
import type { LinkEngine } from "@sluice/cluster/engine/link-engine";
import type { EngineFaults, EngineHarness } from "@sluice/engine/conformance/harness";
import type { Engine } from "@sluice/engine/engine";
import { randomBelow } from "@sluice/testkit/random";
import { EngineWorld } from "./engine-world.ts";

/** Between two deaths of hosts. */
const DEATH_EVERY = 700;
/** Time moves in steps of this. */
const STEP = 2;

export class LinkHarness implements EngineHarness {
  readonly leaseTtl = 3000 as Millis;
  readonly leaseSlack = 50 as Millis;
  readonly patience = 15_000 as Millis;
  readonly tolerance = STEP as Millis;
  readonly faults: EngineFaults;
  readonly world: EngineWorld;
  readonly #names = new Map<Engine, string>();
  readonly #isDeadly: boolean;
  #clients = 0;
  #hosts = 0;
  #diedAt = 0;
  #delay = 0 as Millis;
  /** Name of the client that is cut off. */
  #cutOff: string | undefined;
  #isOver = false;
  #generation = 1;

  /** @param options.isDeadly  every now and then a host is killed, and another takes its place */
  constructor(seed: number, { isDeadly }: { readonly isDeadly: boolean }) {
    this.#isDeadly = isDeadly;
    this.world = new EngineWorld(seed);
    for (let count = 0; count < 3; count++) this.world.startHost(`host${++this.#hosts}`);
    void this.#drive();
    this.faults = {
      kill: async (engine) => {
        this.world.kill(this.#nameOf(engine));
      },
      cut: async (engine) => this.#cut(this.#nameOf(engine)),
      delay: async (_engine, by) => {
        this.#delay = by;
        for (const { engine } of this.world.hosts.values()) engine.delayAnswers(by);
      },
      wipe: async () => this.world.store.wipe(++this.#generation),
    };
  }

  get clock() {
    return this.world.clock;
  }

  async open(): Promise<LinkEngine> {
    const node = this.world.startNode(`client${++this.#clients}`);
    const engine = await this.world.openClient(node);
    this.#names.set(engine, node.name);
    return engine;
  }

  async advance(millis: Millis): Promise<void> {
    await this.clock.sleep(millis, new AbortController().signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const [engine, name] of this.#names) {
      if (this.world.nodes.has(name)) await engine[Symbol.asyncDispose]();
    }
    this.#isOver = true;
  }

  /** Calls are answered over the network, and cases do not let time pass for them: it passes by itself. */
  async #drive(): Promise<void> {
    while (!this.#isOver) {
      if (this.#isDeadly && this.clock.now() - this.#diedAt >= DEATH_EVERY) this.#replaceHost();
      await this.world.advance(STEP);
    }
  }

  #replaceHost(): void {
    this.#diedAt = this.clock.now();
    const names = [...this.world.hosts.keys()];
    this.world.kill(names[randomBelow(this.world.random, names.length)] as string);
    this.world.startHost(`host${++this.#hosts}`).engine.delayAnswers(this.#delay);
    if (this.#cutOff !== undefined) this.#cut(this.#cutOff);
  }

  #nameOf(engine: Engine): string {
    const name = this.#names.get(engine);
    if (name === undefined) throw new TypeError("Cannot find an engine that was not opened here");
    return name;
  }

  #cut(name: string): () => Promise<void> {
    this.#cutOff = name;
    for (const other of this.world.network.names) {
      if (other === name) continue;
      this.world.network.cut(name, other, "vanish");
      this.world.network.cut(other, name, "vanish");
    }
    return async () => {
      this.#cutOff = undefined;
      this.world.network.heal();
    };
  }
}
