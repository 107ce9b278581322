// One value that components watch: the smallest store the console needs.

export type Unsubscribe = () => void;

export interface Readable<T> {
  get(): T;
  subscribe(listener: () => void): Unsubscribe;
}

export class Observable<T> implements Readable<T> {
  #value: T;
  readonly #listeners = new Set<() => void>();

  constructor(initial: T) {
    this.#value = initial;
  }

  get(): T {
    return this.#value;
  }

  set(value: T): void {
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    // A copy: a listener added during the notification has seen the value already.
    const present = Array.from(this.#listeners);
    for (const listener of present) listener();
  }

  subscribe(listener: () => void): Unsubscribe {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
