/** Looks at the cluster as Sentinels do, again and again, and publishes what has changed. */
import type { Millis } from "@sluice/base/brand";
import type { Clock, Timer } from "@sluice/base/clock";
import type { ClusterView } from "@sluice/cache/resp/command-backend";
import { type SentinelEvent, SentinelEvents } from "@sluice/cache/resp/sentinel-events";

/** As long as a Sentinel of Redis takes: silence comes without an event of its own. */
const EVERY = 100 as Millis;

export interface SentinelWatchOptions {
  readonly cluster: ClusterView;
  readonly clock: Clock;
  readonly publish: (event: SentinelEvent) => void;
}

export class SentinelWatch {
  readonly #options: SentinelWatchOptions;
  readonly #events = new SentinelEvents();
  #timer: Timer;

  constructor(options: SentinelWatchOptions) {
    this.#options = options;
    this.#timer = this.#later();
  }

  /** At once, after something that subscribers wait for. */
  look(): void {
    for (const event of this.#events.next(this.#options.cluster)) this.#options.publish(event);
  }

  close(): void {
    this.#timer.cancel();
  }

  /** What arrived during a pause of this process is heard before silence is judged. */
  #later(): Timer {
    const { clock } = this.#options;
    return clock.after(EVERY, () => {
      this.#timer = clock.afterPoll(() => {
        this.#timer = this.#later();
        this.look();
      });
    });
  }
}
