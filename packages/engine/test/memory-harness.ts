/** Runs the conformance suite on memory engines and a fake clock, with room for planted faults. */
import type { Millis } from "@sluice/base/brand";
import type { EngineFaults, EngineHarness } from "@sluice/engine/conformance/harness";
import type { Engine } from "@sluice/engine/engine";
import { MemoryEngine } from "@sluice/engine/memory-engine";
import { MemoryStore } from "@sluice/engine/memory/memory-store";
import { FakeClock } from "@sluice/testkit/fake-clock";

/** Called for each engine that is opened; what it answers is what the case sees. */
export type Plant = (engine: MemoryEngine, harness: MemoryHarness) => Engine;

export class MemoryHarness implements EngineHarness {
  readonly clock = new FakeClock();
  readonly leaseTtl = 3000 as Millis;
  readonly leaseSlack = 20 as Millis;
  readonly patience = 1000 as Millis;
  readonly tolerance = 0 as Millis;
  readonly faults: EngineFaults;
  readonly store: MemoryStore;
  readonly #engines = new Map<Engine, MemoryEngine>();
  readonly #plant: Plant | undefined;
  #generation = 1;

  constructor(plant?: Plant) {
    this.#plant = plant;
    this.store = new MemoryStore({ clock: this.clock, generation: this.#generation });
    this.faults = {
      kill: async (engine) => this.#find(engine).cut(),
      cut: async (engine) => this.#cut(this.#find(engine)),
      delay: async (engine, by) => this.#find(engine).delayAnswers(by),
      wipe: async () => this.store.wipe(++this.#generation),
    };
  }

  async open(): Promise<Engine> {
    const engine = new MemoryEngine(this.store);
    const seen = this.#plant?.(engine, this) ?? engine;
    this.#engines.set(seen, engine);
    return seen;
  }

  advance(millis: Millis): Promise<void> {
    return this.clock.advanceAsync(millis);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const engine of this.#engines.values()) {
      engine.delayAnswers(0 as Millis);
      await engine[Symbol.asyncDispose]();
    }
  }

  #find(engine: Engine): MemoryEngine {
    const found = this.#engines.get(engine);
    if (found === undefined) throw new TypeError("Cannot find an engine that was not opened here");
    return found;
  }

  #cut(engine: MemoryEngine): () => Promise<void> {
    engine.cut();
    return async () => engine.heal();
  }
}
