/** Wall-clock time that never goes back and does not jump, so that setting the clock does not affect expiry. */
import type { Millis } from "@sluice/base/brand";
import type { Clock } from "@sluice/base/clock";

/** Share of the passing time by which a difference from the wall clock is corrected. */
const SLEW = 0.1;

export class MonotonicWallClock {
  readonly #clock: Clock;
  #lastNow: Millis;
  #wall: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#lastNow = clock.now();
    this.#wall = clock.wall();
  }

  /** Whole milliseconds since 1970. */
  read(): Millis {
    const now = this.#clock.now();
    const passed = Math.max(0, now - this.#lastNow);
    this.#lastNow = now;
    const difference = this.#clock.wall() - (this.#wall + passed);
    const correction = Math.max(-SLEW * passed, Math.min(SLEW * passed, difference));
    this.#wall += passed + correction;
    return Math.floor(this.#wall) as Millis;
  }

  /** From now on it says at least `time`, and goes on from there: the time of the log must pass, however far its last leader was ahead. */
  follow(time: Millis): void {
    if (this.#wall < time && this.read() < time) this.#wall = time;
  }
}
