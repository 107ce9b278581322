/** What happens to one node of a simulated cluster while nothing else is wrong: then the times that are promised must hold. */
import type { Millis } from "@sluice/base/brand";
import type { MemberList } from "@sluice/cache/replica/members";
import { randomBelow } from "@sluice/testkit/random";
import type { MembershipJudge } from "./membership-judge.ts";
import type { SimNode } from "./sim-node.ts";
import type { SimWorld } from "./sim-world.ts";

const TRIALS = ["short stall", "goodbye", "death", "minority", "lost disk", "retirement"] as const;
export type TrialName = (typeof TRIALS)[number];

/** Waits until all is well. */
type Calm = () => Promise<unknown>;

/** A clean leave is seen by all so soon. */
const LEFT_WITHIN = 1_000;
const DEAD_WITHIN = 10_000;
/** Members are changed one by one, and learners catch up. */
const CHANGED_WITHIN = 20_000;

export class SimTrials {
  readonly #world: SimWorld;
  readonly #judge: MembershipJudge;
  readonly #calm: Calm;
  readonly #random: () => number;

  constructor(world: SimWorld, judge: MembershipJudge, calm: Calm) {
    this.#world = world;
    this.#judge = judge;
    this.#calm = calm;
    this.#random = world.randomFor("trials");
  }

  /** @returns what it was; a healing is due afterwards */
  async round(): Promise<TrialName> {
    const name = this.#pick(TRIALS);
    const id = this.#pick([...this.#world.nodes.keys()]);
    switch (name) {
      case "short stall":
        await this.#shortStall(id);
        break;
      case "goodbye":
        await this.#leave(id);
        break;
      case "death":
        await this.#die(id);
        break;
      case "minority":
        await this.#minority(id);
        break;
      case "lost disk":
        await this.#loseDisk(id);
        break;
      case "retirement":
        await this.#retire(id);
    }
    return name;
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
    this.#judge.leaving(id);
    void world.stop(id);
    await this.#gone(id, "left", LEFT_WITHIN);
    await world.until("its process to end", () => (world.nodes.has(id) ? `${id} is there` : undefined), 5_000);
  }

  async #die(id: string): Promise<void> {
    const isMajorityThere = this.#hasMajority(id);
    const end = this.#judge.trouble([id]);
    this.#world.kill(id);
    if (isMajorityThere) await this.#gone(id, "dead", DEAD_WITHIN);
    else await this.#world.pass(DEAD_WITHIN);
    end();
  }

  /** Those that are cut off from the majority miss all others, never bury them, and say that their view is old. */
  async #minority(id: string): Promise<void> {
    const world = this.#world;
    if (world.nodes.size < 3 || !this.#hasMajority(id)) return;
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

  /** Only where all others have everything: a majority may not forget. Whoever votes in its place afterwards, it is taken back. */
  async #loseDisk(id: string): Promise<void> {
    const world = this.#world;
    await this.#calm();
    if (!this.#hasMajority(id)) return;
    const isMember = this.#members.some((member) => member.id === id);
    this.#judge.trouble([id]);
    world.kill(id);
    await world.pass(this.#below(3_000));
    world.loseDisk(id);
    const node = world.start(id);
    if (isMember && world.placeOf(id).rejoin === "ask") {
      await world.until(
        "it to say that an operator is needed",
        () => (node.state.heldBy.some((reason) => reason.includes("replace")) ? undefined : "it does not"),
        CHANGED_WITHIN,
      );
      await this.#order("replace", id);
    }
    await this.#calm();
  }

  /** It leaves for good, and an operator takes its vote away. Nodes that others were given as seeds stay. */
  async #retire(id: string): Promise<void> {
    const world = this.#world;
    await this.#calm();
    const isSeed = [...world.places.values()].some(({ seeds }) => seeds.includes(id));
    const isMember = this.#members.some((member) => member.id === id);
    if (isSeed || world.nodes.size < 4 || !this.#hasMajority(id)) return;
    await this.#leave(id);
    world.placeOf(id).isRetired = true;
    if (isMember) await this.#order("remove", id);
  }

  /** Asked of any other node that is a member, until it is done: the reason to refuse it may pass. */
  async #order(type: "remove" | "replace", id: string): Promise<void> {
    const world = this.#world;
    const asked = this.#pick([...world.nodes.values()].filter((node) => node.id !== id && node.members !== undefined));
    world.events.note(asked.id, `is told to ${type} ${id}`);
    let answer: string | undefined = "nothing yet";
    const ask = (): void => {
      const answered = (reason: string): void => {
        answer = reason === "" ? undefined : reason;
        if (answer !== undefined) world.clock.after(500 as Millis, () => asked.clock.run(ask));
      };
      asked.changeMember({ type, id }).then(answered, (error: Error) => answered(error.message));
    };
    asked.clock.run(ask);
    await world.until(`${asked.id} to ${type} ${id}`, () => answer, CHANGED_WITHIN);
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

  get #members(): MemberList {
    for (const { cache } of this.#world.nodes.values()) {
      const status = cache?.status();
      if (status?.role === "leader") return status.members;
    }
    return [];
  }

  /** Without that one. */
  #hasMajority(id: string): boolean {
    const voters = this.#members.filter(({ role }) => role === "voter");
    return voters.filter((voter) => voter.id !== id).length > voters.length / 2;
  }

  #pick<T>(from: readonly T[]): T {
    return from[this.#below(from.length)] as T;
  }

  #below(end: number): number {
    return randomBelow(this.#random, end);
  }
}
