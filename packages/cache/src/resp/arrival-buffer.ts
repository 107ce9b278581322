/** Bytes that arrived and are not consumed, always contiguous; a complete request is never copied. */

/** Capacity reserved for a declared length, as a multiple of the bytes that have arrived. */
const BELIEVED = 8;

export class ArrivalBuffer {
  #bytes = new Uint8Array(0);
  #start = 0;
  #end = 0;
  /** Whether `#bytes` was allocated here, so that more can be appended in place. */
  #isOwn = false;

  /** The bytes are in here from `start` to `end`; each `offer` may replace the buffer. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  get start(): number {
    return this.#start;
  }

  get end(): number {
    return this.#end;
  }

  get length(): number {
    return this.#end - this.#start;
  }

  /** @param expected  declared final length: reserves in proportion to what has arrived. @returns by how much positions have moved */
  offer(arrived: Uint8Array, expected: number): number {
    const start = this.#start;
    if (this.length === 0) {
      this.#bytes = arrived as Uint8Array<ArrayBuffer>;
      this.#start = 0;
      this.#end = arrived.length;
      this.#isOwn = false;
      return -start;
    }
    const needed = this.length + arrived.length;
    if (!this.#isOwn || this.#end + arrived.length > this.#bytes.length)
      this.#move(Math.max(2 * needed, Math.min(expected, BELIEVED * needed)));
    this.#bytes.set(arrived, this.#end);
    this.#end += arrived.length;
    return this.#start - start;
  }

  /** @param place  in `bytes`: everything before it is consumed */
  consumeTo(place: number): void {
    this.#start = place;
    if (this.#start < this.#end) return;
    this.#bytes = new Uint8Array(0);
    this.#start = 0;
    this.#end = 0;
  }

  /** Moves to the front of an own buffer: the present one if large enough. */
  #move(capacity: number): void {
    const length = this.length;
    const isRoomy = this.#isOwn && capacity <= this.#bytes.length;
    const target = isRoomy ? this.#bytes : new Uint8Array(capacity);
    if (isRoomy) target.copyWithin(0, this.#start, this.#end);
    else target.set(this.#bytes.subarray(this.#start, this.#end));
    this.#bytes = target;
    this.#isOwn = true;
    this.#start = 0;
    this.#end = length;
  }
}
