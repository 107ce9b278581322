/** A whole cluster in one process: nodes that start, stop, die and come back on one simulated network and clock, all from one seed. */
import type { Log } from "@sluice/base/log";
import type { AdminEvent } from "@sluice/client/admin-contract";
import { FakeClock } from "@sluice/testkit/fake-clock";
import { randomBelow, seededRandom } from "@sluice/testkit/random";
import { SimClock } from "@sluice/testkit/sim-clock";
import { SimNetwork } from "@sluice/testkit/sim-network";
import type { SimPacket } from "@sluice/testkit/sim-transport";
import { EventLog } from "./event-log.ts";
import { newDisk, type SimDisk, SimNode } from "./sim-node.ts";

/** What a node is for all its lives. */
export interface SimPlace {
  readonly id: string;
  readonly roles: string;
  readonly seeds: readonly string[];
  readonly isDialOnly: boolean;
  readonly rejoin: "ask" | "auto";
  disk: SimDisk;
  /** How far its wall clock is from the world's. */
  wallOffset: number;
  /** It will not come back: it has left, or was killed and removed. */
  isRetired: boolean;
}

/** What the world tells those that judge it. */
export interface WorldListener {
  started?(node: SimNode): void;
  /** Its process has ended. */
  ended?(node: SimNode): void;
  told?(node: SimNode, event: AdminEvent): void;
  /** Between two moments, and first thing when a node that stood still goes on. */
  looked?(): void;
}

export interface WorldOptions {
  readonly seed: number;
  readonly print?: (line: string) => void;
}

/** Crystals of machines differ by a hundredth of this; leases must bear it together with a wall clock that is being corrected. */
const DRIFT = 0.005;
const LOOK_EVERY = 25;

export class SimWorld {
  readonly clock = new FakeClock();
  readonly seed: number;
  readonly network: SimNetwork<SimPacket>;
  readonly events: EventLog;
  readonly places = new Map<string, SimPlace>();
  /** Whose process is there, paused or not. */
  readonly nodes = new Map<string, SimNode>();
  readonly listeners: WorldListener[] = [];
  #failure: Error | undefined;
  #lives = 0;

  constructor({ seed, print }: WorldOptions) {
    this.seed = seed;
    this.events = new EventLog(() => this.clock.now(), print);
    this.network = new SimNetwork({ clock: this.clock, seed, delay: { min: 1, max: 12 } });
  }

  /** Random numbers for one purpose: those of others do not change when more of them are drawn. */
  randomFor(purpose: string): () => number {
    let hash = this.seed;
    for (const letter of purpose) hash = (Math.imul(hash, 31) + letter.charCodeAt(0)) | 0;
    return seededRandom(hash);
  }

  place(of: Pick<SimPlace, "id" | "roles" | "seeds" | "isDialOnly" | "rejoin">): SimPlace {
    const disk = newDisk(this.randomFor(`disk of ${of.id}`));
    const place: SimPlace = { ...of, disk, wallOffset: 0, isRetired: false };
    this.places.set(of.id, place);
    return place;
  }

  start(id: string): SimNode {
    const place = this.placeOf(id);
    const random = this.randomFor(`life ${++this.#lives} of ${id}`);
    const clock = new SimClock(this.clock, {
      offset: randomBelow(random, 100_000),
      rate: 1 + DRIFT * (2 * random() - 1),
      wallOffset: place.wallOffset,
    });
    const node: SimNode = new SimNode({
      ...place,
      clock,
      network: this.network,
      random,
      log: this.#logOf(id),
      tell: (event) => {
        this.events.note(id, textOf(event));
        for (const listener of this.listeners) listener.told?.(node, event);
      },
    });
    this.nodes.set(id, node);
    this.events.note(id, `starts, incarnation ${node.incarnation}`);
    for (const listener of this.listeners) listener.started?.(node);
    clock.run(() => {
      node.start().catch((error: unknown) => {
        if (this.nodes.get(id) === node && !node.state.draining.aborted) this.fail(`${id} cannot start`, error);
      });
    });
    return node;
  }

  /** As kill -9. */
  kill(id: string): void {
    const node = this.nodes.get(id);
    if (node === undefined) return;
    this.events.note(id, "is killed");
    this.#end(node);
  }

