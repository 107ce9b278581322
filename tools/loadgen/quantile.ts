/** Quantile of a list of numbers. */

/** The smallest value that at least that share (0…1) of the list does not exceed; 0 when empty. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))] ?? 0;
}
