/** Lets the `auto` delivery window follow how busy this process is. */
import type { Millis } from "@sluice/base/brand";
import type { Clock, Timer } from "@sluice/base/clock";
import { AutoWindow } from "@sluice/media/delivery-window";
import { LoopLoad } from "../metrics/process-load.ts";

/** Short enough to follow a crowd that arrives, long enough to average over many turns of the loop. */
const SAMPLE = 250 as Millis;

export class LoadWindow implements Disposable {
  /** What streams read. */
  readonly window = new AutoWindow();
  readonly #clock: Clock;
  readonly #load = new LoopLoad();
  #timer: Timer;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#timer = this.#arm();
  }

  [Symbol.dispose](): void {
    this.#timer.cancel();
  }

  #arm(): Timer {
    return this.#clock.after(SAMPLE, () => {
      this.#timer = this.#arm();
      this.window.sample(this.#load.sample());
    });
  }
}
