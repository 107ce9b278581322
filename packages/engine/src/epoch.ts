/** Engine-wide numbers that only rise: revisions and fencing tokens, never a counter that could start again. */

/**
 * `generation` names one life of the engine's data and rises when that is wiped; `number` rises within it.
 * Both are integers from 0 to 2⁵³ − 1.
 */
export interface Epoch {
  readonly generation: number;
  readonly number: number;
}

/** Negative, zero or positive, as `a` is lower than, the same as or higher than `b`. */
export function compareEpochs(a: Epoch, b: Epoch): number {
  return a.generation - b.generation || a.number - b.number;
}

export function formatEpoch(epoch: Epoch): string {
  return `${epoch.generation}.${epoch.number}`;
}
