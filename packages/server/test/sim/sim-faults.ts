/** What goes wrong in a simulated cluster, and how it ends: several things at once, or one alone whose times are promised. */
import type { Millis } from "@sluice/base/brand";
import { randomBelow } from "@sluice/testkit/random";
import type { MembershipJudge } from "./membership-judge.ts";
import type { SimNode } from "./sim-node.ts";
import type { SimWorld } from "./sim-world.ts";

export type FaultName =
  | "short pause"
  | "long pause"
  | "partition"
  | "one-way cut"
  | "lost connections"
  | "delayed connections"
  | "kill"
  | "power cut"
  | "restart"
  | "wall clock"
  | "another node"
  | "short stall alone"
  | "leave alone"
  | "death alone"
  | "minority alone"
  | "lost disk alone";

type Calm = (what: "views" | "everything") => Promise<unknown>;

const TOGETHER: readonly FaultName[] = [
  "short pause",
  "long pause",
  "partition",
  "partition",
  "one-way cut",
  "one-way cut",
  "lost connections",
  "delayed connections",
  "kill",
  "kill",
  "power cut",
  "restart",
  "wall clock",
  "another node",
];
const ALONE: readonly FaultName[] = [
  "short stall alone",
  "leave alone",
  "death alone",
  "minority alone",
  "lost disk alone",
];
const NAMES = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"];
/** A clean leave is seen by all so soon after the goodbye. */
const LEFT_WITHIN = 1_000;
const DEAD_WITHIN = 10_000;

export class SimFaults {
  readonly counts = new Map<FaultName, number>();
  readonly #world: SimWorld;
  readonly #judge: MembershipJudge;
  readonly #random: () => number;
  #round = 0;

  constructor(world: SimWorld, judge: MembershipJudge) {
    this.#world = world;
    this.#judge = judge;
    this.#random = world.randomFor("faults");
  }

