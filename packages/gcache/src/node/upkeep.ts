/** A leader's own proposals: the generation of the data, expiries, and the number of voters. */
import type { Millis } from "@sluice/base/brand";
import type { Clock, Timer } from "@sluice/base/clock";
import type { CacheState } from "@sluice/cache/state/cache-state";
import type { Operation } from "@sluice/cache/state/operation";
import { encodeOperation } from "@sluice/cache/state/operation-codec";
import type { ClusterGrowth } from "./cluster-growth.ts";
import type { LeaderClient } from "./leader-client.ts";
import type { MonotonicWallClock } from "./monotonic-wall-clock.ts";
import type { NodeMetrics } from "./node-metrics.ts";
import type { ReplicaDriver } from "./replica-driver.ts";

const EVERY = 100 as Millis;
/** Rounds in one go; the next go is a tenth of a second later. */
const MOST_ROUNDS = 8;

export interface UpkeepOptions {
  readonly driver: Pick<ReplicaDriver<unknown>, "status">;
  readonly state: CacheState;
  readonly leaderClient: LeaderClient;
  readonly growth: ClusterGrowth;
  readonly metrics: NodeMetrics;
  readonly wall: MonotonicWallClock;
  readonly clock: Clock;
}

export class Upkeep implements Disposable {
  readonly #options: UpkeepOptions;
  #timer: Timer;
  #isEndingDue = false;

  constructor(options: UpkeepOptions) {
    this.#options = options;
    this.#timer = this.#later();
  }

  [Symbol.dispose](): void {
    this.#timer.cancel();
  }

  #later(): Timer {
    return this.#options.clock.after(EVERY, () => {
      this.#timer = this.#later();
      this.#look();
    });
  }

  #look(): void {
    const { driver, metrics, state, growth, wall } = this.#options;
    const status = driver.status();
    wall.follow(state.time);
    metrics.update(status, state);
    if (status.role !== "leader") return;
    void growth.goOn();
    void this.#endWhatIsDue();
  }

  /** The state repeats a proposal until it is applied, so each round waits for the previous one. */
  async #endWhatIsDue(): Promise<void> {
    if (this.#isEndingDue) return;
    this.#isEndingDue = true;
    const { leaderClient } = this.#options;
    try {
      for (let round = 0; round < MOST_ROUNDS; round++) {
        const operations = this.#due();
        if (operations.length === 0) return;
        const writes = operations.map((operation) => leaderClient.write(encodeOperation(operation)));
        const outcomes = await Promise.all(writes);
        if (outcomes.some((outcome) => outcome.type === "failed")) return;
      }
    } finally {
      this.#isEndingDue = false;
    }
  }

  #due(): readonly Operation[] {
    const { state, wall } = this.#options;
    const now = wall.read();
    return state.generation === 0 ? [{ type: "found", generation: now }] : state.takeUpkeep(now);
  }
}
