/** Limits the work for all clients of a listener in one turn of the event loop. */

export interface WorkLimits {
  /** Work for all clients together in one turn; a unit takes about a microsecond. */
  readonly turnWork: number;
  /** Work for one client in one turn, so that a long pipeline leaves time for the others. */
  readonly clientWork: number;
}

/** A command in progress is always finished, so a turn may exceed the limit by the largest one. */
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

  /** Work beyond the limit of the turn, in units. */
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
