/** Small statistics over repeated cells: least, median, most. */

export interface Spread {
  readonly least: number;
  readonly median: number;
  readonly most: number;
}

/** The middle value; with an even count the mean of the two in the middle. @throws {RangeError} when empty. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const high = sorted[Math.floor(sorted.length / 2)];
  const low = sorted[Math.floor((sorted.length - 1) / 2)];
  if (high === undefined || low === undefined) throw new RangeError("Cannot take the median of nothing");
  return (low + high) / 2;
}

export function spreadOf(values: readonly number[]): Spread {
  return { least: Math.min(...values), median: median(values), most: Math.max(...values) };
}

/** The item whose measure is the median one (the lower of two in the middle). */
export function medianItem<T>(items: readonly T[], measure: (item: T) => number): T {
  const sorted = [...items].sort((a, b) => measure(a) - measure(b));
  const item = sorted[Math.floor((sorted.length - 1) / 2)];
  if (item === undefined) throw new RangeError("Cannot take the median of nothing");
  return item;
}
