/** Gives clients what their objects have for them: once all that arrived was worked through, so that changes of one moment are one write. */
import type { Clock, Timer } from "@sluice/base/clock";

export interface Flushable {
  flush(): void;
}

export class FlushRound implements Disposable {
  readonly #clock: Clock;
  #waiting = new Set<Flushable>();
  #timer: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(client: Flushable): void {
    this.#waiting.add(client);
    this.#timer ??= this.#clock.afterPoll(() => {
      this.#timer = undefined;
      const round = this.#waiting;
      this.#waiting = new Set();
      for (const one of round) one.flush();
    });
  }

  [Symbol.dispose](): void {
    this.#timer?.cancel();
    this.#waiting.clear();
  }
}
