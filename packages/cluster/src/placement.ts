/** Which node gets something: one function for publishers, relays, redirected clients and drains, by a policy that can be exchanged. */
import { encodeUtf8 } from "@sluice/bytes/byte-writer";

export interface Candidate {
  readonly id: string;
  /** 0 to 1, as it told last. */
  readonly heat: number;
  /** Homes that it has now. */
  readonly homeCount: number;
}

export interface PlacementWish {
  /** Of the stream, object or client: alike wherever it is asked. */
  readonly key: string;
  /** Where it is now; undefined for something new. */
  readonly present: string | undefined;
  /** By how much the heat of whoever takes it will rise. */
  readonly loadToCome: number;
}

export interface PlacementPolicy {
  /** The best of the candidates, of which there is at least one; undefined where it has no opinion. */
  readonly choose: (wish: PlacementWish, candidates: readonly Candidate[]) => Candidate | undefined;
  /** `always`: also away from a node that is cool enough, since an operator said so. */
  readonly moves: "from-hot-to-cool" | "always";
}

/** Nothing leaves a node that is not hotter than this, */
const HOT = 0.75;
/** nor goes to one that would not stay below this: the space between keeps things from flapping. */
const COOL = 0.5;

/**
 * @param eligible  nodes that may take it: ready, linked, of the right role
 * @returns the id of one of them; undefined where there is none
 */
export function place(
  policy: PlacementPolicy,
  wish: PlacementWish,
  eligible: readonly Candidate[],
): string | undefined {
  const present = eligible.find(({ id }) => id === wish.present);
  const chosen = eligible.length === 0 ? undefined : policy.choose(wish, eligible);
  if (present === undefined || chosen === undefined) return (chosen ?? coolest(wish, eligible))?.id;
  if (policy.moves === "always") return chosen.id;
  const isWorthIt = present.heat > HOT && chosen.heat + wish.loadToCome < COOL;
  return isWorthIt ? chosen.id : present.id;
}

/** The least heat after the load to come. */
export const BY_HEAT: PlacementPolicy = {
  choose: (wish, candidates) => coolest(wish, candidates),
  moves: "from-hot-to-cool",
};

/** The fewest homes; of several the coolest. */
export const LEAST_LOADED: PlacementPolicy = {
  choose: (wish, candidates) => {
    const fewest = Math.min(...candidates.map(({ homeCount }) => homeCount));
    const least = candidates.filter(({ homeCount }) => homeCount === fewest);
    return coolest(wish, least);
  },
  moves: "from-hot-to-cool",
};

/** Rendezvous: every node chooses the same, and only what a lost node had goes elsewhere. */
export const BY_HASH: PlacementPolicy = {
  choose: (wish, candidates) => best(candidates, ({ id }) => -rendezvous(id, wish.key)),
  moves: "from-hot-to-cool",
};

/** By key; what is not pinned, or whose node is not eligible, goes by the other policy. */
export function pinned(pins: ReadonlyMap<string, string>, otherwise: PlacementPolicy): PlacementPolicy {
  const pinOf = (wish: PlacementWish, candidates: readonly Candidate[]): Candidate | undefined =>
    candidates.find(({ id }) => id === pins.get(wish.key));
  return {
    choose: (wish, candidates) => {
      const pin = pinOf(wish, candidates);
      if (pin !== undefined) return pin;
      const present = candidates.find(({ id }) => id === wish.present);
      const id = place(otherwise, wish, candidates);
      return candidates.find((one) => one.id === id) ?? present;
    },
    moves: "always",
  };
}

function coolest({ present, loadToCome }: PlacementWish, candidates: readonly Candidate[]): Candidate | undefined {
  // What is at a node already adds nothing to its heat.
  return best(candidates, ({ id, heat }) => (id === present ? heat : heat + loadToCome));
}

/** With equal costs the id decides, so that all nodes choose alike. */
function best(candidates: readonly Candidate[], cost: (candidate: Candidate) => number): Candidate | undefined {
  let found: { readonly candidate: Candidate; readonly cost: number } | undefined;
  for (const candidate of candidates) {
    const own = cost(candidate);
    const isBetter =
      found === undefined || own < found.cost || (own === found.cost && candidate.id < found.candidate.id);
    if (isBetter) found = { candidate, cost: own };
  }
  return found?.candidate;
}

/** FNV-1a over both, then mixed: ids that differ in one letter must not come out close to each other. */
function rendezvous(id: string, key: string): number {
  let hash = 0x811c9dc5;
  for (const byte of encodeUtf8(`${id}\n${key}`)) hash = Math.imul(hash ^ byte, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
