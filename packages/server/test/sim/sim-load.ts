/** What every simulated node does all the while: writes and reads registers, watches them, claims homes, asks all nodes how they are. */
import type { Millis } from "@sluice/base/brand";
import type { HomeClaim } from "@sluice/cluster/directory/home-claim";
import { formatEpoch } from "@sluice/engine/epoch";
import { EngineClosedError, EngineUnavailableError } from "@sluice/engine/errors";
import type { Engine, Entry } from "@sluice/engine/engine";
import { assertLinearizable } from "@sluice/testkit/linearizability";
import { HistoryRecorder } from "@sluice/testkit/history";
import { randomBelow } from "@sluice/testkit/random";
import { DEFAULT_CLUSTER_LIMITS } from "@sluice/server/cluster/limits";
import type { SimNode } from "./sim-node.ts";
import type { SimWorld, WorldListener } from "./sim-world.ts";

const REGISTERS = 3;
const OBJECTS = ["table/1", "table/2", "table/3"];
const STREAM = "live/cam";
/** Of a query, beside what a node may take to answer. */
const PROMPT = 50;
const PREFIX = "registers/";

export class SimLoad implements WorldListener {
  readonly #world: SimWorld;
  readonly #claims = new Map<SimNode, Map<string, HomeClaim>>();
  readonly #views = new Map<SimNode, { entries: Map<string, string>; isStale: boolean }>();
  /** Who was confirmed under which epoch. */
  readonly #homes = new Map<string, string>();
  /** Leaders by term. */
  readonly #leaders = new Map<number, string>();
  #history = new HistoryRecorder(() => `${this.#world.clock.now()} ms`);
  #round = 0;
  #values = 0;
  #publications = 0;
  readonly counts = { acknowledged: 0, queries: 0, partial: 0, confirmed: 0, terms: 0 };

  constructor(world: SimWorld) {
    this.#world = world;
    world.listeners.push(this);
  }

  /** Registers of their own for the time to come; those of before are written no more. */
  nextRound(): void {
    this.#round++;
    this.#history = new HistoryRecorder(() => `${this.#world.clock.now()} ms`);
  }

