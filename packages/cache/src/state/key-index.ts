/** From the hash of a key to its slot: open addressing in one column of numbers. */
import type { Slot, Slots } from "./slots.ts";

const FIRST_PLACES = 128;

/** Holds slots; the hashes stay in `Slots`, the comparison of keys with the caller. */
export class KeyIndex {
  readonly #slots: Slots;
  #places = new Uint32Array(FIRST_PLACES);
  #mask = FIRST_PLACES - 1;
  #count = 0;

  constructor(slots: Slots) {
    this.#slots = slots;
  }

  /** The place where the search for `hash` begins. */
  firstPlace(hash: number): number {
    return hash & this.#mask;
  }

  nextPlace(place: number): number {
    return (place + 1) & this.#mask;
  }

  /** 0 ends the search. */
  slotAt(place: number): Slot {
    return this.#places[place] as number;
  }

  /** @param slot  whose key is not in the index yet */
  add(slot: Slot): void {
    this.#count++;
    if (this.#count * 3 > this.#places.length * 2) this.#grow();
    this.#put(slot);
  }

  remove(slot: Slot): void {
    let place = this.firstPlace(this.#slots.hash[slot] as number);
    while (this.#places[place] !== slot) place = this.nextPlace(place);
    this.#count--;
    this.#closeGap(place);
  }

  /** Moves back whatever the search would no longer find behind the gap. */
  #closeGap(start: number): void {
    const places = this.#places;
    let gap = start;
    for (let place = this.nextPlace(gap); places[place] !== 0; place = this.nextPlace(place)) {
      const slot = places[place] as number;
      const home = this.firstPlace(this.#slots.hash[slot] as number);
      if (((place - home) & this.#mask) < ((place - gap) & this.#mask)) continue;
      places[gap] = slot;
      gap = place;
    }
    places[gap] = 0;
  }

  #put(slot: Slot): void {
    let place = this.firstPlace(this.#slots.hash[slot] as number);
    while (this.#places[place] !== 0) place = this.nextPlace(place);
    this.#places[place] = slot;
  }

  #grow(): void {
    const old = this.#places;
    this.#places = new Uint32Array(old.length * 2);
    this.#mask = this.#places.length - 1;
    for (const slot of old) if (slot !== 0) this.#put(slot);
  }
}
