/** Hands leadership to a chosen follower: stops proposals, waits for it to catch up, then asks it to campaign. */
import type { Millis } from "@sluice/base/brand";
import type { MemberId } from "../ids.ts";
import type { ReplicaTiming } from "./timing.ts";

type State =
  | { readonly at: "none" }
  | { readonly at: "catching-up"; readonly to: MemberId; readonly until: Millis }
  /** The follower may be elected at any moment: this leader must never use its lease again. */
  | { readonly at: "asked"; readonly to: MemberId; readonly until: Millis };

export class HandOver {
  readonly #timing: ReplicaTiming;
  #state: State = { at: "none" };

  constructor(timing: ReplicaTiming) {
    this.#timing = timing;
  }

  get to(): MemberId | undefined {
    return this.#state.at === "none" ? undefined : this.#state.to;
  }

  get isLeaseGivenUp(): boolean {
    return this.#state.at === "asked";
  }

  get deadline(): Millis {
    return (this.#state.at === "none" ? Number.POSITIVE_INFINITY : this.#state.until) as Millis;
  }

  start(to: MemberId, now: Millis): void {
    this.#state = { at: "catching-up", to, until: (now + this.#timing.electionMax) as Millis };
  }

  /** @returns false if the follower was asked before */
  begin(now: Millis): boolean {
    if (this.#state.at !== "catching-up") return false;
    this.#state = { at: "asked", to: this.#state.to, until: (now + this.#timing.electionMax) as Millis };
    return true;
  }

  /**
   * @returns `cancelled`: it did not catch up in time, continue as leader. `failed`: it was asked and was not elected;
   * only stepping down is safe
   */
  tick(now: Millis): "going-on" | "cancelled" | "failed" {
    if (this.#state.at === "none" || now < this.#state.until) return "going-on";
    const outcome = this.#state.at === "asked" ? "failed" : "cancelled";
    if (outcome === "cancelled") this.#state = { at: "none" };
    return outcome;
  }
}
