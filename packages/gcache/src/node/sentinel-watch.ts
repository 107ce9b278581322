/** Polls the cluster like a Sentinel, and publishes changes. */
import type { Millis } from "@sluice/base/brand";
import type { Clock, Timer } from "@sluice/base/clock";
import type { ClusterView } from "@sluice/cache/resp/command-backend";
import { type SentinelEvent, SentinelEvents } from "@sluice/cache/resp/sentinel-events";

/** The interval of a Redis Sentinel: silence has no event of its own. */
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

  /** Polls at once, after an event that subscribers wait for. */
  look(): void {
    for (const event of this.#events.next(this.#options.cluster)) this.#options.publish(event);
  }

  close(): void {
    this.#timer.cancel();
  }

  /** Handles input that arrived during a pause of this process before judging silence. */
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
