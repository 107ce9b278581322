/** Keeps the blocks that open snapshots still read, and frees them when the last such snapshot is closed. */
import type { Address, Arena } from "./arena.ts";

/** Keeps all blocks written up to `at` while open. */
export interface Pin {
  readonly at: number;
  readonly kept: { readonly address: Address; readonly bornAt: number }[];
  isOpen: boolean;
}

export class Pins {
  readonly #arena: Arena;
  /** Oldest first; `at` never decreases. */
  #open: Pin[] = [];
  readonly #limit: number;

  /** @param limit  open pins; a further one closes the oldest */
  constructor(arena: Arena, limit: number) {
    this.#arena = arena;
    this.#limit = limit;
  }

  /** @param at  log index of the last change */
  open(at: number): Pin {
    const oldest = this.#open.length >= this.#limit ? this.#open[0] : undefined;
    if (oldest !== undefined) this.close(oldest);
    const pin: Pin = { at, kept: [], isOpen: true };
    this.#open.push(pin);
    return pin;
  }

  close(pin: Pin): void {
    if (!pin.isOpen) return;
    pin.isOpen = false;
    const at = this.#open.indexOf(pin);
    const older = this.#open[at - 1];
    this.#open = this.#open.filter((one) => one !== pin);
    for (const block of pin.kept.splice(0)) {
      if (older !== undefined && block.bornAt <= older.at) older.kept.push(block);
      else this.#arena.free(block.address);
    }
  }

  /** Whether a snapshot may read a block written at `bornAt`, which then must not change. */
  holds(bornAt: number): boolean {
    const newest = this.#open.at(-1);
    return newest !== undefined && bornAt <= newest.at;
  }

  /** Frees the block now, or when no snapshot needs it any more. */
  free(address: Address, bornAt: number): void {
    const newest = this.#open.at(-1);
    if (newest !== undefined && bornAt <= newest.at) newest.kept.push({ address, bornAt });
    else this.#arena.free(address);
  }
}
