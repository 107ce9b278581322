/** One direction between two simulated nodes: what is under way on its ordered stream, and how it is cut. */

/**
 * What becomes of an ordered stream whose direction is cut. `close`: it breaks, both ends are told and what was under
 * way is lost. `hold`: nobody is told and what is sent arrives after healing, late, as TCP does. `vanish`: nobody is
 * told, what was under way and what is sent is lost, and the stream breaks at healing, since a stream has no holes.
 */
export type CutMode = "close" | "hold" | "vanish";

export class SimLane {
  readonly from: string;
  readonly to: string;
  cut: CutMode | undefined;
  /** The same for both directions of a pair. */
  isOpen = false;
  /** Something was lost although nobody was told: the stream must break at healing. */
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

  /** Never before what was sent earlier. */
  nextArrival(wanted: number): number {
    this.#lastArrival = Math.max(this.#lastArrival, wanted);
    return this.#lastArrival;
  }

  /** A ticket is good until the message arrives or the stream breaks. */
  board(): number {
    const ticket = this.#nextTicket++;
    this.#underWay.add(ticket);
    return ticket;
  }

  /** @returns false when the stream broke meanwhile, and the message with it */
  leave(ticket: number): boolean {
    return this.#underWay.delete(ticket);
  }

  /** Arrived at the cut, and waits there. */
  hold(arrive: () => void): void {
    this.#held.push(arrive);
  }

  takeHeld(): (() => void)[] {
    return this.#held.splice(0);
  }

  /** @returns how many messages were lost */
  dropAll(): number {
    const count = this.#underWay.size;
    this.#underWay.clear();
    this.#held.length = 0;
    return count;
  }
}
