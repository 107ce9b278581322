/** What the other side of a handshake sends: a version and a block that is answered, then a block that passes unread. */
import { BLOCK_BYTES, checkOpening } from "./plain.ts";

/** Holds one block while it is incomplete, and nothing after. */
export class PeerBlocks {
  #opening: Uint8Array | undefined;
  #filled = 0;
  #isAnswered = false;
  #awaitedBytes = BLOCK_BYTES;

  /** Both blocks are through. Whether the second repeats ours is not asked: too many programs get it wrong. */
  get isDone(): boolean {
    return this.#isAnswered && this.#awaitedBytes === 0;
  }

  /**
   * @param answer  gets the first block, once, and may keep it
   * @returns how many of the bytes belong to the handshake
   * @throws {WireError}
   */
  receive(bytes: Uint8Array, answer: (block: Uint8Array) => void): number {
    const opened = this.#isAnswered ? 0 : this.#receiveOpening(bytes, answer);
    if (!this.#isAnswered) return opened;
    const passed = Math.min(this.#awaitedBytes, bytes.length - opened);
    this.#awaitedBytes -= passed;
    return opened + passed;
  }

  #receiveOpening(bytes: Uint8Array, answer: (block: Uint8Array) => void): number {
    this.#opening ??= new Uint8Array(1 + BLOCK_BYTES);
    const count = Math.min(bytes.length, this.#opening.length - this.#filled);
    this.#opening.set(bytes.subarray(0, count), this.#filled);
    this.#filled += count;
    checkOpening(this.#opening.subarray(0, this.#filled));
    if (this.#filled < this.#opening.length) return count;
    answer(this.#opening.subarray(1));
    this.#opening = undefined;
    this.#isAnswered = true;
    return count;
  }
}
