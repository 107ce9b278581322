/** State of the node: its listeners, what keeps it from being ready, and whether it drains. */

/** States that a node reports about itself; only others report it as suspect or gone. */
export type ShownState = "starting" | "ready" | "draining";

export class NodeState {
  readonly #drain = new AbortController();
  readonly #bound: Record<string, string> = {};
  readonly #shown: Record<string, string> = {};
  readonly #holds = new Map<string, string>();
  readonly #listeners = new Set<(state: ShownState) => void>();
  #isReady = false;

  constructor(stop: AbortSignal) {
    if (stop.aborted) this.#drain.abort(stop.reason);
    stop.addEventListener("abort", () => this.#drain.abort(stop.reason), { once: true });
    this.#drain.signal.addEventListener("abort", () => this.#tell(), { once: true });
  }

  listen(listener: (state: ShownState) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  get now(): ShownState {
    if (this.#drain.signal.aborted) return "draining";
    return this.#isReady && this.#holds.size === 0 ? "ready" : "starting";
  }

  get heldBy(): readonly string[] {
    return [...this.#holds.values()];
  }

  get bound(): Readonly<Record<string, string>> {
    return this.#bound;
  }

  get shown(): Readonly<Record<string, string>> {
    return this.#shown;
  }

  get draining(): AbortSignal {
    return this.#drain.signal;
  }

  addListener(name: string, bound: string, shown: string): void {
    this.#bound[name] = bound;
    this.#shown[name] = shown;
  }

  becomeReady(): void {
    this.#isReady = true;
    this.#tell();
  }

  hold(name: string, reason: string): void {
    this.#holds.set(name, reason);
    this.#tell();
  }

  release(name: string): void {
    this.#holds.delete(name);
    this.#tell();
  }

  startDrain(reason: string): void {
    this.#drain.abort(new Error(reason));
  }

  #tell(): void {
    for (const listener of this.#listeners) listener(this.now);
  }
}
