/** The leases that one client of an engine holds: bounded, and ended together. */
import { EngineCrowdedError } from "../errors.ts";
import { ENGINE_LIMITS } from "../limits.ts";
import { HeldLease, type HeldLeaseOptions } from "./held-lease.ts";

export class HeldLeases {
  readonly #options: Pick<HeldLeaseOptions, "clock" | "random">;
  readonly #held = new Set<HeldLease>();

  constructor({ clock, random }: Pick<HeldLeaseOptions, "clock" | "random">) {
    this.#options = { clock, random };
  }

  has(lease: HeldLease): boolean {
    return this.#held.has(lease);
  }

  /** Call before one more is asked for. @throws {EngineCrowdedError} */
  checkRoom(): void {
    const { leases: limit } = ENGINE_LIMITS;
    if (this.#held.size >= limit) throw new EngineCrowdedError({ what: "leases", limit });
  }

  /** A lease that was granted; it may have run out before its grant was heard of. */
  hold(granted: Omit<HeldLeaseOptions, "clock" | "random" | "onEnd">): HeldLease {
    const lease: HeldLease = new HeldLease({
      ...this.#options,
      ...granted,
      onEnd: () => void this.#held.delete(lease),
    });
    if (!lease.lost.aborted) this.#held.add(lease);
    return lease;
  }

  /** Best effort: a lease that cannot be released runs out. */
  async releaseAll(): Promise<void> {
    await Promise.allSettled([...this.#held].map((lease) => lease.release()));
  }

  /** Stops renewing: held leases run out. */
  abandonAll(): void {
    for (const lease of [...this.#held]) lease.abandon();
  }
}