  /** @returns what went wrong; not all of it is over yet */
  async round(calm: Calm): Promise<readonly FaultName[]> {
    if (this.#random() < 0.35) {
      const name = this.#pick(ALONE);
      this.#count(name);
      await this.#alone(name, calm);
      return [name];
    }
    const names = Array.from({ length: 1 + this.#below(3) }, () => this.#pick(TOGETHER));
    for (const name of names) {
      this.#count(name);
      this.#later(this.#below(3_000), () => this.#together(name));
    }
    await this.#world.pass(3_000 + this.#below(22_000));
    return names;
  }

  /** Whatever is cut, stands still or is down comes back. */
  heal(): void {
    const world = this.#world;
    this.#round++;
    world.events.note("all", "is healed");
    world.network.heal();
    for (const id of [...world.nodes.keys()]) world.resume(id);
    for (const { id, isRetired } of world.places.values()) {
      if (!isRetired && !world.nodes.has(id)) world.start(id);
    }
    this.#judge.healed();
  }

  /** One more node, where there is room; it knows one or two that are there. */
  startAnother(): SimNode | undefined {
    const world = this.#world;
    const id = NAMES.find((name) => !world.places.has(name));
    if (id === undefined) return undefined;
    const there = [...world.places.values()].filter(({ isDialOnly, isRetired }) => !isDialOnly && !isRetired);
    const seeds = there.length === 0 ? [] : [this.#pick(there).id, this.#pick(there).id];
    const roles = there.length < 3 ? "origin,edge" : this.#pick(["origin,edge", "origin", "edge", "voter"]);
    world.place({
      id,
      roles,
      seeds: [...new Set(seeds)],
      isDialOnly: roles === "edge" && this.#random() < 0.5,
      rejoin: "auto",
    });
    return world.start(id);
  }

  /** For a while; `heal` ends what lasts longer than the round. */
  #together(name: FaultName): void {
    const world = this.#world;
    const ids = [...world.nodes.keys()];
    const id = ids.length === 0 ? undefined : this.#pick(ids);
    if (id === undefined) return;
    switch (name) {
      case "short pause":
        return this.#pause(id, 2_000);
      case "long pause":
        return this.#pause(id, 20_000);
      case "partition":
        return this.#partition(ids);
      case "one-way cut":
        return this.#cutOneWay(id, ids);
      case "lost connections":
        return this.#loseConnections(ids);
      case "delayed connections":
        return this.#delayConnections(ids);
      case "kill":
        return this.#kill([id]);
      case "power cut":
        return this.#kill(ids.filter(() => this.#random() < 0.7));
      case "restart":
        return this.#restart(id);
      case "wall clock":
        return world.jumpWall(id, (this.#random() < 0.5 ? -1 : 1) * this.#below(3_600_000));
      default:
        return void this.startAnother();
    }
  }

  async #alone(name: FaultName, calm: Calm): Promise<void> {
    const world = this.#world;
    const id = this.#pick([...world.nodes.keys()]);
    switch (name) {
      case "short stall alone":
        return this.#shortStall(id);
      case "leave alone":
        return this.#leave(id);
      case "death alone":
        return this.#die(id);
      case "minority alone":
        return this.#minority(id);
      default:
        return this.#loseDisk(id, calm);
    }
  }

  /** Nobody leaves; and nobody misses a node that only stood still. */
  async #shortStall(id: string): Promise<void> {
    const world = this.#world;
    const end = this.#cut(id);
    await world.pass(200 + this.#below(1_800));
    end();
    await world.pass(4_000);
  }

  /** @returns ends it */
  #cut(id: string): () => void {
    const world = this.#world;
    const others = world.network.names.filter((name) => name !== id);
    switch (this.#below(3)) {
      case 0:
        world.pause(id);
        return () => world.resume(id);
      case 1:
        world.network.partition([[id], others], this.#pick(["vanish", "hold", "close"] as const));
        break;
      default:
        for (const other of others) world.network.cut(other, id, "vanish");
    }
    world.events.note(id, "is cut off");
    const end = this.#judge.trouble("everybody");
    return () => {
      world.network.heal();
      end();
    };
  }

  async #leave(id: string): Promise<void> {
    const world = this.#world;
    this.#goodbye(id);
    void world.stop(id);
    await this.#gone(id, "left", LEFT_WITHIN);
    await world.until("its process to end", () => (world.nodes.has(id) ? `${id} is there` : undefined), 5_000);
  }

  #goodbye(id: string): void {
    const node = this.#world.nodes.get(id);
    if (node !== undefined) this.#judge.leaving(node);
  }

  async #die(id: string): Promise<void> {
    const isMajorityThere = this.#majorityWithout([id]);
    const end = this.#judge.trouble([id]);
    this.#world.kill(id);
    if (isMajorityThere) await this.#gone(id, "dead", DEAD_WITHIN);
    else await this.#world.pass(DEAD_WITHIN);
    end();
  }

  /** Those that are cut off from the majority miss all others, never bury them, and say that their view is old. */
  async #minority(id: string): Promise<void> {
    const world = this.#world;
    if (world.nodes.size < 3 || !this.#majorityWithout([id])) return;
    const others = [...world.nodes.keys()].filter((name) => name !== id);
    this.#judge.trouble("everybody");
    world.events.note(id, "is alone");
    world.network.partition([[id], others], "vanish");
    await world.until(
      "the minority to know that it is one",
      () => {
        const { membership } = (world.nodes.get(id) as SimNode).cluster;
        const wrong = others.find((other) => membership.find(other)?.standing !== "suspect");
        if (wrong !== undefined) return `${id} sees ${wrong} ${membership.find(wrong)?.standing}`;
        return membership.isStale ? undefined : `${id} does not say that its view is old`;
      },
      DEAD_WITHIN,
    );
    await this.#gone(id, "dead", DEAD_WITHIN);
  }

