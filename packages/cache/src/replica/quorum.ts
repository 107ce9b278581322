/** Counting: what a majority has reached. */
import { majorityOf } from "./members.ts";

/** The highest value that a majority has reached or passed. @param values  one a voter, at least one */
export function reachedByMajority(values: readonly number[]): number {
  const descending = [...values].sort((a, b) => b - a);
  return descending[majorityOf(descending.length) - 1] as number;
}
