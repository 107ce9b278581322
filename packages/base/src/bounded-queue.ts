/** A first-in first-out queue with a limit; `offer` answers `full` instead of growing. */

export class BoundedQueue<T> {
  readonly #items: T[] = [];
  readonly capacity: number;
  #head = 0;

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  get size(): number {
    return this.#items.length - this.#head;
  }

  offer(item: T): "queued" | "full" {
    if (this.size >= this.capacity) return "full";
    this.#items.push(item);
    return "queued";
  }

  some(isSo: (item: T) => boolean): boolean {
    for (let i = this.#head; i < this.#items.length; i++) if (isSo(this.#items[i] as T)) return true;
    return false;
  }

  /** Removes the oldest; `undefined` when empty. */
  take(): T | undefined {
    if (this.#head === this.#items.length) return undefined;
    const item = this.#items[this.#head] as T;
    this.#items[this.#head++] = undefined as T;
    if (this.#head === this.#items.length) {
      this.#items.length = 0;
      this.#head = 0;
    } else if (this.#head > 1024 && this.#head * 2 > this.#items.length) {
      this.#items.splice(0, this.#head);
      this.#head = 0;
    }
    return item;
  }
}
