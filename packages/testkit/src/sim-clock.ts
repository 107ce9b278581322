/** The clock of one simulated node: own offset and rate, jumps of wall time, pauses, and the end of the process. */
import type { Millis } from "@sluice/base/brand";
import type { Clock, Timer } from "@sluice/base/clock";
import type { FakeClock } from "./fake-clock.ts";
import { sleepByTimer } from "./timer-sleep.ts";

export interface SimClockOptions {
  /** Value of `now()` at the world's time 0: processes start at different moments. */
  readonly offset?: number;
  /** The node's milliseconds per millisecond of the world; 1.01 is one percent fast. */
  readonly rate?: number;
  /** Difference of `wall()` from the world's wall clock. */
  readonly wallOffset?: number;
}

/**
 * A view of the world's clock. `pause` models SIGSTOP: time goes on, but the node does not run; due timers run at
 * `resume`, late and in order. `stop` models the end of the process: nothing of it runs again.
 */
export class SimClock implements Clock {
  readonly #world: FakeClock;
  readonly #timers = new Set<Timer>();
  /** Actions that became due during a pause. */
  readonly #withheld: (() => void)[] = [];
  #worldBase: number;
  #localBase: number;
  #rate: number;
  #wallOffset: number;
  #state: "running" | "paused" | "stopped" = "running";

  constructor(world: FakeClock, options: SimClockOptions = {}) {
    this.#world = world;
    this.#worldBase = world.now();
    this.#localBase = world.now() + (options.offset ?? 0);
    this.#rate = options.rate ?? 1;
    this.#wallOffset = options.wallOffset ?? 0;
  }

  get isPaused(): boolean {
    return this.#state === "paused";
  }

  get isStopped(): boolean {
    return this.#state === "stopped";
  }

  now(): Millis {
    return (this.#localBase + (this.#world.now() - this.#worldBase) * this.#rate) as Millis;
  }

  /** Whole milliseconds, as systems report it. Has its own error, independent of the monotonic clock. */
  wall(): Millis {
    return Math.floor(this.#world.wall() + this.#wallOffset) as Millis;
  }

  after(delay: Millis, action: () => void): Timer {
    let isCancelled = false;
    const fire = (): void => {
      this.#timers.delete(handle);
      this.run(() => {
        if (!isCancelled) action();
      });
    };
    const timer = this.#world.after((Math.max(0, delay) / this.#rate) as Millis, fire);
    const handle: Timer = {
      cancel: () => {
        isCancelled = true;
        timer.cancel();
        this.#timers.delete(handle);
      },
    };
    this.#timers.add(handle);
    if (this.#state === "stopped") handle.cancel();
    return handle;
  }

  afterPoll(action: () => void): Timer {
    return this.after(0 as Millis, action);
  }

  sleep(delay: Millis, signal: AbortSignal): Promise<void> {
    return sleepByTimer(this, delay, signal);
  }

  /** Runs an action from outside the node: at once, after the pause, or never. */
  run(action: () => void): void {
    if (this.#state === "running") action();
    else if (this.#state === "paused") this.#withheld.push(action);
  }

  pause(): void {
    if (this.#state === "running") this.#state = "paused";
  }

  /** Runs all withheld actions; one of them may pause the node again, and the rest then waits. */
  resume(): void {
    if (this.#state !== "paused") return;
    this.#state = "running";
    while (this.#state === "running") {
      const action = this.#withheld.shift();
      if (action === undefined) return;
      action();
    }
  }

  stop(): void {
    this.#state = "stopped";
    this.#withheld.length = 0;
    for (const timer of this.#timers) timer.cancel();
  }

  /** Changes the rate from now on, without a jump. Existing timers keep their moment in the world. */
  setRate(rate: number): void {
    this.#localBase = this.now();
    this.#worldBase = this.#world.now();
    this.#rate = rate;
  }

  /** Sets the wall clock, like NTP or an operator. The monotonic clock does not change. */
  jumpWall(millis: number): void {
    this.#wallOffset += millis;
  }
}
