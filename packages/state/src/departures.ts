/** Clients that went while no home heard it: the next one is told, since they may have locked. */

export class Departures {
  readonly #unheard = new Set<string>();
  /** @returns whether a home heard it */
  readonly #tell: (client: string) => boolean;

  constructor(tell: (client: string) => boolean) {
    this.#tell = tell;
  }

  left(client: string): void {
    if (!this.#tell(client)) this.#unheard.add(client);
  }

  /** There is a home. */
  tell(): void {
    const unheard = [...this.#unheard];
    this.#unheard.clear();
    for (const client of unheard) this.left(client);
  }
}
