/** Lets one reader iterate over a queue that another part fills: the basis of every watch and subscription. */

export interface QueueIteratorOptions<T> {
  /** Takes the oldest item; `undefined` when empty. */
  readonly take: () => T | undefined;
  /** When it aborts, the iteration ends and unread items are dropped. */
  readonly signal: AbortSignal;
  /** Called once, however the iteration ends; never from the constructor, even if the signal is already aborted. */
  readonly onEnd: () => void;
}

export class QueueIterator<T> implements AsyncIterableIterator<T> {
  readonly #options: QueueIteratorOptions<T>;
  readonly #waiting: ((result: IteratorResult<T>) => void)[] = [];
  #isEnded: boolean;
  readonly #onAbort = (): void => this.end();

  constructor(options: QueueIteratorOptions<T>) {
    this.#options = options;
    this.#isEnded = options.signal.aborted;
    if (!this.#isEnded) options.signal.addEventListener("abort", this.#onAbort, { once: true });
  }

  /** Call after an item was queued. */
  wake(): void {
    while (this.#waiting.length > 0) {
      const value = this.#options.take();
      if (value === undefined) return;
      this.#waiting.shift()?.({ value, done: false });
    }
  }

  /** May be called twice. */
  end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#options.signal.removeEventListener("abort", this.#onAbort);
    for (const resolve of this.#waiting.splice(0)) resolve({ value: undefined, done: true });
    this.#options.onEnd();
  }

  next(): Promise<IteratorResult<T>> {
    if (this.#isEnded) return Promise.resolve({ value: undefined, done: true });
    const value = this.#waiting.length > 0 ? undefined : this.#options.take();
    if (value !== undefined) return Promise.resolve({ value, done: false });
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  return(): Promise<IteratorResult<T>> {
    this.end();
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
