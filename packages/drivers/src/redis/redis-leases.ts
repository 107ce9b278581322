/** Leases that Redis expires itself; their keys are removed by the first process to notice, and count as gone before that. */
import type { Millis } from "@sluice/base/brand";
import type { Clock, Timer } from "@sluice/base/clock";
import { EngineCrowdedError, EngineUnavailableError } from "@sluice/engine/errors";
import { formatEpoch } from "@sluice/engine/epoch";
import type { RemoteEngineOptions } from "@sluice/engine/remote/engine-options";
import { HeldLease } from "@sluice/engine/remote/held-lease";
import { HeldLeases } from "@sluice/engine/remote/held-leases";
import { REMOTE_ENGINE_LIMITS } from "@sluice/engine/remote/remote-limits";
import { REDIS } from "./redis-failures.ts";
import type { RedisClient } from "./redis-client.ts";
import { readEpoch } from "./redis-names.ts";

/** Interval of sweeps, times 0.5 to 1.5: bounds the delay until watchers see the removal. */
const ROUND = 400;
/** Keys that one sweep removes: the server is blocked meanwhile. */
const SWEPT_KEYS = 256;

export class RedisLeases {
  readonly #line: RedisClient;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #held: HeldLeases;
  #timer: Timer | undefined;
  #isClosed = false;

  constructor(line: RedisClient, options: RemoteEngineOptions) {
    this.#line = line;
    this.#clock = options.clock;
    this.#random = options.random;
    this.#held = new HeldLeases(options);
    this.#armSweep();
  }

  /** @throws {EngineCrowdedError} */
  async grant(ttl: Millis): Promise<HeldLease> {
    this.#held.checkRoom();
    const limit = REMOTE_ENGINE_LIMITS.leaseSlots;
    const sentAt = this.#clock.now();
    const [outcome, text] = await this.#line.script(callOf("lease"), "GRANT", [ttl, limit]);
    if (outcome === "full") throw new EngineCrowdedError({ what: "leases", limit });
    const token = readEpoch(String(text));
    if (token === undefined) throw this.#unreadable();
    const name = formatEpoch(token);
    const renew = (patience: Millis): Promise<"renewed" | "gone"> => this.#renew(name, ttl, patience);
    return this.#held.hold({ token, ttl, sentAt, renew, drop: () => this.#sweepAll(name) });
  }

  /** The binding for an entry written under it; undefined for a foreign or expired lease. */
  bind(lease: unknown): string | undefined {
    if (!(lease instanceof HeldLease) || !this.#held.has(lease)) return undefined;
    return lease.validUntil > this.#clock.now() ? formatEpoch(lease.token) : undefined;
  }

  /** Best effort: a lease that cannot be released runs out. */
  releaseAll(): Promise<void> {
    return this.#held.releaseAll();
  }

  /** Stops renewing and sweeping; held leases run out. */
  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#held.abandonAll();
  }

  /** A late answer to a renewal does no harm, so it need not be undone. */
  async #renew(name: string, ttl: Millis, patience: Millis): Promise<"renewed" | "gone"> {
    const answered = new AbortController();
    const outOfPatience = this.#clock.sleep(patience, answered.signal).then(() => {
      throw new EngineUnavailableError({
        engine: REDIS,
        action: "renew",
        reason: "no answer in time",
        isUnknown: true,
      });
    });
    try {
      const [outcome] = await Promise.race([this.#line.script(callOf("renew"), "RENEW", [name, ttl]), outOfPatience]);
      return outcome === "renewed" ? "renewed" : "gone";
    } finally {
      outOfPatience.catch(() => {});
      answered.abort();
    }
  }

  /** @param token  lease to end now; empty: expired leases */
  async #sweepAll(token: string): Promise<void> {
    for (let isMore = true; isMore; ) {
      const [, left] = await this.#line.script(callOf("release"), "SWEEP", [token, SWEPT_KEYS]);
      isMore = String(left) === "1";
    }
  }

  #armSweep(): void {
    if (this.#isClosed) return;
    const delay = (ROUND * (0.5 + this.#random())) as Millis;
    this.#timer = this.#clock.after(delay, () => {
      const swept = this.#line.calls.isOpen ? this.#sweepAll("") : Promise.resolve();
      // Failures are retried in the next round.
      void swept.catch(() => {}).finally(() => this.#armSweep());
    });
  }

  #unreadable(): EngineUnavailableError {
    return new EngineUnavailableError({
      engine: REDIS,
      action: "lease",
      reason: "its answer is not a token",
      isUnknown: true,
    });
  }
}

function callOf(action: string): { readonly action: string; readonly isWrite: true; readonly bytes: 0 } {
  return { action, isWrite: true, bytes: 0 };
}
