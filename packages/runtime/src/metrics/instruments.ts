/** Instruments of the meter: plain numbers on the hot path, passed to prom-client only when a page is requested. */
import type { Counter, Gauge } from "@sluice/base/meter";

export interface Instrument extends Counter, Gauge {
  /** Passes what was counted since the last flush to prom-client. */
  flush(): void;
}

/** A count that only grows. Shows 0 from the start, so that Prometheus sees the first increment. */
export class Tally implements Instrument {
  readonly #metric: { inc(by: number): void };
  #waiting = 0;

  constructor(metric: { inc(by: number): void }) {
    this.#metric = metric;
  }

  add(by = 1): void {
    if (by > 0) this.#waiting += by; // ignores negative numbers and NaN
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