  /** @throws {Error} where answers contradict each other */
  checkHistory(): void {
    assertLinearizable(this.#history.history());
    this.counts.acknowledged += this.#history.answeredCount;
  }

  /** As the node's watch shows those that are written no more; undefined while it is stale. */
  restingRegisters(id: string): string | undefined {
    const node = this.#world.nodes.get(id);
    const view = node && this.#views.get(node);
    if (view === undefined || view.isStale) return undefined;
    const present = `${PREFIX}${this.#round}/`;
    const resting = [...view.entries].filter(([key]) => !key.startsWith(present));
    return JSON.stringify(resting.sort(([one], [other]) => (one < other ? -1 : 1)));
  }

  /** Every register of the round is read through every node. */
  async readAll(): Promise<void> {
    const reads = [...this.#world.nodes.values()].flatMap((node) =>
      Array.from({ length: REGISTERS }, (_, index) => this.#read(node, `${PREFIX}${this.#round}/${index}`)),
    );
    let isDone = false;
    void Promise.all(reads).then(() => (isDone = true));
    await this.#world.until("all registers to be read", () => (isDone ? undefined : "reads wait"), 10_000);
  }

  /** Undefined once every claim has come to rest, and every node sees every home alike. */
  unsettledClaim(): string | undefined {
    const running = [...this.#claims].filter(([node]) => this.#world.nodes.get(node.id) === node);
    const all = running.flatMap(([node, claims]) => [...claims.values()].map((claim) => ({ node, claim })));
    for (const { node, claim } of all) {
      const { at } = claim.state;
      if (at === "released" || at === "lost") continue;
      const { kind, key } = claim.wish;
      const home = all.find((other) => other.claim.wish.key === key && other.claim.state.at === "confirmed");
      if (at !== "confirmed" && !(at === "claiming" && home !== undefined)) {
        return `${node.id} is ${JSON.stringify(claim.state)} of ${key}`;
      }
      if (at !== "confirmed") continue;
      if (!claim.mayAcknowledge) return `${node.id} may not acknowledge for ${key}`;
      for (const [observer] of running) {
        const seen = observer.reached?.directory.view.findHome(kind, key);
        if (seen === undefined || formatEpoch(seen.epoch) !== formatEpoch(claim.state.epoch)) {
          return `${observer.id} sees ${seen?.home} as home of ${key}, which is ${node.id}`;
        }
      }
    }
    return undefined;
  }

  started(node: SimNode): void {
    const random = this.#world.randomFor(`load of ${node.id} ${node.incarnation}`);
    node.clock.run(() => void this.#begin(node, random));
  }

  ended(node: SimNode): void {
    this.#claims.delete(node);
    this.#views.delete(node);
  }

  /** One leader for each term, and one that acknowledges for each object. */
  looked(): void {
    for (const node of this.#world.nodes.values()) {
      const status = node.isRunning ? node.cache?.status() : undefined;
      if (status?.role === "leader") this.#oneLeader(node.id, status.term);
    }
    for (const key of OBJECTS) {
      const acting = [...this.#claims].filter(([node, claims]) => node.isRunning && claims.get(key)?.mayAcknowledge);
      if (acting.length > 1) this.#world.fail(`${acting.map(([{ id }]) => id).join(" and ")} acknowledge for ${key}`);
    }
  }

  #oneLeader(id: string, term: number): void {
    const known = this.#leaders.get(term);
    if (known === undefined) this.counts.terms++;
    if (known !== undefined && known !== id) this.#world.fail(`${known} and ${id} lead in term ${term}`);
    this.#leaders.set(term, id);
  }

  /** Each loop goes on until its process ends. */
  async #begin(node: SimNode, random: () => number): Promise<void> {
    this.#loop(node, random, { least: 500, most: 3_000 }, () => this.#query(node));
    while (node.reached === undefined) await sleep(node, 50);
    const { engine } = node.reached;
    this.#views.set(node, { entries: new Map(), isStale: true });
    this.#claims.set(node, new Map());
    void this.#watch(node, engine);
    const known = new Map<string, Entry | undefined>();
    this.#loop(node, random, { least: 20, most: 300 }, () => this.#useRegister(node, engine, known, random));
    this.#loop(node, random, { least: 300, most: 4_000 }, async () => this.#claim(node, random));
  }

  #loop(node: SimNode, random: () => number, pause: { least: number; most: number }, act: () => Promise<void>): void {
    const run = async (): Promise<void> => {
      while (!node.state.draining.aborted) {
        await sleep(node, pause.least + randomBelow(random, pause.most - pause.least));
        await act();
      }
    };
    run().catch((error: unknown) => {
      if (!node.state.draining.aborted) this.#world.fail(`${node.id} broke`, error);
    });
  }

  async #read(node: SimNode, key: string): Promise<Entry | undefined> {
    const operation = this.#history.begin(node.id, key, { type: "get" });
    const found = await node.reached?.engine.get(key);
    operation.answered({ type: "found", value: found === undefined ? null : textOf(found) });
    return found;
  }

  async #useRegister(
    node: SimNode,
    engine: Engine,
    known: Map<string, Entry | undefined>,
    random: () => number,
  ): Promise<void> {
    const key = `${PREFIX}${this.#round}/${randomBelow(random, REGISTERS)}`;
    try {
      if (!known.has(key) || random() < 0.3) known.set(key, await this.#read(node, key));
      else known.set(key, await this.#swap(node, engine, key, known.get(key)));
    } catch (error) {
      known.delete(key);
      if (!(error instanceof EngineUnavailableError || error instanceof EngineClosedError)) throw error;
    }
  }

  /** @returns what stands then */
  async #swap(node: SimNode, engine: Engine, key: string, entry: Entry | undefined): Promise<Entry | undefined> {
    const value = `value ${++this.#values}`;
    const expected = entry === undefined ? null : textOf(entry);
    const operation = this.#history.begin(node.id, key, { type: "cas", expected, value });
    this.#world.events.note(node.id, `swaps ${expected} for ${value} of ${key}`);
    try {
      const result = await engine.cas(key, entry?.revision ?? "absent", Buffer.from(value));
      operation.answered({ type: "success", success: result.outcome === "written" });
      this.#world.events.note(node.id, `${result.outcome}: ${value} of ${key}`);
      if (result.outcome !== "written") return result.current;
      return { key, value: Buffer.from(value), revision: result.revision };
    } catch (error) {
      const isRefused = error instanceof EngineUnavailableError && !error.isUnknown;
      if (isRefused) operation.refused();
      this.#world.events.note(node.id, `${isRefused ? "refused" : "unknown"}: ${value} of ${key}`);
      throw error;
    }
  }

  async #watch(node: SimNode, engine: Engine): Promise<void> {
    const view = this.#views.get(node);
    if (view === undefined) return;
    let fresh: Map<string, string> | undefined;
    for await (const event of engine.watch(PREFIX, new AbortController().signal)) {
      switch (event.type) {
        case "reset":
          fresh = new Map();
          break;
        case "put":
          (fresh ?? view.entries).set(event.entry.key, textOf(event.entry));
          break;
        case "deleted":
          (fresh ?? view.entries).delete(event.key);
          break;
        case "current":
          view.entries = fresh ?? view.entries;
          fresh = undefined;
          view.isStale = false;
          break;
        case "stale":
          view.isStale = true;
      }
    }
  }

