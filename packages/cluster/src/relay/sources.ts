/** Which nodes a stream can be had from, the best first. */
import type { HomeFields } from "../directory/rows.ts";

/** Where the directory says that a stream is. */
export type StreamHome = Pick<HomeFields, "home" | "publisherAt" | "publication">;

export interface SourceFacts {
  readonly self: string;
  /** Undefined while nobody publishes it. */
  readonly home: StreamHome | undefined;
  readonly isLinked: (id: string) => boolean;
  /** Ids of all linked nodes. */
  readonly linked: Iterable<string>;
  /** Nodes to ask first: those that a hot node named, then those configured by `relay.from`. */
  readonly preferred: readonly string[];
  /** Nodes that wait for the stream through this one: they have no source either. */
  readonly waiting: readonly string[];
}

/**
 * Preferred nodes, then the home, then the node with the publisher. A home has its stream from the latter. Where none of
 * them is linked: every other linked node, which may have a link to one of them.
 */
export function sourcesOf({ self, home, isLinked, linked, preferred, waiting }: SourceFacts): readonly string[] {
  if (home === undefined || home.publisherAt === self) return [];
  const canAsk = (id: string): boolean => id !== self && isLinked(id) && !waiting.includes(id);
  const direct = home.home === self ? [home.publisherAt] : [...preferred, home.home, home.publisherAt];
  const found = [...new Set(direct)].filter(canAsk);
  return found.length > 0 ? found : [...linked].sort().filter(canAsk);
}

/** Whether a node is asked only because none that should have the stream is linked. */
export function isDetour(node: string, { home, preferred }: Pick<SourceFacts, "home" | "preferred">): boolean {
  return home?.home !== node && home?.publisherAt !== node && !preferred.includes(node);
}

/** Whether the stream can be had without a third node in between. */
export function hasDirectSource({ self, home, isLinked }: Pick<SourceFacts, "self" | "home" | "isLinked">): boolean {
  return home !== undefined && [home.home, home.publisherAt].some((id) => id !== self && isLinked(id));
}
