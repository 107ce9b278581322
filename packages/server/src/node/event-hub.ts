/** Distributes events of the node to listeners: at present the admin API's event stream. */
import type { AdminEvent } from "@sluice/client/admin-contract";

export class EventHub {
  readonly #listeners = new Set<(event: AdminEvent) => void>();

  /** True without listeners: events need not be created. */
  get isIdle(): boolean {
    return this.#listeners.size === 0;
  }

  tell(event: AdminEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  subscribe(listener: (event: AdminEvent) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }
}