  #claim(node: SimNode, random: () => number): void {
    const claims = this.#claims.get(node);
    const directory = node.reached?.directory;
    if (claims === undefined || directory === undefined) return;
    const key = [...OBJECTS, STREAM][randomBelow(random, OBJECTS.length + 1)] as string;
    const present = claims.get(key);
    const isOver = present === undefined || present.state.at === "lost" || present.state.at === "released";
    if (!isOver && random() < 0.5) return present.release();
    const ifTaken = random() < 0.5 ? "wait" : "yield";
    if (this.#publications === 0 || random() < 0.6) this.#publications++;
    const publication = String(this.#publications).padStart(16, "0");
    const claim =
      key === STREAM
        ? directory.claimStream(key, { publication, publisherAt: node.id, ifTaken })
        : directory.claimObject(key, { ifTaken });
    claims.set(key, claim);
    claim.onChange((state) => {
      this.#world.events.note(node.id, `${key}: ${JSON.stringify(state)}`);
      if (state.at !== "confirmed") return;
      this.counts.confirmed++;
      const epoch = `${key} ${formatEpoch(state.epoch)}`;
      const other = this.#homes.get(epoch);
      if (other !== undefined) this.#world.fail(`${other} and ${node.id} are confirmed homes of ${epoch}`);
      this.#homes.set(epoch, node.id);
    });
  }

  /** Answers by its deadline whatever happens, and names whoever did not. */
  async #query(node: SimNode): Promise<void> {
    const { clock, pauseCount } = node;
    const asked = clock.now();
    const { nodes, silent } = await node.nodes();
    this.counts.queries++;
    if (silent.length > 0) this.counts.partial++;
    const took = clock.now() - asked;
    if (node.pauseCount === pauseCount && took > DEFAULT_CLUSTER_LIMITS.answer + PROMPT) {
      this.#world.fail(`${node.id} answered a query after ${took} ms`);
    }
    for (const { id, self, state, engine } of nodes) {
      const isNamed = silent.includes(id);
      const isMissing = !self && engine === null && state !== "left" && state !== "dead";
      if (isNamed !== isMissing) this.#world.fail(`${node.id} ${isNamed ? "names" : "does not name"} ${id} as silent`);
    }
  }
}

function sleep({ clock }: SimNode, millis: number): Promise<void> {
  return clock.sleep(millis as Millis, new AbortController().signal);
}

function textOf({ value }: Entry): string {
  return Buffer.from(value).toString();
}
