/** A lifetime: what is acquired in it is released when it ends, last acquired first. */

export class Scope implements AsyncDisposable {
  readonly #controller = new AbortController();
  /** Oldest first. Node 24 has no AsyncDisposableStack. */
  readonly #releases: (() => void | PromiseLike<void>)[] = [];
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

  /** Releases `resource` when the scope ends, whatever becomes of the others; answers it. */
  use<T extends Disposable | AsyncDisposable>(resource: T): T {
    this.#releases.push(() =>
      Symbol.asyncDispose in resource ? resource[Symbol.asyncDispose]() : resource[Symbol.dispose](),
    );
    return resource;
  }

  /** Runs `release` when the scope ends. */
  defer(release: () => void | Promise<void>): void {
    this.#releases.push(release);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#parent?.removeEventListener("abort", this.#onParentAbort);
    this.#controller.abort(new Error("Scope ended"));
    const failures: unknown[] = [];
    for (let release = this.#releases.pop(); release !== undefined; release = this.#releases.pop()) {
      try {
        await release();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length === 1) throw failures[0];
    if (failures.length > 1) throw new AggregateError(failures, "Several releases of a scope failed");
  }
}

/** Resolves once the signal is aborted. */
export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
}
