/** The configuration that holds now, for parts that outlive a change of it. */
import type { SluiceConfig } from "./load-config.ts";

export class LiveConfig {
  readonly #listeners = new Set<() => void>();
  #now: SluiceConfig;
  /** Reads through to what holds now: keep this object, and take values from it when they are needed. */
  readonly view: SluiceConfig;

  constructor(first: SluiceConfig) {
    this.#now = first;
    const view = {};
    for (const name of Object.keys(first) as (keyof SluiceConfig)[])
      Object.defineProperty(view, name, { enumerable: true, get: () => this.#now[name] });
    this.view = view as SluiceConfig;
  }

  get now(): SluiceConfig {
    return this.#now;
  }

  replace(next: SluiceConfig): void {
    this.#now = next;
    for (const listener of this.#listeners) listener();
  }

  onChange(listener: () => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }
}
