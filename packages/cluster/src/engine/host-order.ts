/** Order in which a client of the engine tries hosts: itself, then hosts that have not failed, spread at random over clients. */
import type { Millis } from "@sluice/base/brand";
import type { Clock } from "@sluice/base/clock";
import type { EngineLinks } from "./engine-links.ts";

export interface HostOrderOptions {
  readonly links: Pick<EngineLinks, "isLinked" | "self">;
  /** Ids of the other nodes that serve the engine, as far as this node knows. */
  readonly hosts: () => readonly string[];
  readonly clock: Clock;
  /** 0 to 1. */
  readonly random: () => number;
}

/** After a failure of its own host, a node tries the others first for this long. */
const OWN_REST = 2_000 as Millis;

export class HostOrder {
  readonly #options: HostOrderOptions;
  /** Lower is tried earlier; the fraction spreads clients over hosts, the whole part counts failures of all. */
  readonly #ranks = new Map<string, number>();
  #failures = 0;
  #ownFailedAt: Millis | undefined;

  constructor(options: HostOrderOptions) {
    this.#options = options;
  }

  /** Hosts that can be asked now; the last one to fail comes last. */
  candidates(): readonly string[] {
    const { links, hosts: others } = this.#options;
    const hosts = [links.self, ...others().filter((id) => id !== links.self)];
    if (this.#ranks.size > 2 * hosts.length) this.#forgetAllBut(hosts);
    return hosts.filter((id) => links.isLinked(id)).sort((one, other) => this.#rank(one) - this.#rank(other));
  }

  /** The host did not answer, or cannot serve now. */
  failed(id: string): void {
    this.#ranks.set(id, ++this.#failures + this.#options.random());
    if (id === this.#options.links.self) this.#ownFailedAt = this.#options.clock.now();
  }

  #rank(id: string): number {
    if (id === this.#options.links.self && !this.#isOwnResting) return FIRST;
    const rank = this.#ranks.get(id) ?? this.#options.random();
    this.#ranks.set(id, rank);
    return rank;
  }

  get #isOwnResting(): boolean {
    return this.#ownFailedAt !== undefined && this.#options.clock.now() - this.#ownFailedAt < OWN_REST;
  }

  #forgetAllBut(hosts: readonly string[]): void {
    for (const id of this.#ranks.keys()) if (!hosts.includes(id)) this.#ranks.delete(id);
  }
}

/** Below every rank. */
const FIRST = -1;
