/** Engine-wide numbers that only increase, even over a wiped store: revisions and fencing tokens. */

/**
 * `generation` identifies one life of the engine's data and increases when the data is wiped; `number` increases within
 * a generation. Both are integers from 0 to 2⁵³ − 1.
 */
export interface Epoch {
  readonly generation: number;
  readonly number: number;
}

/** Negative, zero or positive when `a` is lower than, equal to or higher than `b`. */
export function compareEpochs(a: Epoch, b: Epoch): number {
  return a.generation - b.generation || a.number - b.number;
}

export function formatEpoch(epoch: Epoch): string {
  return `${epoch.generation}.${epoch.number}`;
}
