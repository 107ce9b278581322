/** Bytes that arrived in pieces and are taken in other pieces. */

/** Keeps views of the offered bytes; `take` copies only when the requested run crosses pieces. */
export class ByteQueue {
  readonly #pieces: Uint8Array[] = [];
  /** Index of the first live piece; dead ones before it are removed from time to time. */
  #head = 0;
  /** Bytes of the first live piece already taken. */
  #taken = 0;
  #length = 0;

  /** Bytes held. */
  get length(): number {
    return this.#length;
  }

  /** Appends a view; the queue owns it until it is taken. */
  offer(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#pieces.push(bytes);
    this.#length += bytes.length;
  }

  /** The byte at `index` from the front, or `undefined` if it has not arrived. */
  peekU8(index = 0): number | undefined {
    if (index >= this.#length) return undefined;
    let at = index + this.#taken;
    for (let i = this.#head; ; i++) {
      const piece = this.#pieces[i] as Uint8Array;
      if (at < piece.length) return piece[at];
      at -= piece.length;
    }
  }

  /** The next `count` bytes without taking them, or `undefined` when fewer are held. */
  peek(count: number): Uint8Array | undefined {
    if (count > this.#length) return undefined;
    if (count === 0) return new Uint8Array(0);
    const first = this.#pieces[this.#head] as Uint8Array;
    if (this.#taken + count <= first.length) return first.subarray(this.#taken, this.#taken + count);
    const joined = new Uint8Array(count);
    let filled = 0;
    let from = this.#taken;
    for (let i = this.#head; filled < count; i++) {
      const piece = this.#pieces[i] as Uint8Array;
      const part = piece.subarray(from, Math.min(piece.length, from + count - filled));
      joined.set(part, filled);
      filled += part.length;
      from = 0;
    }
    return joined;
  }

  /** Removes and returns the next `count` bytes; `undefined`, and nothing removed, when fewer are held. */
  take(count: number): Uint8Array | undefined {
    const bytes = this.peek(count);
    if (bytes !== undefined) this.skip(count);
    return bytes;
  }

  /** Removes up to `count` bytes and returns how many. */
  skip(count: number): number {
    const wanted = Math.min(count, this.#length);
    let left = wanted;
    while (left > 0) {
      const piece = this.#pieces[this.#head] as Uint8Array;
      const available = piece.length - this.#taken;
      if (left < available) {
        this.#taken += left;
        break;
      }
      left -= available;
      this.#taken = 0;
      this.#head++;
    }
    this.#length -= wanted;
    this.#sweep();
    return wanted;
  }

  #sweep(): void {
    if (this.#length === 0) {
      this.#pieces.length = 0;
      this.#head = 0;
      this.#taken = 0;
    } else if (this.#head > 64) {
      this.#pieces.splice(0, this.#head);
      this.#head = 0;
    }
  }
}
