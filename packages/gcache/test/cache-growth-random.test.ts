/** A cluster that grows, and loses and regains nodes, links and disks at random: whatever was acknowledged stays. */
import { randomBelow, seededRandom } from "@sluice/testkit/random";
import { everySeed } from "@sluice/testkit/seeds";
import { NodeWorld } from "./node-world.ts";
import { checkAll, WorldWriter } from "./world-writer.ts";

const NAMES = ["a", "b", "c", "d", "e"] as const;
const OPTIONS = { voters: "auto", rejoin: "auto" } as const;
const FAULTS = 12;

class Trouble {
  readonly #world: NodeWorld;
  readonly #random: () => number;

  constructor(world: NodeWorld, seed: number) {
    this.#world = world;
    this.#random = seededRandom(seed);
  }

  /** One fault, and its end. */
  async next(): Promise<void> {
    const world = this.#world;
    const running = [...world.nodes.keys()];
    const victim = running[randomBelow(this.#random, running.length)] ?? "a";
    const lasts = 50 + randomBelow(this.#random, 3_000);
    switch (randomBelow(this.#random, 5)) {
      case 0:
        world.kill(victim);
        await world.pass(lasts);
        world.start(victim, this.#random() < 0.5 ? "join" : "self", OPTIONS);
        return;
      case 1:
        world.nodes.get(victim)?.clock.pause();
        await world.pass(lasts);
        world.nodes.get(victim)?.clock.resume();
        return;
      case 2:
        world.network.partition(
          [[victim], running.filter((name) => name !== victim)],
          this.#random() < 0.5 ? "close" : "vanish",
        );
        await world.pass(lasts);
        world.network.heal();
        return;
      case 3:
        await this.#loseDisk(victim);
        return;
      default:
        await this.#startAnother();
    }
  }

  async #startAnother(): Promise<void> {
    const next = NAMES.find((name) => !this.#world.nodes.has(name));
    if (next !== undefined) this.#world.start(next, "join", OPTIONS);
    await this.#world.pass(200);
  }

  /** Only where all others have everything: a majority may not forget. */
  async #loseDisk(victim: string): Promise<void> {
    const world = this.#world;
    if (world.votersAt(victim).length < 3) return;
    await world.until("everybody to follow", () => isWhole(world));
    world.kill(victim);
    world.loseDisk(victim);
    world.start(victim, "join", OPTIONS);
    await world.until("it to be back", () => isWhole(world) && world.votersAt(victim).includes(victim));
  }
}

/** One leader, whom all members follow, without a member that lags. */
function isWhole(world: NodeWorld): boolean {
  const status = world.leader?.status();
  if (status === undefined || !status.isMemberListCommitted) return false;
  const voters = status.members.filter(({ role }) => role === "voter").map(({ id }) => id);
  return voters.every((id) => {
    const seen = world.isOpen(id) ? world.cacheOf(id).status() : undefined;
    return seen?.leader === status.self && seen.applied >= status.applied - 50 && voters.length % 2 === 1;
  });
}

everySeed(
  "[REP346] [REP351] random trouble with a cluster that grows",
  { count: 6, file: "packages/gcache/test/cache-growth-random.test.ts" },
  async (seed) => {
    const world = new NodeWorld(seed);
    world.start("a", "self", OPTIONS);
    await world.until("a to lead", () => world.leader !== undefined);
    const writer = new WorldWriter(world);
    const trouble = new Trouble(world, seed);
    for (let fault = 0; fault < FAULTS; fault++) {
      await trouble.next();
      await world.pass(500);
    }
    for (const name of NAMES) if (!world.nodes.has(name)) world.start(name, "join", OPTIONS);
    await world.until("five voters", () => NAMES.every((name) => world.votersAt(name).length === 5) && isWhole(world));
    await world.pass(1_000);
    await checkAll(world, NAMES, writer);
  },
);
