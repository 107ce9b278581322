/** Which node is asked for one stream: the best one that has not refused lately. */
import type { Millis } from "@sluice/base/brand";
import type { Clock } from "@sluice/base/clock";
import { RELAY_TIMINGS } from "./limits.ts";
import { isDetour, type SourceFacts, sourcesOf, type StreamHome } from "./sources.ts";

export interface SourceChoiceOptions {
  readonly self: string;
  readonly home: () => StreamHome | undefined;
  /** Linked nodes by id. */
  readonly links: ReadonlyMap<string, unknown>;
  /** Nodes to ask before the home. */
  readonly from: () => readonly string[];
  readonly clock: Clock;
}

interface Refusal {
  readonly until: Millis;
  readonly delay: Millis;
}

export class SourceChoice {
  readonly #options: SourceChoiceOptions;
  /** Nodes that a hot node named. */
  #named: readonly string[] = [];
  readonly #refusals = new Map<string, Refusal>();

  constructor(options: SourceChoiceOptions) {
    this.#options = options;
  }

  /** @param waiting  nodes that wait for the stream through this one */
  nodes(waiting: readonly string[]): readonly string[] {
    return sourcesOf(this.#facts(waiting));
  }

  /** The node to ask now, or how long to wait for one; undefined where there is none at all. */
  next(waiting: readonly string[]): { readonly node: string } | { readonly after: Millis } | undefined {
    const now = this.#options.clock.now();
    let earliest: Millis | undefined;
    for (const node of this.nodes(waiting)) {
      const { until = now } = this.#refusals.get(node) ?? {};
      if (until <= now) return { node };
      if (earliest === undefined || until < earliest) earliest = until;
    }
    return earliest === undefined ? undefined : { after: (earliest - now) as Millis };
  }

  /** Whether it is asked only because none that should have the stream is linked. */
  isDetour(node: string): boolean {
    return isDetour(node, this.#facts([]));
  }

  /** It sent this node to others, which have been asked: it is to give the stream all the same. */
  insistsOn(node: string): boolean {
    return this.#named.length > 0 && this.#refusals.has(node);
  }

  name(nodes: readonly string[]): void {
    this.#named = nodes.filter((node) => node !== this.#options.self);
  }

  /** It is not asked again for a while, longer each time. */
  refuse(node: string): void {
    const { retryFirst, retryCap } = RELAY_TIMINGS;
    const before = this.#refusals.get(node)?.delay ?? 0;
    const delay = Math.min(retryCap, Math.max(retryFirst, before * 2)) as Millis;
    this.#refusals.set(node, { until: (this.#options.clock.now() + delay) as Millis, delay });
  }

  /** Something has changed: all may be asked again. */
  forgive(): void {
    this.#refusals.clear();
  }

  /** There is a source: whoever is looked for next, the home is asked first. */
  found(): void {
    this.#refusals.clear();
    this.#named = [];
  }

  #facts(waiting: readonly string[]): SourceFacts {
    const { self, home, links, from } = this.#options;
    const isLinked = (id: string): boolean => links.has(id);
    return { self, home: home(), isLinked, linked: links.keys(), preferred: [...this.#named, ...from()], waiting };
  }
}
