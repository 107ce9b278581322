/** Which member a client of the engine asks first: one that has not failed, and each client another. */
import type { EngineLinks } from "./engine-links.ts";

export interface HostOrderOptions {
  readonly links: Pick<EngineLinks, "isLinked">;
  /** Ids of the nodes that serve the engine, as far as this node knows. */
  readonly hosts: () => readonly string[];
  /** 0 to 1. */
  readonly random: () => number;
}

export class HostOrder {
  readonly #options: HostOrderOptions;
  /** Lower is asked earlier; the fraction spreads clients over hosts, the whole part counts failures of all. */
  readonly #ranks = new Map<string, number>();
  #failures = 0;

  constructor(options: HostOrderOptions) {
    this.#options = options;
  }

  /** Those that can be asked now: whoever failed last comes last. */
  candidates(): readonly string[] {
    const hosts = this.#options.hosts();
    if (this.#ranks.size > 2 * hosts.length) this.#forgetAllBut(hosts);
    return hosts
      .filter((id) => this.#options.links.isLinked(id))
      .sort((one, other) => this.#rank(one) - this.#rank(other));
  }

  /** It did not answer, or cannot serve now. */
  failed(id: string): void {
    this.#ranks.set(id, ++this.#failures + this.#options.random());
  }

  #rank(id: string): number {
    const rank = this.#ranks.get(id) ?? this.#options.random();
    this.#ranks.set(id, rank);
    return rank;
  }

  #forgetAllBut(hosts: readonly string[]): void {
    for (const id of this.#ranks.keys()) if (!hosts.includes(id)) this.#ranks.delete(id);
  }
}
