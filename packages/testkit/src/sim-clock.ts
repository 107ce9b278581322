/** One simulated node's own clock: it may start elsewhere, run fast or slow, jump, stand still while the node is stopped, and die with it. */
import type { Millis } from "@sluice/base/brand";
import type { Clock, Timer } from "@sluice/base/clock";
import type { FakeClock } from "./fake-clock.ts";
import { sleepByTimer } from "./timer-sleep.ts";

export interface SimClockOptions {
  /** What `now()` says when the world's clock says 0: processes start at different moments. */
  readonly offset?: number;
  /** The node's milliseconds in one of the world's; 1.01 runs one percent fast. */
  readonly rate?: number;
  /** How far `wall()` is from the world's wall clock. */
  readonly wallOffset?: number;
}

/**
 * A view of the world's clock. `pause` is SIGSTOP: time goes on, but nothing of the node runs; what fell due is run at
 * `resume`, late and in order. `stop` is the death of the process: nothing of it ever runs again.
 */
export class SimClock implements Clock {
  readonly #world: FakeClock;
  readonly #timers = new Set<Timer>();
  /** What fell due during a pause. */
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

  /** Whole, as systems give it. It does not share the error of the monotonic one: it is set from outside. */
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

  /** Runs what comes to the node from outside: at once, after the pause, or never. */
  run(action: () => void): void {
    if (this.#state === "running") action();
    else if (this.#state === "paused") this.#withheld.push(action);
  }

  pause(): void {
    if (this.#state === "running") this.#state = "paused";
  }

  /** Everything that was withheld runs now; it may pause the node again, and the rest then waits. */
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

  /** From now on the clock runs at this rate, without a jump. Timers that were set before keep the world's moment. */
  setRate(rate: number): void {
    this.#localBase = this.now();
    this.#worldBase = this.#world.now();
    this.#rate = rate;
  }

  /** Somebody, or NTP, set the wall clock. The monotonic clock does not notice. */
  jumpWall(millis: number): void {
    this.#wallOffset += millis;
  }
}
