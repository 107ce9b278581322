/** Input of connections that send much and publish nothing: worked through in slices, in a bounded share of the event loop. */
import type { Millis } from "@sluice/base/brand";
import type { Clock, Timer } from "@sluice/base/clock";

/** What one connection has worked through at a time; more than any opening dialogue is. */
export const SLICE_BYTES = 4 * 1024;

/** One run of slices, of all connections, takes about this long. */
const RUN = 4 as Millis;

/** The pause after a run is this many times as long as the run took. */
const REST_SHARE = 4;

export class InputScheduler implements Disposable {
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
      if (now - began >= RUN) break;
    }
    this.#timer = undefined;
    this.#restUntil = now + (now - began) * REST_SHARE;
    this.#arm();
  }
}

/** What one connection has sent and has not been read: one slice at a time, until the connection has to wait. */
export class SlicedInput {
  readonly #options: SlicedInputOptions;
  readonly #arrivals: Uint8Array[] = [];
  #at = 0;
  #isScheduled = false;

  constructor(options: SlicedInputOptions) {
    this.#options = options;
  }

  get isEmpty(): boolean {
    return this.#arrivals.length === 0;
  }

  add(bytes: Uint8Array): void {
    if (bytes.length > 0) this.#arrivals.push(bytes);
  }

  /** Sees to the next slice, or lets more come where there is none. */
  readOn(): void {
    const { scheduler, mayRead, resume } = this.#options;
    if (this.#isScheduled || !mayRead()) return;
    if (this.isEmpty) return resume();
    this.#isScheduled = true;
    scheduler.add(() => {
      this.#isScheduled = false;
      this.#readSlice();
      this.readOn();
    });
  }

  clear(): void {
    this.#arrivals.length = 0;
    this.#at = 0;
  }

  #readSlice(): void {
    const { read, discard } = this.#options;
    const arrival = this.#arrivals[0];
    if (arrival === undefined) return;
    const slice = arrival.subarray(this.#at, this.#at + SLICE_BYTES);
    this.#at += slice.length;
    const isLast = this.#at >= arrival.length;
    if (isLast) {
      this.#arrivals.shift();
      this.#at = 0;
    }
    read(slice);
    if (isLast) discard(arrival);
  }
}

interface SlicedInputOptions {
  readonly scheduler: InputScheduler;
  /** Whether the connection waits for nothing. */
  readonly mayRead: () => boolean;
  readonly read: (slice: Uint8Array) => void;
  /** An arrival that was read whole. */
  readonly discard: (bytes: Uint8Array) => void;
  /** Lets the next bytes come. */
  readonly resume: () => void;
}
