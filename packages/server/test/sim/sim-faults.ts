/** What goes wrong in a simulated cluster, several things at once, and how all of it is healed. */
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
  | "another node";

const ALL: readonly FaultName[] = [
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
const NAMES = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"];
export class SimFaults {
  readonly #world: SimWorld;
  readonly #judge: MembershipJudge;
  readonly #random: () => number;
  #round = 0;

  constructor(world: SimWorld, judge: MembershipJudge) {
    this.#world = world;
    this.#judge = judge;
    this.#random = world.randomFor("faults");
  }

  /** @returns what goes wrong in this round; not all of it is over yet */
  async round(): Promise<readonly FaultName[]> {
    const names = Array.from({ length: 1 + this.#below(3) }, () => this.#pick(ALL));
    for (const name of names) this.#later(this.#below(3_000), () => this.#begin(name));
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
      rejoin: this.#random() < 0.5 ? "auto" : "ask",
    });
    return world.start(id);
  }

  /** For a while; `heal` ends what lasts longer than the round. */
  #begin(name: FaultName): void {
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
    this.#judge.leaving(id);
    const end = this.#judge.trouble([id]);
    void world.stop(id).then(() => {
      end();
      if (!world.nodes.has(id)) world.start(id);
    });
  }

  /** Unless all is healed before. */
  #later(millis: number, action: () => void): void {
    const round = this.#round;
    this.#world.clock.after(millis as Millis, () => {
      if (round === this.#round) action();
    });
  }

  #pick<T>(from: readonly T[]): T {
    return from[this.#below(from.length)] as T;
  }

  #below(end: number): number {
    return randomBelow(this.#random, end);
  }
}
