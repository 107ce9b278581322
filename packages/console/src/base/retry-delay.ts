// Delays of retries: doubling, capped, with jitter.

export interface RetryPolicy {
  /** Milliseconds before the first retry. */
  readonly first: number;
  /** Milliseconds never exceeded. */
  readonly longest: number;
}

/** @param attempt 0 for the first retry  @param random in [0, 1): spreads many consoles over a quarter of the delay */
export function retryDelay(policy: RetryPolicy, attempt: number, random: number): number {
  const full = Math.min(policy.longest, policy.first * 2 ** Math.min(attempt, 16));
  return Math.round(full * (1 - random / 4));
}
