/** A lifetime: what is acquired in it is released when it ends, last acquired first. */

export class Scope implements AsyncDisposable {
  readonly #controller = new AbortController();
  readonly #stack = new AsyncDisposableStack();
  readonly #parent: AbortSignal | undefined;
  readonly #onParentAbort = (): void => this.#controller.abort(this.#parent?.reason);

  /** @param parent  when it aborts, so does `signal`; resources are released by disposing the scope */
  constructor(parent?: AbortSignal) {
    this.#parent = parent;
    if (parent?.aborted) this.#onParentAbort();
    else parent?.addEventListener("abort", this.#onParentAbort, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Releases `resource` when the scope ends; returns it. */
  use<T extends Disposable | AsyncDisposable>(resource: T): T {
    return this.#stack.use(resource);
  }

  /** Runs `release` when the scope ends. */
  defer(release: () => void | Promise<void>): void {
    this.#stack.defer(release);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#parent?.removeEventListener("abort", this.#onParentAbort);
    this.#controller.abort(new Error("Scope ended"));
    await this.#stack.disposeAsync();
  }
}

/** Resolves once the signal is aborted. */
export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
}
