/** Chooses a node for publishers, relays, redirected clients and drains: one function with a replaceable policy. */
import { encodeUtf8 } from "@sluice/bytes/byte-writer";

export interface Candidate {
  readonly id: string;
  /** 0 to 1, as last announced. */
  readonly heat: number;
  /** Homes at the node now. */
  readonly homeCount: number;
}

export interface PlacementWish {
  /** Key of the stream, object or client; the same wherever the question is asked. */
  readonly key: string;
  /** The node where it is now; undefined for something new. */
  readonly present: string | undefined;
  /** How much the heat of the chosen node will rise. */
  readonly loadToCome: number;
}

export interface PlacementPolicy {
  /** The best of at least one candidate; undefined if the policy has no opinion. */
  readonly choose: (wish: PlacementWish, candidates: readonly Candidate[]) => Candidate | undefined;
  /** `always`: also away from a node that is cool enough, at an operator's request. */
  readonly moves: "from-hot-to-cool" | "always";
}

/** Moves nothing away from a node that is not hotter than this. */
export const HOT = 0.75;
/** Moves nothing to a node that would get hotter than this; the gap to `HOT` prevents flapping. */
const COOL = 0.5;

/**
 * @param eligible  nodes that may be chosen: ready, linked, with the right role
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

/** The least heat, including the load to come. */
export const BY_HEAT: PlacementPolicy = {
  choose: (wish, candidates) => coolest(wish, candidates),
  moves: "from-hot-to-cool",
};

/** The fewest homes; among equals the coolest. */
export const LEAST_LOADED: PlacementPolicy = {
  choose: (wish, candidates) => {
    const fewest = Math.min(...candidates.map(({ homeCount }) => homeCount));
    const least = candidates.filter(({ homeCount }) => homeCount === fewest);
    return coolest(wish, least);
  },
  moves: "from-hot-to-cool",
};

/** Rendezvous hashing: every node chooses the same, and only keys of a lost node move. */
export const BY_HASH: PlacementPolicy = {
  choose: (wish, candidates) => best(candidates, ({ id }) => -rendezvous(id, wish.key)),
  moves: "from-hot-to-cool",
};

/** Chooses the pinned node of a key; without a pin, or if that node is not eligible, the other policy decides. */
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
  // its heat already includes the thing itself
  return best(candidates, ({ id, heat }) => (id === present ? heat : heat + loadToCome));
}

/** The lowest id wins between equal costs, so that all nodes choose alike. */
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

/** FNV-1a over both, then mixed, so that ids that differ in one letter get unrelated results. */
function rendezvous(id: string, key: string): number {
  let hash = 0x811c9dc5;
  for (const byte of encodeUtf8(`${id}\n${key}`)) hash = Math.imul(hash ^ byte, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
