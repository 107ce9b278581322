/** How much all clients of a listener may have done for them in one turn of the event loop. */

export interface WorkLimits {
  /** Of all clients together in one turn; a unit takes about a microsecond. */
  readonly turnWork: number;
  /** Of one client in one turn, so that one with a long pipeline leaves the others some. */
  readonly clientWork: number;
}

/** One command more is always finished, so that a turn may take as long as the largest one beyond this. */
export class WorkTurn {
  readonly clientWork: number;
  readonly #turnWork: number;
  #left: number;

  constructor({ turnWork, clientWork }: WorkLimits) {
    this.clientWork = clientWork;
    this.#turnWork = turnWork;
    this.#left = turnWork;
  }

  get left(): number {
    return this.#left;
  }

  get isHalfOver(): boolean {
    return this.#left * 2 < this.#turnWork;
  }

  /** What was done beyond a turn's measure, in units. */
  get overdrawn(): number {
    return Math.max(0, -this.#left);
  }

  get isOver(): boolean {
    return this.#left <= 0;
  }

  begin(): void {
    this.#left = this.#turnWork;
  }

  spend(work: number): void {
    this.#left -= work;
  }
}
