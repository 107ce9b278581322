/** Limits the bytes in flight to what the path carries in one round trip, so that TCP's own queue stays short. */
import type { Millis } from "@sluice/base/brand";
import type { LinkLimits } from "./limits.ts";

/** Bytes sent between two marks; a mark yields a round-trip sample once it is acknowledged. */
const MARK_BYTES = 16 * 1024;
/** How long the shortest round trip is remembered; a path that became longer is noticed after this. */
const MEMORY = 30_000 as Millis;
/** Round-trip time that a busy process adds even when the path has no queue. */
const SLACK = 10 as Millis;

interface Mark {
  /** All bytes sent when the mark was made. */
  readonly total: number;
  readonly at: Millis;
}

/**
 * Delay-based, like TCP Vegas: grows by the acknowledged bytes while the round trip stays near the shortest one known,
 * and shrinks by a quarter, at most once per round trip, when the round trip has grown a lot: the path has a queue then.
 */
export class FlightWindow {
  readonly #limits: Pick<LinkLimits, "windowMin" | "windowMax">;
  readonly #marks: Mark[] = [];
  #size: number;
  #sent = 0;
  #acknowledged = 0;
  #shortest = Number.POSITIVE_INFINITY;
  #shortestAt = 0;
  #smoothed: number | undefined;
  #shrunkAt = Number.NEGATIVE_INFINITY;
  #wasLimiting = false;

  constructor(limits: Pick<LinkLimits, "windowMin" | "windowMax">) {
    this.#limits = limits;
    this.#size = limits.windowMin;
  }

  get size(): number {
    return this.#size;
  }

  get inFlight(): number {
    return this.#sent - this.#acknowledged;
  }

  /** Smoothed round trip; undefined before the first. */
  get rtt(): Millis | undefined {
    return this.#smoothed as Millis | undefined;
  }

  /** Whether another frame may be sent; if not, records that the window was the limit. */
  hasRoom(): boolean {
    const hasRoom = this.inFlight < this.#size;
    if (!hasRoom) this.#wasLimiting = true;
    return hasRoom;
  }

  sent(byteCount: number, now: Millis): void {
    this.#sent += byteCount;
    const last = this.#marks.at(-1);
    if (last === undefined || this.#sent - last.total >= MARK_BYTES) this.#marks.push({ total: this.#sent, at: now });
  }

  /**
   * @param total  bytes that the peer has received, modulo 2³²
   * @param sentAt  `at once`: the peer acknowledged on receipt, so the time since sending is a round trip
   * @returns false when the total exceeds what was ever sent
   */
  acknowledged(total: number, sentAt: "at once" | "some time later", now: Millis): boolean {
    const gained = (total - (this.#acknowledged % 2 ** 32) + 2 ** 32) % 2 ** 32;
    if (gained > this.inFlight) return false;
    this.#acknowledged += gained;
    let newest: Mark | undefined;
    while (this.#marks[0] !== undefined && this.#marks[0].total <= this.#acknowledged) newest = this.#marks.shift();
    if (newest !== undefined && sentAt === "at once") this.#adapt(gained, (now - newest.at) as Millis, now);
    return true;
  }

  /** A round trip measured by a heartbeat. */
  measured(rtt: Millis, now: Millis): void {
    this.#smoothed = this.#smoothed === undefined ? rtt : this.#smoothed * 0.75 + rtt * 0.25;
    this.#noteShortest(rtt, now);
  }

  #noteShortest(rtt: Millis, now: Millis): void {
    if (rtt > this.#shortest && now - this.#shortestAt < MEMORY) return;
    this.#shortest = rtt;
    this.#shortestAt = now;
  }

  #adapt(gained: number, rtt: Millis, now: Millis): void {
    const { windowMin, windowMax } = this.#limits;
    this.#noteShortest(rtt, now);
    const queued = rtt - this.#shortest;
    if (queued <= Math.max(SLACK, this.#shortest / 2)) {
      if (this.#wasLimiting) this.#size = Math.min(windowMax, this.#size + gained);
    } else if (queued > Math.max(2 * SLACK, this.#shortest) && now - this.#shrunkAt > rtt) {
      this.#size = Math.max(windowMin, this.#size * 0.75);
      this.#shrunkAt = now;
    }
    this.#wasLimiting = false;
  }
}
