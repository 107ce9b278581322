/** Bytes in and out of the node since its start, including ended sessions. */
import type { Session } from "../sessions/session.ts";
import type { SessionRegistry } from "../sessions/session-registry.ts";

export interface Traffic {
  readonly bytesIn: number;
  readonly bytesOut: number;
}

export class TrafficTotals {
  readonly #live: () => readonly Session[];
  #endedIn = 0;
  #endedOut = 0;

  constructor(live: () => SessionRegistry | undefined) {
    this.#live = () => live()?.all() ?? [];
  }

  /** Call once for each session after it has left the registry. */
  keep(session: Session): void {
    const { bytesIn, bytesOut } = session.facts;
    this.#endedIn += bytesIn;
    this.#endedOut += bytesOut;
  }

  read(): Traffic {
    let bytesIn = this.#endedIn;
    let bytesOut = this.#endedOut;
    for (const { facts } of this.#live()) {
      bytesIn += facts.bytesIn;
      bytesOut += facts.bytesOut;
    }
    return { bytesIn, bytesOut };
  }
}
