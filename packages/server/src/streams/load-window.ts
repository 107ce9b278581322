/** Lets the `auto` delivery window follow how busy this process is. */
import type { Millis } from "@sluice/base/brand";
import type { Clock } from "@sluice/base/clock";
import { AutoWindow, type DeliveryWindow } from "@sluice/media/delivery-window";
import { LoopLoad } from "@sluice/runtime/metrics/process-load";

/** Short enough to follow a crowd that arrives, long enough to average over many turns of the loop. */
const SAMPLE = 250 as Millis;

/** Looks at the load when it is read, where a sample is due: a timer of its own would wake an idle loop for nothing. */
export class LoadWindow implements DeliveryWindow {
  readonly #auto = new AutoWindow();
  readonly #clock: Clock;
  readonly #load: { sample(): number };
  #sampledAt: Millis;

  constructor(clock: Clock, load: { sample(): number } = new LoopLoad()) {
    this.#clock = clock;
    this.#load = load;
    this.#sampledAt = clock.now();
  }

  get prompt(): Millis {
    this.#look();
    return this.#auto.prompt;
  }

  get patient(): Millis {
    this.#look();
    return this.#auto.patient;
  }

  #look(): void {
    const now = this.#clock.now();
    const due = Math.floor((now - this.#sampledAt) / SAMPLE);
    if (due === 0) return;
    this.#sampledAt = now;
    this.#auto.sample(this.#load.sample(), due);
  }
}
