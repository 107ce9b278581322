/** Input of those who send much and publish nothing: worked through in slices, by a share of the loop that leaves others theirs. */
import type { Millis } from "@sluice/base/brand";
import type { Clock, Timer } from "@sluice/base/clock";

/** What one connection has worked through at a time; more than any opening dialogue is. */
export const SLICE_BYTES = 4 * 1024;

/** Slices of one turn take about this long, of whomever they are. */
const TURN = 4 as Millis;

/** Between two turns is this many times as long as the one before took. */
const REST_SHARE = 4;

export class InputTurns implements Disposable {
  readonly #clock: Clock;
  readonly #waiting: (() => void)[] = [];
  #timer: Timer | undefined;
  #restUntil = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @param work  one slice, once, behind those that wait already */
  add(work: () => void): void {
    this.#waiting.push(work);
    this.#arm();
  }

  [Symbol.dispose](): void {
    this.#timer?.cancel();
    this.#waiting.length = 0;
  }

  #arm(): void {
    if (this.#timer !== undefined || this.#waiting.length === 0) return;
    const rest = this.#restUntil - this.#clock.now();
    const run = (): void => this.#run();
    this.#timer = rest > 0 ? this.#clock.after(rest as Millis, run) : this.#clock.afterPoll(run);
  }

  #run(): void {
    const began = this.#clock.now();
    let now = began;
    for (let work = this.#waiting.shift(); work !== undefined; work = this.#waiting.shift()) {
      work();
      now = this.#clock.now();
      if (now - began >= TURN) break;
    }
    this.#timer = undefined;
    this.#restUntil = now + (now - began) * REST_SHARE;
    this.#arm();
  }
}

/** What one connection has sent and nobody has looked at, cut into slices. */
export class InputSlices {
  readonly #arrivals: Uint8Array[] = [];
  readonly #discard: (bytes: Uint8Array) => void;
  #at = 0;

  /** @param discard  gets each arrival once all of it was taken */
  constructor(discard: (bytes: Uint8Array) => void) {
    this.#discard = discard;
  }

  get isEmpty(): boolean {
    return this.#arrivals.length === 0;
  }

  add(bytes: Uint8Array): void {
    if (bytes.length > 0) this.#arrivals.push(bytes);
  }

  /** Calls back with the next slice, which is gone afterwards. */
  take(work: (slice: Uint8Array) => void): void {
    const arrival = this.#arrivals[0];
    if (arrival === undefined) return;
    const slice = arrival.subarray(this.#at, this.#at + SLICE_BYTES);
    this.#at += slice.length;
    const isLast = this.#at >= arrival.length;
    if (isLast) {
      this.#arrivals.shift();
      this.#at = 0;
    }
    work(slice);
    if (isLast) this.#discard(arrival);
  }

  clear(): void {
    this.#arrivals.length = 0;
    this.#at = 0;
  }
}
