/** Waits between retries: growing by a factor, capped, with jitter. */
import type { Millis } from "./brand.ts";

export interface BackoffOptions {
  readonly first: Millis;
  readonly cap: Millis;
  /** Growth per failure, above 1. */
  readonly factor: number;
  /** 0 to 1, from the caller, so that a seed repeats a run. */
  readonly random: () => number;
}

export class Backoff {
  readonly #options: BackoffOptions;
  #failures = 0;

  constructor(options: BackoffOptions) {
    this.#options = options;
  }

  /** The wait after one more failure: between half of the full wait and the full wait. */
  next(): Millis {
    const { first, cap, factor, random } = this.#options;
    const full = Math.min(cap, first * factor ** this.#failures);
    this.#failures++;
    return (full / 2 + (full / 2) * random()) as Millis;
  }

  /** Call on success. */
  reset(): void {
    this.#failures = 0;
  }
}
