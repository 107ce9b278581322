/** Writes to simulated cache nodes while things happen to them, and looks whether all that was acknowledged is there. */
import assert from "node:assert/strict";
import type { Millis } from "@sluice/base/brand";
import { CACHE, type NodeWorld, set } from "./node-world.ts";

/** Writes one key after the other through whichever node leads, and remembers what was acknowledged. */
export class WorldWriter {
  readonly acknowledged = new Map<string, string>();
  readonly #world: NodeWorld;
  #count = 0;
  #isStopped = false;

  constructor(world: NodeWorld) {
    this.#world = world;
    void this.#run();
  }

  stop(): void {
    this.#isStopped = true;
  }

  #sleep(millis: number): Promise<undefined> {
    const { clock } = this.#world;
    return clock.sleep(millis as Millis, new AbortController().signal).then(() => undefined);
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      const key = `key ${this.#count % 50}`;
      const value = `value ${++this.#count}`;
      // Of a write whose outcome is not known, since who was asked died, say, the next to the same key decides.
      this.acknowledged.delete(key);
      const outcome = await Promise.race([this.#world.leader?.write(set(key, value)), this.#sleep(1_000)]);
      if (outcome?.type === "answer") this.acknowledged.set(key, value);
      await this.#sleep(5);
    }
  }
}

export function textAt(world: NodeWorld, name: string, key: string): string | undefined {
  const found = world.cacheOf(name).state.find(CACHE, Buffer.from(key), 0 as Millis);
  return found && Buffer.from(found.value).toString();
}

/** Whatever was acknowledged is on all of them, once they have caught up. */
export async function checkAll(world: NodeWorld, names: readonly string[], writer: WorldWriter): Promise<void> {
  writer.stop();
  await world.until("everybody to have everything", () => {
    const applied = world.leader?.status().lastIndex;
    return applied !== undefined && names.every((name) => world.cacheOf(name).status().applied === applied);
  });
  assert.ok(writer.acknowledged.size > 10, `${writer.acknowledged.size} keys were written`);
  for (const name of names) {
    for (const [key, value] of writer.acknowledged) assert.equal(textAt(world, name, key), value, `${key} at ${name}`);
  }
}
