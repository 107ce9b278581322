/** Random histories of shared objects, run on a simulated cluster and held to what the design promises. */
import type { Millis } from "@sluice/base/brand";
import { type Durability, type Wish } from "@sluice/state/change";
import { ORIGIN } from "@sluice/state/position";
import { messageWish, removeWish, setWish } from "@sluice/state/wishes";
import fc from "fast-check";
import { ModelClient } from "./model-client.ts";
import { OrderRecord, Violation } from "./order-record.ts";
import { SimCluster } from "./sim-cluster.ts";

const PATH = "room/ball";

export type Step =
  | { readonly type: "write"; readonly client: number; readonly wishes: readonly Wish[] }
  | {
      readonly type: "guess";
      readonly client: number;
      readonly name: string;
      readonly isRight: boolean;
      readonly value: number;
    }
  | { readonly type: "wait"; readonly millis: number }
  | { readonly type: "pace"; readonly client: number; readonly millis: number }
  | { readonly type: "reconnect"; readonly client: number; readonly node: number }
  | { readonly type: "move"; readonly node: number }
  | { readonly type: "kill"; readonly node: Victim; readonly lead: Lead; readonly restartAfter: number }
  | { readonly type: "pause"; readonly node: Victim; readonly lead: Lead; readonly millis: number }
  | {
      readonly type: "cut";
      readonly a: number;
      readonly b: number;
      readonly mode: "close" | "hold" | "vanish";
      readonly millis: number;
    }
  | { readonly type: "cut-off"; readonly node: Victim; readonly lead: Lead; readonly millis: number };

type Victim = number | "home";

/** Everybody writes, and so many milliseconds later the fault comes: something is always under way. */
interface Lead {
  readonly wishes: readonly Wish[];
  readonly millis: number;
}

export interface History {
  readonly nodes: number;
  readonly clients: number;
  /** One fault at a time, and time to recover: then nothing acknowledged may be lost, durable or not. */
  readonly isGentle: boolean;
  readonly durability: Durability;
  readonly steps: readonly Step[];
}

const NAMES = ["a", "b", "c"];
const small = fc.nat({ max: 4 });
const name = fc.constantFrom(...NAMES);
const value = fc.nat({ max: 3 });
const wish: fc.Arbitrary<Wish> = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(name, value).map(([n, v]) => setWish(n, v)) },
  { weight: 2, arbitrary: name.map((n) => removeWish(n)) },
  { weight: 2, arbitrary: value.map((v) => messageWish("kick", [v])) },
  { weight: 1, arbitrary: fc.constant<Wish>({ type: "clear" }) },
  { weight: 1, arbitrary: fc.nat({ max: 2_000 }).map((lease): Wish => ({ type: "lock", lease: lease as Millis })) },
  { weight: 1, arbitrary: fc.constant<Wish>({ type: "unlock" }) },
);
const write = fc.record({
  type: fc.constant("write" as const),
  client: small,
  wishes: fc.array(wish, { minLength: 1, maxLength: 3 }),
});
const victim: fc.Arbitrary<Victim> = fc.oneof(small, fc.constant("home" as const));
const lead = fc.record({ wishes: fc.array(wish, { maxLength: 2 }), millis: fc.nat({ max: 8 }) });
const longOrShort = fc.oneof(fc.nat({ max: 800 }), fc.integer({ min: 3_000, max: 9_000 }));
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 30, arbitrary: write },
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constant("guess" as const), client: small, name, isRight: fc.boolean(), value }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      type: fc.constant("wait" as const),
      millis: fc.oneof(fc.nat({ max: 20 }), fc.nat({ max: 1_500 })),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant("pace" as const), client: small, millis: fc.constantFrom(0, 20, 400) }),
  },
  { weight: 3, arbitrary: fc.record({ type: fc.constant("reconnect" as const), client: small, node: small }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("move" as const), node: small }) },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant("kill" as const),
      node: victim,
      lead,
      restartAfter: fc.nat({ max: 5_000 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ type: fc.constant("pause" as const), node: victim, lead, millis: longOrShort }) },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant("cut" as const),
      a: small,
      b: small,
      mode: fc.constantFrom("close" as const, "hold" as const, "vanish" as const),
      millis: fc.nat({ max: 4_000 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant("cut-off" as const), node: victim, lead, millis: longOrShort }),
  },
);

