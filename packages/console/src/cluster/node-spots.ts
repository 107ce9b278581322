// Position of each node in the picture: the answering node in the middle, the others around it, at fixed places.

/** On a circle of radius 1 around the middle; the style sheet scales it to the available space. */
export interface Spot {
  readonly x: number;
  readonly y: number;
}

export const MIDDLE: Spot = { x: 0, y: 0 };

/** Degrees clockwise from the right, in the order of use, so that any number of nodes looks balanced. */
const FIRST_ROUND = [180, 0, 270, 90, 210, 30, 330, 150, 240, 60, 300, 120];
/** Later rounds fill the gaps between the earlier ones. */
const ROUNDS = [0, 15, 7.5, 22.5];

/** More could not be distinguished; the list below the picture has all of them. */
export const MOST_SPOTS = FIRST_ROUND.length * ROUNDS.length;

export class NodeSpots {
  /** Id of the node at each place in the order above. */
  readonly #taken: (string | undefined)[] = [];

  /** A node keeps its spot until it is no longer among `ids`. Beyond `MOST_SPOTS` nodes have none. */
  place(ids: readonly string[]): ReadonlyMap<string, Spot> {
    for (const [index, id] of this.#taken.entries())
      if (id !== undefined && !ids.includes(id)) this.#taken[index] = undefined;
    for (const id of ids.toSorted()) {
      if (this.#taken.includes(id)) continue;
      const free = this.#taken.indexOf(undefined);
      const index = free === -1 ? this.#taken.length : free;
      if (index < MOST_SPOTS) this.#taken[index] = id;
    }
    return new Map(this.#taken.flatMap((id, index) => (id === undefined ? [] : [[id, spotAt(index)]])));
  }
}

function spotAt(index: number): Spot {
  const round = ROUNDS[Math.floor(index / FIRST_ROUND.length)] ?? 0;
  const angle = (((FIRST_ROUND[index % FIRST_ROUND.length] ?? 0) + round) * Math.PI) / 180;
  return { x: rounded(Math.cos(angle)), y: rounded(Math.sin(angle)) };
}

function rounded(value: number): number {
  return Math.round(value * 1e4) / 1e4 + 0; // no minus zero
}
