/** Reads that wait until a majority confirms that the leader was still leader when they were asked. */
import type { Millis } from "@sluice/base/brand";
import type { ProposalId, ReadAnswer } from "./replica-output.ts";

interface WaitingRead {
  readonly token: ProposalId;
  readonly askedAt: Millis;
}

export class Reads {
  #waiting: WaitingRead[] = [];

  get count(): number {
    return this.#waiting.length;
  }

  add(read: WaitingRead): void {
    this.#waiting.push(read);
  }

  /** @param confirmedAt  send time of the latest message confirmed by a majority */
  grant(confirmedAt: Millis): readonly ReadAnswer[] {
    const first = this.#waiting.findIndex((read) => read.askedAt > confirmedAt);
    const granted = this.#waiting.splice(0, first === -1 ? this.#waiting.length : first);
    return granted.map(({ token }) => ({ token, outcome: "granted" }));
  }

  abandon(): readonly ReadAnswer[] {
    const lost = this.#waiting;
    this.#waiting = [];
    return lost.map(({ token }) => ({ token, outcome: "lost" }));
  }
}