export const histories: fc.Arbitrary<History> = fc.record({
  nodes: fc.integer({ min: 1, max: 5 }),
  clients: fc.integer({ min: 1, max: 4 }),
  isGentle: fc.boolean(),
  durability: fc.constantFrom<Durability>(
    { type: "temporary" },
    { type: "each" },
    { type: "every", interval: 200 as Millis },
  ),
  steps: fc.array(step, { minLength: 10, maxLength: 120, size: "max" }),
});

export interface RunCounts {
  acknowledged: number;
  refused: number;
  changes: number;
  merged: number;
  snapshots: number;
  recovered: number;
}

/** Longer than a lease, an election, a take-over and the wait of a held write. */
const RECOVERY = 9_000;

/** @throws {Violation} */
export async function runHistory(
  history: History,
  options: { readonly ignoresLease?: boolean } = {},
): Promise<RunCounts> {
  using record = new OrderRecord();
  const run = new Run(history, record, options.ignoresLease ?? false);
  await run.play();
  await run.end();
  return run.counts;
}

class Run {
  readonly counts: RunCounts = { acknowledged: 0, refused: 0, changes: 0, merged: 0, snapshots: 0, recovered: 0 };
  readonly #history: History;
  readonly #record: OrderRecord;
  readonly #cluster: SimCluster;
  readonly #clients: ModelClient[];

