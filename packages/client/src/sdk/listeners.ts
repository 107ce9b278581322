/** Who listens to what: events by name, told in order; a listener that throws disturbs neither the others nor the SDK. */

export class Listeners<Events extends object> {
  readonly #byType = new Map<keyof Events, Set<(event: never) => void>>();

  /** @returns ends it; may be called twice */
  add<Type extends keyof Events>(type: Type, listener: (event: Events[Type]) => void): () => void {
    const entry = (event: Events[Type]): void => listener(event);
    const listeners = this.#byType.get(type) ?? new Set();
    this.#byType.set(type, listeners.add(entry));
    return () => listeners.delete(entry);
  }

  tell<Type extends keyof Events>(type: Type, event: Events[Type]): void {
    for (const listener of [...(this.#byType.get(type) ?? [])]) {
      try {
        (listener as (event: Events[Type]) => void)(event);
      } catch (error) {
        // Becomes an unhandled rejection, which every platform reports as it does a throwing listener of its own.
        void Promise.reject(error);
      }
    }
  }
}
