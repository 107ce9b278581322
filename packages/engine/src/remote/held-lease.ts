/** A lease of this process on an external server: renews it in time, and tracks when the holder may no longer act. */
import { Backoff } from "@sluice/base/backoff";
import type { Millis } from "@sluice/base/brand";
import type { Clock, Timer } from "@sluice/base/clock";
import type { Lease } from "../engine.ts";
import type { Epoch } from "../epoch.ts";

export interface HeldLeaseOptions {
  readonly clock: Clock;
  readonly random: () => number;
  readonly token: Epoch;
  readonly ttl: Millis;
  /** Monotonic time at which the granting request was sent. */
  readonly sentAt: Millis;
  /** Rejects without an answer within `patience`. */
  readonly renew: (patience: Millis) => Promise<"renewed" | "gone">;
  /** Removes the lease and its keys from the server. */
  readonly drop: () => Promise<void>;
  /** Called once: released or lost. */
  readonly onEnd: () => void;
}

/** Renewals per time to live at least: two may fail, and the third is still in time. */
const RENEWALS = 3;
/** Target: four renewals per time to live, at least half a second apart, since each is a record in the log of the engine. */
const RENEW_EVERY = 500;
const USUAL_RENEWALS = 4;

export class HeldLease implements Lease {
  readonly token: Epoch;
  readonly ttl: Millis;
  readonly #options: HeldLeaseOptions;
  readonly #lost = new AbortController();
  readonly #backoff: Backoff;
  #validUntil: Millis;
  #renewal: Timer | undefined;
  #expiry: Timer | undefined;
  #released: Promise<void> | undefined;

  constructor(options: HeldLeaseOptions) {
    const { ttl, random } = options;
    this.#options = options;
    this.token = options.token;
    this.ttl = ttl;
    this.#validUntil = (options.sentAt + ttl) as Millis;
    this.#backoff = new Backoff({ first: (ttl / 20) as Millis, cap: (ttl / 6) as Millis, factor: 2, random });
    this.#armExpiry();
    this.#armRenewal((options.sentAt + renewalAfter(ttl) - options.clock.now()) as Millis);
  }

  get validUntil(): Millis {
    return this.#validUntil;
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  release(): Promise<void> {
    this.#released ??= this.#release();
    return this.#released;
  }

  /** Stops renewing, and marks the lease lost; the server lets it run out. */
  abandon(): void {
    if (this.#lost.signal.aborted) return;
    this.#renewal?.cancel();
    this.#expiry?.cancel();
    this.#validUntil = Math.min(this.#validUntil, this.#options.clock.now()) as Millis;
    this.#lost.abort(new Error("Lease lost"));
    this.#options.onEnd();
  }

  async #release(): Promise<void> {
    const wasLost = this.#lost.signal.aborted;
    this.abandon();
    if (!wasLost) await this.#options.drop();
  }

  #armRenewal(delay: Millis): void {
    this.#renewal = this.#options.clock.after(delay, () => void this.#renew());
  }

  async #renew(): Promise<void> {
    const { clock, ttl, renew } = this.#options;
    const sentAt = clock.now();
    try {
      const outcome = await renew((ttl / RENEWALS) as Millis);
      if (this.#lost.signal.aborted) return;
      if (outcome === "gone") return this.abandon();
      this.#validUntil = (sentAt + ttl) as Millis;
      this.#backoff.reset();
      this.#armExpiry();
      this.#armRenewal((sentAt + renewalAfter(ttl) - clock.now()) as Millis);
    } catch {
      if (!this.#lost.signal.aborted) this.#armRenewal(this.#backoff.next());
    }
  }

  #armExpiry(): void {
    const { clock } = this.#options;
    this.#expiry?.cancel();
    this.#expiry = clock.after((this.#validUntil - clock.now()) as Millis, () => {
      if (clock.now() < this.#validUntil) this.#armExpiry();
      else this.abandon();
    });
  }
}

function renewalAfter(ttl: Millis): Millis {
  return Math.min(ttl / RENEWALS, Math.max(RENEW_EVERY, ttl / USUAL_RENEWALS)) as Millis;
}
