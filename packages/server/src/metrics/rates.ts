/** How much came per second over the last few seconds, for bitrates and frame rates. */
import type { Millis } from "@sluice/base/brand";

const SECOND = 1000;

/**
 * Sums in buckets of one second. An update costs one comparison and one addition while the second lasts;
 * asking costs one pass over the buckets.
 */
export class SlidingRate {
  readonly #buckets: Float64Array;
  /** The second (since the clock began) that the newest bucket counts. */
  #second = 0;
  #startedAt: Millis | undefined;
  #total = 0;

  /** @param windowSeconds  how far back it looks, at least 1; long enough to smooth key frames, short enough to show a stall */
  constructor(windowSeconds = 5) {
    this.#buckets = new Float64Array(windowSeconds);
  }

  /** Everything ever added. */
  get total(): number {
    return this.#total;
  }

  /** @param now  monotonic; must not go back */
  add(amount: number, now: Millis): void {
    this.#startedAt ??= now;
    this.#advance(now);
    const slot = this.#second % this.#buckets.length;
    this.#buckets[slot] = (this.#buckets[slot] as number) + amount;
    this.#total += amount;
  }

  /** Over the window's whole seconds and the part of the present one; during the first second as if it were over. */
  perSecond(now: Millis): number {
    if (this.#startedAt === undefined) return 0;
    this.#advance(now);
    const windowStart = (this.#second - this.#buckets.length + 1) * SECOND;
    const span = Math.max(now - Math.max(windowStart, this.#startedAt), SECOND);
    let sum = 0;
    for (const amount of this.#buckets) sum += amount;
    return (sum * SECOND) / span;
  }

  #advance(now: Millis): void {
    const second = Math.floor(now / SECOND);
    if (second === this.#second) return;
    const passed = Math.min(second - this.#second, this.#buckets.length);
    for (let i = 1; i <= passed; i++) this.#buckets[(second - passed + i) % this.#buckets.length] = 0;
    this.#second = Math.max(second, this.#second);
  }
}
