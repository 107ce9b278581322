/** Writes new keys to a cache all the time, as a program with ioredis in Sentinel mode does, and keeps account. */
import { setTimeout as pause } from "node:timers/promises";
import { Redis, type RedisOptions } from "ioredis";

export type Sentinels = readonly { readonly host: string; readonly port: number }[];

type More = Pick<RedisOptions, "autoResendUnfulfilledCommands" | "commandTimeout" | "reconnectOnError">;

/**
 * As clients do it who have no code of ours. It dials again soon, so that gaps are the server's, and leaves a leader that
 * says nothing. Without `failoverDetector`: told of a fail-over while it dials, ioredis ends for good.
 */
export function openSentinelRedis(sentinels: Sentinels, more: More = {}): Redis {
  const redis = new Redis({
    sentinels: [...sentinels],
    name: "sluice",
    socketTimeout: SILENCE_MILLIS,
    retryStrategy: () => 25,
    sentinelRetryStrategy: () => 25,
    connectTimeout: 1_000,
    sentinelCommandTimeout: 500,
    maxRetriesPerRequest: null,
    reconnectOnError: (error) => (/^(READONLY|MASTERDOWN)/.test(error.message) ? 2 : false),
    ...more,
  });
  redis.on("error", () => {});
  return redis;
}

const SILENCE_MILLIS = 800;
const DISPOSE_MILLIS = 1_000;
const FIND_MILLIS = 30_000;
const LANES = 8;
const PAUSE_MILLIS = 2;
const BATCH = 500;

/** Dispose it (`await using`), and it is stopped. */
export class CacheLedger implements AsyncDisposable {
  readonly acknowledged: string[] = [];
  /** What was asked and not confirmed; it may be there or not. */
  readonly failures: string[] = [];
  readonly #redis: Redis;
  readonly #lanes: readonly Promise<void>[];
  #isStopping = false;
  #lastAck = performance.now();
  #lastBegun = 0;
  #longestGap = 0;

  constructor(sentinels: Sentinels) {
    this.#redis = openSentinelRedis(sentinels);
    this.#lanes = Array.from({ length: LANES }, (_, lane) => this.#run(lane));
  }

  /** Until a write is acknowledged that began after now. @throws {Error} after `waitMillis` */
  async writesAgain(waitMillis = 15_000): Promise<void> {
    const since = performance.now();
    while (this.#lastBegun <= since) {
      if (performance.now() - since > waitMillis) {
        throw new Error(`No write was acknowledged for ${waitMillis} ms; last failure: ${this.failures.at(-1)}`);
      }
      await pause(5);
    }
  }

  /** The longest time without an acknowledgement since the last call, in ms. */
  takeLongestGap(): number {
    const gap = Math.max(this.#longestGap, performance.now() - this.#lastAck);
    this.#longestGap = 0;
    return gap;
  }

  /** @throws {Error} when the last writes are not answered in time */
  async stop(waitMillis = 20_000): Promise<void> {
    this.#isStopping = true;
    const ended = await this.#lanesEnd(waitMillis);
    this.#redis.disconnect();
    if (!ended)
      throw new Error(`The last writes were not answered for ${waitMillis} ms (client: ${this.#redis.status})`);
  }

  /** Waits no longer than it takes to end writes: ioredis forgets those that wait while it is between two attempts. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopping = true;
    this.#redis.disconnect();
    await this.#lanesEnd(DISPOSE_MILLIS);
  }

  #lanesEnd(waitMillis: number): Promise<boolean> {
    const ended = Promise.all(this.#lanes).then(() => true);
    return Promise.race([ended, pause(waitMillis, false, { ref: false })]);
  }

  async #run(lane: number): Promise<void> {
    for (let count = 0; !this.#isStopping; count++) {
      const key = `ledger:${lane}:${count}`;
      const begun = performance.now();
      try {
        await this.#redis.set(key, key);
        this.#acknowledge(key, begun);
      } catch (error) {
        this.failures.push(`${key}: ${(error as Error).message}`);
      }
      await pause(PAUSE_MILLIS);
    }
  }

  #acknowledge(key: string, begun: number): void {
    const now = performance.now();
    this.#longestGap = Math.max(this.#longestGap, now - this.#lastAck);
    this.#lastAck = now;
    this.#lastBegun = Math.max(this.#lastBegun, begun);
    this.acknowledged.push(key);
  }
}

/** Those of the keys that are not there as they were written. @throws {Error} when that cannot be read in time */
export async function findMissing(redis: Redis, keys: readonly string[]): Promise<string[]> {
  const reading = new AbortController();
  const late = pause(FIND_MILLIS, undefined, { signal: reading.signal }).then(() => {
    redis.disconnect();
    throw new Error(`Reading back took more than ${FIND_MILLIS} ms (client: ${redis.status})`);
  });
  try {
    return await Promise.race([readMissing(redis, keys), late]);
  } finally {
    late.catch(() => {});
    reading.abort();
  }
}

async function readMissing(redis: Redis, keys: readonly string[]): Promise<string[]> {
  const missing: string[] = [];
  for (let start = 0; start < keys.length; start += BATCH) {
    const some = keys.slice(start, start + BATCH);
    const values = await redis.mget(...some);
    missing.push(...some.filter((key, index) => values[index] !== key));
  }
  return missing;
}
