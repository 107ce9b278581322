/** Detects a member whose store was lost, as opposed to a new one, and lets it rejoin if that is allowed. */
import type { Millis } from "@sluice/base/brand";
import type { Clock, Timer } from "@sluice/base/clock";
import type { Log } from "@sluice/base/log";
import type { MemberTransport } from "../members/member-transport.ts";
import type { ReplicaDriver } from "./replica-driver.ts";

/** Asked again at this interval, as the leader may change. */
const ASK_EVERY = 1_000 as Millis;

export interface RejoinOptions {
  readonly mode: "manual" | "auto";
  readonly driver: Pick<ReplicaDriver<unknown>, "status">;
  readonly transport: Pick<MemberTransport, "refusals" | "askForPlace">;
  readonly clock: Clock;
  readonly log: Log;
}

export class Rejoin implements Disposable {
  readonly #options: RejoinOptions;
  #timer: Timer | undefined;
  #hasTold = false;

  constructor(options: RejoinOptions) {
    this.#options = options;
  }

  /** The refusals of this member changed. */
  look(): void {
    if (!this.#isLost()) return this[Symbol.dispose]();
    const { mode, log, transport } = this.#options;
    if (!this.#hasTold) {
      this.#hasTold = true;
      const advice = transport.refusals.find(({ reason }) => reason === "other-store")?.advice;
      if (mode === "auto") log.warn({}, "The cluster knows this node with another store: asking for its former place");
      else
        log.error(
          { advice },
          "The cluster knows this node with another store: was the disk lost, or has another node its id?",
        );
    }
    if (mode === "auto" && this.#timer === undefined) this.#ask();
  }

  [Symbol.dispose](): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #ask(): void {
    this.#options.transport.askForPlace();
    this.#timer = this.#options.clock.after(ASK_EVERY, () => {
      this.#timer = undefined;
      this.look();
    });
  }

  /** Whether nothing of value is stored here. */
  #isLost(): boolean {
    const { members, lastIndex } = this.#options.driver.status();
    if (members.length > 0 || lastIndex > 0) return false;
    return this.#options.transport.refusals.some(
      ({ by, reason }) => by === "the other member" && reason === "other-store",
    );
  }
}
