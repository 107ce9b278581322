/** Maps the hash of a key to its slot: open addressing in segments that split when full, so that growth never pauses. */
import type { Slot, Slots } from "./slots.ts";

const FIRST_PLACES = 16;
/** A full segment of this size is split in two, which takes some ten microseconds. */
const MOST_PLACES = 4_096;

/** Slots of keys whose hashes begin with the same `depth` bits; the low bits give the start of the search. */
class Segment {
  readonly depth: number;
  places: Uint32Array;
  count = 0;

  constructor(depth: number, placeCount: number) {
    this.depth = depth;
    this.places = new Uint32Array(placeCount);
  }

  get isFull(): boolean {
    return (this.count + 1) * 3 > this.places.length * 2;
  }
}

/** Holds only slots; `Slots` has the hashes, and the caller compares keys. */
export class KeyIndex {
  readonly #slots: Slots;
  /** By the first `#depth` bits of the hash; one segment may be at several adjacent places. */
  #segments = [new Segment(0, FIRST_PLACES)];
  #depth = 0;

  constructor(slots: Slots) {
    this.#slots = slots;
  }

  /**
   * Where the search for a hash continues: from `hash & (length - 1)` upward, around the end, to the first 0. Valid until
   * the index changes.
   */
  placesFor(hash: number): Uint32Array {
    return this.#segmentFor(hash).places;
  }

  /** @param slot  whose key is not in the index yet */
  add(slot: Slot): void {
    const hash = this.#slots.hash[slot] as number;
    let segment = this.#segmentFor(hash);
    while (segment.isFull) {
      this.#enlarge(segment, hash);
      segment = this.#segmentFor(hash);
    }
    this.#put(segment, slot, hash);
  }

  remove(slot: Slot): void {
    const hash = this.#slots.hash[slot] as number;
    const segment = this.#segmentFor(hash);
    const mask = segment.places.length - 1;
    let place = hash & mask;
    while (segment.places[place] !== slot) place = (place + 1) & mask;
    segment.count--;
    this.#closeGap(segment.places, place);
  }

  #segmentFor(hash: number): Segment {
    return this.#segments[(hash >>> 1) >>> (31 - this.#depth)] as Segment;
  }

  /** Moves back entries that a search would not find beyond the gap. */
  #closeGap(places: Uint32Array, start: number): void {
    const mask = places.length - 1;
    let gap = start;
    for (let place = (gap + 1) & mask; places[place] !== 0; place = (place + 1) & mask) {
      const slot = places[place] as number;
      const home = (this.#slots.hash[slot] as number) & mask;
      if (((place - home) & mask) < ((place - gap) & mask)) continue;
      places[gap] = slot;
      gap = place;
    }
    places[gap] = 0;
  }

  #put(segment: Segment, slot: Slot, hash: number): void {
    const { places } = segment;
    const mask = places.length - 1;
    let place = hash & mask;
    while (places[place] !== 0) place = (place + 1) & mask;
    places[place] = slot;
    segment.count++;
  }

  /** Doubles a small segment, splits a large one; grows it further when all bits of the hash are used up. */
  #enlarge(segment: Segment, hash: number): void {
    const { depth, places } = segment;
    if (places.length >= MOST_PLACES && depth < 24) return this.#split(segment, hash);
    segment.places = new Uint32Array(places.length * 2);
    segment.count = 0;
    for (const slot of places) if (slot !== 0) this.#put(segment, slot, this.#slots.hash[slot] as number);
  }

  #split(segment: Segment, hash: number): void {
    if (segment.depth === this.#depth) {
      this.#segments = this.#segments.flatMap((one) => [one, one]);
      this.#depth++;
    }
    const halves = [new Segment(segment.depth + 1, MOST_PLACES), new Segment(segment.depth + 1, MOST_PLACES)] as const;
    const bit = 31 - segment.depth;
    for (const slot of segment.places) {
      if (slot === 0) continue;
      const slotHash = this.#slots.hash[slot] as number;
      this.#put(halves[((slotHash >>> bit) & 1) as 0 | 1], slot, slotHash);
    }
    const width = 2 ** (this.#depth - segment.depth);
    const at = (hash >>> 1) >>> (31 - this.#depth);
    const first = at - (at % width);
    this.#segments.fill(halves[0], first, first + width / 2);
    this.#segments.fill(halves[1], first + width / 2, first + width);
  }
}
