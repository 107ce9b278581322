/** Bytes held for all RESP clients together, and the pressure above a limit. */

/** Pressure ends well below the limit, so that it does not toggle with every reply. */
const RELEASED_AT = 0.75;

export class ClientLoad {
  readonly #limit: number;
  readonly #released: () => void;
  #heldBytes = 0;
  #isPressed = false;

  /** @param limit  bytes. @param released  called when there is room again */
  constructor(limit: number, released: () => void) {
    this.#limit = limit;
    this.#released = released;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Clients together hold too much: each may have only a little until some of it was read. */
  get isPressed(): boolean {
    return this.#isPressed;
  }

  add(difference: number): void {
    this.#heldBytes += difference;
    if (!this.#isPressed) this.#isPressed = this.#heldBytes > this.#limit;
    else if (this.#heldBytes < RELEASED_AT * this.#limit) {
      this.#isPressed = false;
      this.#released();
    }
  }
}
