/** Clients that went while no home heard it: the next one is told of the latest of them, since they may have locked. */

export class Departures {
  readonly #unheard = new Set<string>();
  /** The lock of who is forgotten ends with its lease. */
  readonly #limit: number;
  /** @returns whether a home heard it */
  readonly #tell: (client: string) => boolean;

  constructor(limit: number, tell: (client: string) => boolean) {
    this.#limit = limit;
    this.#tell = tell;
  }

  left(client: string): void {
    if (this.#tell(client)) return;
    this.#unheard.add(client);
    const [oldest = client] = this.#unheard;
    if (this.#unheard.size > this.#limit) this.#unheard.delete(oldest);
  }

  /** There is a home. */
  tell(): void {
    const unheard = [...this.#unheard];
    this.#unheard.clear();
    for (const client of unheard) this.left(client);
  }
}
