// Who drags the ball: the last holder whose changes come, until they stop.
import type { Holder } from "./shared-ball.ts";

/** Longer than two beats of a holder, as one may be late. */
const SILENCE = 2_500;

export class HoldWatch {
  readonly #told: (holder: Holder | undefined) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(told: (holder: Holder | undefined) => void) {
    this.#told = told;
  }

  see(holder: Holder | undefined): void {
    clearTimeout(this.#timer);
    this.#told(holder);
    if (holder !== undefined) this.#timer = setTimeout(() => this.#told(undefined), SILENCE);
  }
}