  /** Only where all others have everything: a majority may not forget. */
  async #loseDisk(id: string, calm: Calm): Promise<void> {
    const world = this.#world;
    await calm("everything");
    const voters = this.#voters();
    if (voters.length < 3 || !this.#majorityWithout([id])) return;
    this.#judge.trouble([id]);
    world.kill(id);
    await world.pass(this.#below(3_000));
    world.loseDisk(id);
    world.start(id);
    await calm("everything");
    await world.until(
      "it to have its place again",
      () => (!voters.includes(id) || this.#voters().includes(id) ? undefined : `${id} does not vote`),
      20_000,
    );
  }

  async #gone(id: string, standing: "left" | "dead", within: number): Promise<void> {
    const world = this.#world;
    await world.until(
      `all to see that ${id} is ${standing}`,
      () => {
        for (const node of world.nodes.values()) {
          const seen = node.cluster.membership.find(id)?.standing;
          if (node.id !== id && seen !== standing) return `${node.id} sees ${seen}`;
        }
        return undefined;
      },
      within,
    );
  }

  #pause(id: string, millis: number): void {
    const world = this.#world;
    const node = world.nodes.get(id);
    if (node?.isRunning !== true) return;
    const end = this.#judge.stall(id);
    world.pause(id);
    this.#later(millis, () => {
      if (world.nodes.get(id) === node) world.resume(id);
      end();
    });
  }

  #partition(ids: readonly string[]): void {
    const world = this.#world;
    const side = ids.filter(() => this.#random() < 0.4);
    const rest = ids.filter((id) => !side.includes(id));
    const mode = this.#pick(["vanish", "hold", "close"] as const);
    world.events.note(side.join(), `cannot reach ${rest.join()} (${mode})`);
    const end = this.#judge.trouble("everybody");
    world.network.partition([side, rest], mode);
    this.#later(300 + this.#below(20_000), () => {
      world.network.heal();
      world.events.note("all", "can reach each other");
      end();
    });
  }

  #cutOneWay(id: string, ids: readonly string[]): void {
    const world = this.#world;
    const deaf = ids.filter((other) => other !== id && this.#random() < 0.6);
    const mode = this.#pick(["vanish", "hold"] as const);
    const isInward = this.#random() < 0.5;
    world.events.note(id, `${isInward ? "does not hear" : "is not heard by"} ${deaf.join()} (${mode})`);
    const end = this.#judge.trouble("everybody");
    for (const other of deaf) world.network.cut(isInward ? other : id, isInward ? id : other, mode);
    this.#later(300 + this.#below(20_000), () => {
      for (const other of deaf) world.network.heal(isInward ? other : id, isInward ? id : other);
      world.events.note(id, "can be reached");
      end();
    });
  }

  #loseConnections(ids: readonly string[]): void {
    const { network, events } = this.#world;
    const end = this.#judge.trouble("everybody");
    for (let times = 1 + this.#below(10); times > 0; times--) {
      this.#later(this.#below(5_000), () => {
        const [one, other] = [this.#pick(ids), this.#pick(ids)];
        if (one === other) return;
        events.note(one, `loses its connections to ${other}`);
        network.cut(one, other, "close");
        network.heal(one, other);
      });
    }
    this.#later(5_000, end);
  }

  #delayConnections(ids: readonly string[]): void {
    const { network, events } = this.#world;
    const end = this.#judge.trouble("everybody");
    for (let times = 1 + this.#below(6); times > 0; times--) {
      const [one, other] = [this.#pick(ids), this.#pick(ids)];
      if (one === other) continue;
      events.note(one, `is heard late by ${other}`);
      network.cut(one, other, "hold");
      this.#later(100 + this.#below(3_500), () => network.heal(one, other));
    }
    this.#later(4_000, end);
  }

  #kill(ids: readonly string[]): void {
    for (const id of ids) {
      const end = this.#judge.trouble([id]);
      this.#world.kill(id);
      this.#later(this.#below(15_000), () => {
        end();
        if (!this.#world.nodes.has(id)) this.#world.start(id);
      });
    }
  }

  #restart(id: string): void {
    const world = this.#world;
    this.#goodbye(id);
    const end = this.#judge.trouble([id]);
    void world.stop(id).then(() => {
      end();
      if (!world.nodes.has(id)) world.start(id);
    });
  }

  #voters(): readonly string[] {
    for (const { cache } of this.#world.nodes.values()) {
      const status = cache?.status();
      if (status?.role === "leader") return status.members.filter(({ role }) => role === "voter").map(({ id }) => id);
    }
    return [];
  }

  #majorityWithout(ids: readonly string[]): boolean {
    const voters = this.#voters();
    return voters.filter((id) => !ids.includes(id)).length > voters.length / 2;
  }

  /** Unless all is healed before. */
  #later(millis: number, action: () => void): void {
    const round = this.#round;
    this.#world.clock.after(millis as Millis, () => {
      if (round === this.#round) action();
    });
  }

  #count(name: FaultName): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
  }

  #pick<T>(from: readonly T[]): T {
    return from[this.#below(from.length)] as T;
  }

  #below(end: number): number {
    return randomBelow(this.#random, end);
  }
}
