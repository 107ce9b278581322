/** Random trouble for a whole simulated cluster, all from one seed, and what must hold all along and after each healing. */
import { randomBelow } from "@sluice/testkit/random";
import { MembershipJudge } from "./membership-judge.ts";
import { type FaultName, SimFaults } from "./sim-faults.ts";
import { SimTrials, type TrialName } from "./sim-trials.ts";
import { SimLoad } from "./sim-load.ts";
import type { SimNode } from "./sim-node.ts";
import { SimWorld } from "./sim-world.ts";

export interface TortureOptions {
  readonly seed: number;
  /** Of virtual time; the round that is under way then is finished. */
  readonly minutes: number;
  /** Most nodes; drawn from the seed where it is left out. */
  readonly nodes?: number;
  readonly print?: (line: string) => void;
  /** Told after each round. */
  readonly progress?: (line: string) => void;
}

export interface TortureResult {
  readonly digest: string;
  readonly events: number;
  readonly rounds: number;
  readonly faults: ReadonlyMap<FaultName | TrialName, number>;
  readonly counts: SimLoad["counts"];
  readonly virtualMillis: number;
}

/** It broke a promise; the message ends with the line that does it again. */
export class TortureError extends Error {
  /** Of the event log. */
  readonly last: readonly string[];
  constructor(cause: Error, { seed, minutes, nodes }: TortureOptions, last: readonly string[]) {
    const count = nodes === undefined ? "" : ` --nodes ${nodes}`;
    super(`${cause.message}\nagain: npm run torture -- --seed ${seed} --minutes ${minutes}${count}`, { cause });
    this.last = last;
  }
}

/** Views are equal so soon after healing. */
const AGREE_WITHIN = 10_000;
/** Elections, learners that catch up, and leases that must run out first. */
const SETTLE_WITHIN = 30_000;
/** Rounds in which one thing happens alone. */
const TRIAL_SHARE = 0.35;

export class Torture {
  readonly world: SimWorld;
  readonly judge: MembershipJudge;
  readonly load: SimLoad;
  readonly faults: SimFaults;
  readonly trials: SimTrials;
  readonly #options: TortureOptions;

  constructor(options: TortureOptions) {
    this.#options = options;
    this.world = new SimWorld(options);
    this.judge = new MembershipJudge(this.world);
    this.load = new SimLoad(this.world);
    this.faults = new SimFaults(this.world, this.judge);
    this.trials = new SimTrials(this.world, this.judge, () => this.#calm("everything"));
  }

  /** @throws {TortureError} */
  async run(): Promise<TortureResult> {
    const { world, load } = this;
    const random = world.randomFor("rounds");
    const faults = new Map<FaultName | TrialName, number>();
    let rounds = 0;
    try {
      await this.#found();
      while (world.clock.now() < this.#options.minutes * 60_000) {
        load.nextRound();
        const isTrial = random() < TRIAL_SHARE;
        const names = isTrial ? [await this.trials.round()] : await this.faults.round();
        for (const name of names) faults.set(name, (faults.get(name) ?? 0) + 1);
        const took = await this.#heal();
        rounds++;
        this.#options.progress?.(
          `${Math.round(world.clock.now() / 1_000)} s: ${names.join(", ")}; ${world.nodes.size} nodes agreed after ${took} ms`,
        );
      }
    } catch (error) {
      throw new TortureError(error as Error, this.#options, world.events.last);
    }
    return {
      digest: world.events.digest(),
      events: world.events.count,
      rounds,
      faults,
      counts: load.counts,
      virtualMillis: world.clock.now(),
    };
  }

  async #found(): Promise<void> {
    const random = this.world.randomFor("nodes");
    const most = this.#options.nodes ?? [3, 3, 4, 5, 6, 8, 12][randomBelow(random, 7)] ?? 3;
    for (let count = 0; count < most; count++) {
      this.faults.startAnother();
      await this.world.pass(randomBelow(random, 1_500));
    }
    this.judge.healed();
    await this.#calm("views");
    await this.#calm("everything");
  }

  /** @returns how long the views took */
  async #heal(): Promise<number> {
    const { load } = this;
    this.faults.heal();
    const took = await this.#calm("views");
    await this.#calm("everything");
    await load.readAll();
    load.checkHistory();
    return took;
  }

  /** Waits until all is well. */
  async #calm(what: "views" | "everything"): Promise<number> {
    const { world } = this;
    if (what === "views") return world.until("equal views", () => this.#differingView(), AGREE_WITHIN);
    return world.until("everything to be well", () => this.#unwell(), SETTLE_WITHIN);
  }

  #differingView(): string | undefined {
    const { nodes, places } = this.world;
    for (const observer of nodes.values()) {
      const { membership } = observer.cluster;
      if (membership.isStale) return `${observer.id} has a stale view`;
      for (const place of places.values()) {
        const row = membership.find(place.id);
        const node = nodes.get(place.id);
        const wanted = node === undefined ? "gone" : `${node.state.now} ${node.incarnation}`;
        const seen =
          row === undefined || row.standing === "left" || row.standing === "dead"
            ? "gone"
            : `${row.standing} ${row.record.incarnation}`;
        if (seen !== wanted) return `${observer.id} sees ${place.id} ${seen}, which is ${wanted}`;
        const isBetweenDialOnly = place.isDialOnly && observer.options.isDialOnly;
        const isLinked = row?.isLinked === true || place.id === observer.id || isBetweenDialOnly;
        if (node !== undefined && !isLinked) return `${observer.id} has no link to ${place.id}`;
      }
    }
    return undefined;
  }

  #unwell(): string | undefined {
    const running = [...this.world.nodes.values()];
    const waiting = running.find((node) => node.reached === undefined || node.state.now !== "ready");
    if (waiting !== undefined) return `${waiting.id} is ${waiting.state.now}: ${waiting.state.heldBy.join()}`;
    return (
      this.#differingView() ??
      this.judge.untold() ??
      this.#unwellEngine(running) ??
      this.#unlikeWatch(running) ??
      this.load.unsettledClaim()
    );
  }

  #unwellEngine(running: readonly SimNode[]): string | undefined {
    const statuses = running.flatMap(({ cache }) => (cache === undefined ? [] : [cache.status()]));
    const leader = statuses.find(({ role }) => role === "leader");
    if (leader === undefined) return "nobody leads";
    if (!leader.isMemberListCommitted) return "the list of members is not committed";
    const voters = leader.members.filter(({ role }) => role === "voter").length;
    const origins = running.filter(({ options: { roles } }) => roles !== "edge").length;
    const wanted = origins >= 5 ? 5 : running.length >= 3 ? 3 : 1;
    if (voters < wanted) return `${voters} vote of ${wanted}`;
    const lagging = statuses.find(
      (one) => leader.members.some(({ id }) => id === one.self) && one.leader !== leader.self && one !== leader,
    );
    return lagging && `${lagging.self} does not follow ${leader.self}`;
  }

  /** Registers that are written no more are the same in every watch. */
  #unlikeWatch(running: readonly SimNode[]): string | undefined {
    let shown: string | undefined;
    for (const { id } of running) {
      const view = this.load.restingRegisters(id);
      if (view === undefined) return `${id} has a stale watch`;
      shown ??= view;
      if (view !== shown) return `${id} sees ${view} instead of ${shown}`;
    }
    return undefined;
  }
}
