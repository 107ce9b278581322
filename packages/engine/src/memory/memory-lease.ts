/** A lease as seen by its holder: renews itself, and is lost by the holder's own clock. */
import type { Millis } from "@sluice/base/brand";
import type { Timer } from "@sluice/base/clock";
import type { Lease } from "../engine.ts";
import type { Epoch } from "../epoch.ts";
import { EngineLeaseLostError } from "../errors.ts";
import type { MemoryLink } from "./memory-link.ts";
import type { MemoryStore } from "./memory-store.ts";

/** Two renewals may fail before the lease runs out. */
const RENEWALS_PER_TTL = 3;

export interface GrantedLease {
  readonly store: MemoryStore;
  readonly link: MemoryLink;
  readonly token: Epoch;
  readonly ttl: Millis;
  /** When the request was sent. */
  readonly sent: Millis;
}

export class MemoryLease implements Lease {
  readonly #granted: GrantedLease;
  readonly #losing = new AbortController();
  #validUntil = Number.NEGATIVE_INFINITY as Millis;
  #renewal: Timer | undefined;
  #expiry: Timer | undefined;

  constructor(granted: GrantedLease) {
    this.#granted = granted;
    this.#confirm(granted.sent);
  }

  get token(): Epoch {
    return this.#granted.token;
  }

  get ttl(): Millis {
    return this.#granted.ttl;
  }

  get validUntil(): Millis {
    return this.#validUntil;
  }

  get lost(): AbortSignal {
    return this.#losing.signal;
  }

  async release(): Promise<void> {
    const { store, link, token } = this.#granted;
    this.lose();
    if (!link.isClosed) await link.exchange("release a lease", "write", () => store.release(token));
  }

  /** May be called twice. */
  lose(): void {
    if (this.lost.aborted) return;
    this.#renewal?.cancel();
    this.#expiry?.cancel();
    this.#validUntil = Math.min(this.#validUntil, this.#granted.store.clock.now()) as Millis;
    this.#losing.abort(new EngineLeaseLostError({ token: this.token }));
  }

  #confirm(sent: Millis): void {
    const { store, ttl } = this.#granted;
    this.#validUntil = Math.max(this.#validUntil, sent + ttl) as Millis;
    this.#expiry?.cancel();
    this.#expiry = store.clock.after((this.#validUntil - store.clock.now()) as Millis, () => this.lose());
    this.#renewLater();
  }

  #renewLater(): void {
    const { store, ttl } = this.#granted;
    this.#renewal = store.clock.after((ttl / RENEWALS_PER_TTL) as Millis, () => void this.#renew());
  }

  async #renew(): Promise<void> {
    const { store, link, token } = this.#granted;
    const sent = store.clock.now();
    const answer = await link
      .exchange("renew a lease", "write", () => store.renew(token))
      .catch(() => "failed" as const);
    if (this.lost.aborted) return;
    if (answer === "gone") this.lose();
    else if (answer === "failed") this.#renewLater();
    else this.#confirm(sent);
  }
}
