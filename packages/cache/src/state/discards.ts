/** Entries removed by a flush: their blocks are freed a few at a time. */
import type { Pins } from "./pins.ts";
import type { Slot, Slots } from "./slots.ts";

interface Discarded {
  readonly slots: Slots;
  /** Of the next block to free, 0 for none. */
  next: Slot;
}

export class Discards {
  readonly #pins: Pins;
  #waiting: Discarded[] = [];

  constructor(pins: Pins) {
    this.#pins = pins;
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  /** @param slots  of a table that now uses others */
  add(slots: Slots): void {
    if (slots.oldest !== 0) this.#waiting.push({ slots, next: slots.oldest });
  }

  /** Frees up to `most` blocks. */
  sweep(most: number): void {
    let left = most;
    for (let one = this.#waiting[0]; one !== undefined && left > 0; one = this.#waiting[0]) {
      const { slots } = one;
      for (; one.next !== 0 && left > 0; left--) {
        const slot = one.next;
        this.#pins.free(slots.address[slot] as number, slots.version[slot] as number);
        one.next = slots.newer[slot] as Slot;
      }
      if (one.next === 0) this.#waiting.shift();
    }
  }
}