  constructor(history: History, record: OrderRecord, ignoresLease: boolean) {
    this.#history = history;
    this.#record = record;
    this.#cluster = new SimCluster({
      nodes: history.nodes,
      seed: history.steps.length,
      limits: { historyChanges: 20, behindChanges: 4, inFlightBytes: 500 },
      ignoresLease,
    });
    const { durability } = history;
    this.#clients = Array.from({ length: history.clients }, (_, i) => {
      return new ModelClient({ name: `c${i}`, path: PATH, durability, record });
    });
  }

  async play(): Promise<void> {
    await this.#cluster.run(50);
    this.#clients.forEach((client, i) => client.connect(this.#cluster.node(this.#name(i))));
    await this.#cluster.run(1_000);
    for (const step of this.#history.steps) {
      await this.#step(step);
      await this.#cluster.run(1);
    }
  }

  /** Everything heals: all clients end equal, with all that was acknowledged. */
  async end(): Promise<void> {
    const cluster = this.#cluster;
    cluster.network.heal();
    for (const node of [...cluster.directory.cutOff]) cluster.directory.heal(node);
    for (const { clock } of cluster.nodes) clock.resume();
    await cluster.run(RECOVERY);
    for (const client of this.#clients) this.#revive(client);
    await cluster.run(RECOVERY);
    for (const client of this.#clients) client.write([setWish(`last-${client.connectionCount}`, 1)]);
    await cluster.run(RECOVERY);
    this.#check();
  }

  #check(): void {
    const home = this.#cluster.home(PATH);
    if (home === undefined) throw new Violation("there is no home in the end");
    for (const client of this.#clients) {
      if (client.violation !== undefined) throw client.violation;
      if (!client.isConnected || client.at === undefined) throw new Violation("a client is not connected in the end");
      const isThere = client.at.version === home.copy.at.version && this.#record.leadsTo(client.at, home.copy.at);
      if (!isThere) throw new Violation("a client is not where the home is in the end");
      const { changes, merged, snapshots, recovered, refused } = client.counts;
      Object.assign(this.counts, {
        changes: this.counts.changes + changes,
        merged: this.counts.merged + merged,
        snapshots: this.counts.snapshots + snapshots,
        recovered: this.counts.recovered + recovered,
        refused: this.counts.refused + refused,
        acknowledged: this.counts.acknowledged + client.acknowledged.length,
      });
    }
    if (!this.#history.isGentle && this.#history.durability.type !== "each") return;
    for (const { at, by } of this.#clients.flatMap(({ acknowledged }) => acknowledged)) {
      if (!this.#record.leadsTo(at, home.copy.at))
        throw new Violation(`${by} heard of success at ${at.version}, and it is lost`);
    }
  }

  async #step(step: Step): Promise<void> {
    const cluster = this.#cluster;
    switch (step.type) {
      case "write":
        return this.#client(step.client).write(step.wishes);
      case "guess": {
        const client = this.#client(step.client);
        const at = client.at === undefined ? ORIGIN : { ...client.at, version: client.versionOf(step.name) };
        return client.write([setWish(step.name, step.value, step.isRight ? at : ORIGIN)]);
      }
      case "wait":
        return cluster.run(step.millis);
      case "pace":
        this.#client(step.client).pace = step.millis;
        return;
      case "reconnect": {
        const node = cluster.find(this.#name(step.node));
        if (node !== undefined && !node.clock.isPaused) this.#client(step.client).connect(node);
        return;
      }
      case "move":
        void cluster.home(PATH)?.moveTo(this.#name(step.node));
        return;
      default:
        return this.#fault(step);
    }
  }

  /** In a gentle history faults are far apart, and never two at once. */
  async #fault(step: Step & { readonly type: "kill" | "pause" | "cut" | "cut-off" }): Promise<void> {
    const cluster = this.#cluster;
    const { isGentle } = this.#history;
    if (step.type === "cut") return isGentle || step.a === step.b ? undefined : this.#cut(step);
    for (const client of this.#clients) client.write(step.lead.wishes);
    await cluster.run(step.lead.millis);
    const name = step.node === "home" ? (cluster.homeNode(PATH) ?? "n0") : this.#name(step.node);
    const node = cluster.find(name);
    if (step.type === "kill") await this.#kill(name, isGentle ? RECOVERY : step.restartAfter);
    else if (step.type === "pause") {
      node?.clock.pause();
      this.#later(step.millis, () => node?.clock.resume());
      if (isGentle) await cluster.run(step.millis);
    } else if (!isGentle) {
      cluster.directory.cutOff.add(name);
      this.#later(step.millis, () => cluster.directory.heal(name));
    }
    if (isGentle) await cluster.run(2 * RECOVERY);
  }

  #cut({ a, b, mode, millis }: Step & { readonly type: "cut" }): void {
    const { network } = this.#cluster;
    network.cut(this.#name(a), this.#name(b), mode);
    this.#later(millis, () => network.heal(this.#name(a), this.#name(b)));
  }

  async #kill(name: string, restartAfter: number): Promise<void> {
    const cluster = this.#cluster;
    if (cluster.find(name) === undefined || (cluster.nodes.length === 1 && this.#history.isGentle)) return;
    const orphans = this.#clients.filter(({ node }) => node?.name === name);
    cluster.kill(name);
    for (const client of orphans) client.disconnect(true);
    this.#later(restartAfter, () => {
      cluster.start(name);
    });
    await cluster.run(1);
    for (const client of orphans) this.#revive(client);
  }

  /** On the first node that answers, unless it is connected. */
  #revive(client: ModelClient): void {
    const node = this.#cluster.nodes.find(({ clock }) => !clock.isPaused);
    if (!client.isConnected && node !== undefined) client.connect(node);
  }

  #later(millis: number, action: () => void): void {
    this.#cluster.clock.after(millis as Millis, action);
  }

  #client(index: number): ModelClient {
    return this.#clients[index % this.#clients.length] as ModelClient;
  }

  #name(index: number): string {
    return `n${index % this.#history.nodes}`;
  }
}
