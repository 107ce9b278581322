/** Messages of one client, read at once while they are few and small; others wait for their share of the event loop, and the client with them. */
import { TokenBucket } from "@sluice/state/token-bucket";
import type { Clock } from "@sluice/base/clock";
import { type InputScheduler, SLICE_BYTES } from "../sessions/input-scheduler.ts";

interface PacedInputOptions {
  readonly clock: Clock;
  readonly scheduler: InputScheduler;
  /** Messages a second that are read at once. */
  readonly perSecond: number;
  /** Whether the client has to wait for nothing else. */
  readonly mayRead: () => boolean;
  readonly read: (payload: string | Uint8Array) => void;
  /** No more is to come, as far as that is possible; what is read already comes all the same. */
  readonly pause: () => void;
  readonly resume: () => void;
}

export class PacedInput {
  readonly #options: PacedInputOptions;
  readonly #bucket: TokenBucket;
  #waiting: (string | Uint8Array)[] = [];
  #isScheduled = false;

  constructor(options: PacedInputOptions) {
    this.#options = options;
    this.#bucket = new TokenBucket(options.clock, options.perSecond);
  }

  receive(payload: string | Uint8Array, byteCount: number): void {
    const { mayRead, read, pause } = this.#options;
    const isLittle = byteCount <= SLICE_BYTES && this.#waiting.length === 0;
    if (isLittle && mayRead() && this.#bucket.take()) return read(payload);
    this.#waiting.push(payload);
    pause();
    this.readOn();
  }

  /** Sees to the next message, or lets more come where none waits. */
  readOn(): void {
    const { scheduler, mayRead, read, resume } = this.#options;
    if (this.#isScheduled || !mayRead()) return;
    if (this.#waiting.length === 0) return resume();
    this.#isScheduled = true;
    scheduler.add(() => {
      this.#isScheduled = false;
      const next = mayRead() ? this.#waiting.shift() : undefined;
      if (next !== undefined) read(next);
      this.readOn();
    });
  }

  clear(): void {
    this.#waiting = [];
  }
}
