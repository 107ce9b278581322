/** Quantile of a list of numbers. */

/** The smallest value that is at least as large as the given share (0…1) of the list; 0 when empty. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))] ?? 0;
}