  /** As SIGTERM; resolves when its process has ended. */
  async stop(id: string): Promise<void> {
    const node = this.nodes.get(id);
    if (node === undefined || node.state.draining.aborted) return;
    this.events.note(id, "is told to stop");
    const done = Promise.withResolvers<void>();
    node.clock.run(() => {
      node.stop().then(
        () => done.resolve(),
        (error: unknown) => {
          this.fail(`${id} cannot stop`, error);
          done.resolve();
        },
      );
    });
    await done.promise;
    if (this.nodes.get(id) !== node) return;
    // What it wrote last is still on its way out.
    await this.clock.sleep(100 as never, new AbortController().signal);
    if (this.nodes.get(id) !== node) return;
    this.events.note(id, "has stopped");
    this.#end(node);
  }

  /** The first that runs when it goes on is a look at what it does, before any timer and any news. */
  pause(id: string): void {
    const node = this.nodes.get(id);
    if (node === undefined) return;
    node.pause();
    node.clock.run(() => this.#look());
    this.events.note(id, "stands still");
  }

  resume(id: string): void {
    const clock = this.nodes.get(id)?.clock;
    if (clock?.isPaused !== true) return;
    this.events.note(id, "goes on");
    clock.resume();
  }

  jumpWall(id: string, millis: number): void {
    this.placeOf(id).wallOffset += millis;
    this.nodes.get(id)?.clock.jumpWall(millis);
    this.events.note(id, `has its wall clock set by ${millis} ms`);
  }

  /** For a node that does not run. */
  loseDisk(id: string): void {
    const place = this.placeOf(id);
    this.events.note(id, "has lost its disk");
    // A number of lives that is gone with the disk comes from the clock: it must not have been set back.
    const behind = place.disk.incarnation * 1_000 + 2_000 - (this.clock.wall() + place.wallOffset);
    place.wallOffset += Math.max(0, behind);
    place.disk = newDisk(this.randomFor(`disk ${++this.#lives} of ${id}`));
  }

  placeOf(id: string): SimPlace {
    const place = this.places.get(id);
    if (place === undefined) throw new RangeError(`No such place: "${id}"`);
    return place;
  }

  /** The first failure is the one. */
  fail(what: string, cause?: unknown): void {
    if (this.#failure !== undefined) return;
    const because = cause instanceof Error ? `: ${cause.message}` : "";
    this.#failure = new Error(`At ${this.clock.now()} ms: ${what}${because}`, { cause });
    this.events.note("FAILURE", what + because);
  }

  /** @throws what failed */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Lets time pass. @throws what failed meanwhile */
  async pass(millis: number): Promise<void> {
    for (let left = millis; left > 0; left -= LOOK_EVERY) {
      await this.clock.advanceAsync(Math.min(LOOK_EVERY, left));
      this.#look();
      this.check();
    }
  }

  /** @throws {Error} with what is still missing once `limit` is over */
  async until(what: string, missing: () => string | undefined, limit: number): Promise<number> {
    const start = this.clock.now();
    for (let still = missing(); still !== undefined; still = missing()) {
      if (this.clock.now() - start >= limit) this.fail(`Waited ${limit} ms in vain for ${what}: ${still}`);
      await this.pass(LOOK_EVERY);
    }
    return this.clock.now() - start;
  }

  #look(): void {
    for (const listener of this.listeners) listener.looked?.();
  }

  #end(node: SimNode): void {
    node.clock.stop();
    this.network.remove(node.id);
    this.nodes.delete(node.id);
    for (const listener of this.listeners) listener.ended?.(node);
  }

  #logOf(id: string): Log {
    const note =
      (level: string) =>
      (fields: Readonly<Record<string, unknown>>, message: string): void =>
        this.events.note(id, `${level} ${message} ${fieldsText(fields)}`);
    const log: Log = { debug() {}, info: note("-"), warn: note("!"), error: note("!!"), child: () => log };
    return log;
  }
}

function textOf({ type, at: _, ...fields }: AdminEvent): string {
  return `* ${type} ${fieldsText(fields)}`;
}

function fieldsText(fields: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(fields, (_key, value: unknown) => (value instanceof Error ? value.message : value));
}
