/** What the meter hands out: plain numbers on the hot path, given to prom-client only when a page is due. */
import type { Counter, Gauge } from "@sluice/base/meter";

export interface Instrument extends Counter, Gauge {
  /** Hands what came since the last time to prom-client. */
  flush(): void;
}

/** A count that only grows. Shows 0 from the start, so that Prometheus sees its first step as one. */
export class Tally implements Instrument {
  readonly #metric: { inc(by: number): void };
  #waiting = 0;

  constructor(metric: { inc(by: number): void }) {
    this.#metric = metric;
  }

  add(by = 1): void {
    if (by > 0) this.#waiting += by; // neither a negative number nor NaN may spoil the count
  }

  set(): void {}

  flush(): void {
    this.#metric.inc(this.#waiting);
    this.#waiting = 0;
  }
}

/** A number that goes up and down. */
export class Level implements Instrument {
  readonly #metric: { set(value: number): void };
  #value = 0;

  constructor(metric: { set(value: number): void }) {
    this.#metric = metric;
  }

  add(by = 1): void {
    this.#value += by;
  }

  set(value: number): void {
    this.#value = value;
  }

  flush(): void {
    this.#metric.set(this.#value);
  }
}
