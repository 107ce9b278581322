/** Entries by expiry: a heap of (time, slot) that skips stale items. */
import type { Slot, Slots } from "./slots.ts";

/** Stale items beyond the live ones at which the heap is rebuilt. */
const SLACK = 1_024;

export class ExpiryHeap {
  readonly #slots: Slots;
  readonly #times: number[] = [];
  readonly #items: Slot[] = [];
  #liveCount = 0;

  constructor(slots: Slots) {
    this.#slots = slots;
  }

  /** Entries with an expiry. */
  get count(): number {
    return this.#liveCount;
  }

  /** Sets the slot's time; 0 for never. */
  set(slot: Slot, time: number): void {
    const before = this.#slots.expiresAt[slot] as number;
    if (before === time) return;
    this.#slots.expiresAt[slot] = time;
    if (before === 0) this.#liveCount++;
    if (time === 0) this.#liveCount--;
    else this.#push(time, slot);
    if (this.#items.length > 2 * this.#liveCount + SLACK) this.#rebuild();
  }

  /** Up to `limit` slots that expire before `wall`; they stay due until their time is set again. */
  due(wall: number, limit: number): Slot[] {
    const found = new Set<Slot>();
    this.#dropStale();
    const next = [0];
    for (let at = next.pop(); at !== undefined && found.size < limit; at = next.pop()) {
      const time = this.#times[at];
      if (time === undefined || time >= wall) continue;
      const slot = this.#items[at] as Slot;
      if (this.#slots.expiresAt[slot] === time) found.add(slot);
      next.push(2 * at + 2, 2 * at + 1);
    }
    return [...found];
  }

  #dropStale(): void {
    while (this.#items.length > 0 && this.#slots.expiresAt[this.#items[0] as Slot] !== this.#times[0]) this.#pop();
  }

  #rebuild(): void {
    this.#times.length = 0;
    this.#items.length = 0;
    for (let slot = 1; slot < this.#slots.end; slot++) {
      const time = this.#slots.expiresAt[slot] as number;
      if (this.#slots.version[slot] !== 0 && time !== 0) this.#push(time, slot);
    }
  }

  #push(time: number, slot: Slot): void {
    let at = this.#items.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if ((this.#times[parent] as number) <= time) break;
      this.#move(parent, at);
      at = parent;
    }
    this.#times[at] = time;
    this.#items[at] = slot;
  }

  #pop(): void {
    const time = this.#times.pop() as number;
    const slot = this.#items.pop() as Slot;
    const size = this.#items.length;
    if (size === 0) return;
    let at = 0;
    for (let child = 1; child < size; child = 2 * at + 1) {
      if (child + 1 < size && (this.#times[child + 1] as number) < (this.#times[child] as number)) child++;
      if ((this.#times[child] as number) >= time) break;
      this.#move(child, at);
      at = child;
    }
    this.#times[at] = time;
    this.#items[at] = slot;
  }

  #move(from: number, to: number): void {
    this.#times[to] = this.#times[from] as number;
    this.#items[to] = this.#items[from] as Slot;
  }
}
