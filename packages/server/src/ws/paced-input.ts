/** Messages of one client, read at once as far as its rate allows; others wait for their share of the event loop, and the client with them. */
import { TokenBucket } from "@sluice/state/token-bucket";
import type { Clock } from "@sluice/base/clock";
import type { InputScheduler } from "../sessions/input-scheduler.ts";

interface PacedInputOptions {
  readonly clock: Clock;
  readonly scheduler: InputScheduler;
  /** Messages of up to a KiB a second that are read at once; a larger one counts as several. */
  readonly perSecond: number;
  /** Whether the client has to wait for nothing else. */
  readonly mayRead: () => boolean;
  readonly read: (payload: string | Uint8Array) => void;
  /** No more is to come, as far as that is possible; what is read already comes all the same. */
  readonly pause: () => void;
  readonly resume: () => void;
}

interface Message {
  readonly payload: string | Uint8Array;
  readonly cost: number;
}

export class PacedInput {
  readonly #options: PacedInputOptions;
  readonly #bucket: TokenBucket;
  #waiting: Message[] = [];
  #isPaused = false;
  /** A message is being read, or will be by the scheduler. */
  #isBusy = false;

  constructor(options: PacedInputOptions) {
    this.#options = options;
    this.#bucket = new TokenBucket(options.clock, options.perSecond);
  }

  receive(payload: string | Uint8Array, byteCount: number): void {
    this.#waiting.push({ payload, cost: Math.ceil((byteCount + 1) / 1_024) });
    this.readOn();
    if (this.#waiting.length > 0) this.pause();
  }

  /** Nothing more is taken from the client until `readOn`. */
  pause(): void {
    if (this.#isPaused) return;
    this.#isPaused = true;
    this.#options.pause();
  }

  /** Reads what waits, or lets more come where nothing does. To be called when the client need not wait any more. */
  readOn(): void {
    const { mayRead, read } = this.#options;
    if (this.#isBusy) return;
    this.#isBusy = true;
    while (mayRead()) {
      const next = this.#waiting[0];
      if (next === undefined) break;
      if (!this.#bucket.take(next.cost)) return this.#schedule();
      this.#waiting.shift();
      read(next.payload);
    }
    this.#isBusy = false;
    if (this.#waiting.length === 0) this.#resume();
  }

  clear(): void {
    this.#waiting = [];
  }

  /** Above its rate: one message each time. */
  #schedule(): void {
    const { scheduler, mayRead, read } = this.#options;
    scheduler.add(() => {
      const next = mayRead() ? this.#waiting.shift() : undefined;
      if (next !== undefined) read(next.payload);
      this.#isBusy = false;
      this.readOn();
    });
  }

  #resume(): void {
    if (!this.#isPaused || !this.#options.mayRead()) return;
    this.#isPaused = false;
    this.#options.resume();
  }
}
