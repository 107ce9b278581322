/** One direction between two simulated nodes: messages in flight on its ordered stream, and cuts. */

/**
 * Effect of a cut on an ordered stream. `close`: it breaks, both ends are notified, and messages in flight are
 * lost. `hold`: no notification; messages arrive after healing, late, as with TCP. `vanish`: no notification;
 * messages in flight and later ones are lost, and the stream breaks at healing, since a stream has no gaps.
 */
export type CutMode = "close" | "hold" | "vanish";

export class SimLane {
  readonly from: string;
  readonly to: string;
  cut: CutMode | undefined;
  /** Equal for both directions of a pair. */
  isOpen = false;
  /** A message was lost without notification: the stream must break at healing. */
  hasHole = false;
  readonly #underWay = new Set<number>();
  readonly #held: (() => void)[] = [];
  #lastArrival = 0;
  #nextTicket = 0;

  constructor(from: string, to: string) {
    this.from = from;
    this.to = to;
  }

  get pendingCount(): number {
    return this.#underWay.size;
  }

  /** Not before the arrival of earlier messages. */
  nextArrival(wanted: number): number {
    this.#lastArrival = Math.max(this.#lastArrival, wanted);
    return this.#lastArrival;
  }

  /** A ticket is valid until the message arrives or the stream breaks. */
  board(): number {
    const ticket = this.#nextTicket++;
    this.#underWay.add(ticket);
    return ticket;
  }

  /** @returns false if the stream broke meanwhile, losing the message */
  leave(ticket: number): boolean {
    return this.#underWay.delete(ticket);
  }

  /** Holds a message that reached the cut. */
  hold(arrive: () => void): void {
    this.#held.push(arrive);
  }

  takeHeld(): (() => void)[] {
    return this.#held.splice(0);
  }

  /** @returns the number of lost messages */
  dropAll(): number {
    const count = this.#underWay.size;
    this.#underWay.clear();
    this.#held.length = 0;
    return count;
  }
}
