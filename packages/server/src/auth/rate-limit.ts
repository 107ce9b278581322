/** Limits on how often: one token bucket per address, in a table that never grows past its bound. */
import type { Millis } from "@sluice/base/brand";

interface Bucket {
  tokens: number;
  filledAt: Millis;
}

export interface BucketRule {
  /** Tokens that come back in a second. */
  readonly perSecond: number;
  /** Most tokens a bucket holds. */
  readonly burst: number;
  /** Buckets kept; beyond it the one unused longest is forgotten, which refills it. */
  readonly mostBuckets: number;
}

export class TokenBuckets {
  readonly #rule: BucketRule;
  /** In order of use, oldest first. */
  readonly #buckets = new Map<string, Bucket>();

  constructor(rule: BucketRule) {
    this.#rule = rule;
  }

  get size(): number {
    return this.#buckets.size;
  }

  /** Takes one token; false when there is none left. */
  take(name: string, now: Millis): boolean {
    const { perSecond, burst, mostBuckets } = this.#rule;
    const bucket = this.#buckets.get(name) ?? { tokens: burst, filledAt: now };
    bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.filledAt) / 1_000) * perSecond);
    bucket.filledAt = now;
    this.#buckets.delete(name);
    this.#buckets.set(name, bucket);
    if (this.#buckets.size > mostBuckets) this.#buckets.delete(this.#buckets.keys().next().value as string);
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }
}
