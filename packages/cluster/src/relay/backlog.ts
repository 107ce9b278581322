/** How long the oldest of a channel's queued bytes have waited. */
import type { Millis } from "@sluice/base/brand";

/** Precision of the age; bounds the number of marks. */
const MARK_EVERY = 50 as Millis;

interface Mark {
  /** All bytes queued so far when it was set. */
  readonly total: number;
  readonly at: Millis;
}

export class Backlog {
  #total = 0;
  readonly #marks: Mark[] = [];

  /** All bytes that were ever queued. */
  get total(): number {
    return this.#total;
  }

  /** So many bytes more were queued. */
  note(byteCount: number, now: Millis): void {
    this.#total += byteCount;
    const last = this.#marks.at(-1);
    if (last === undefined || now - last.at >= MARK_EVERY) this.#marks.push({ total: this.#total, at: now });
  }

  /** @param queuedBytes  of what was noted, those that have not left yet */
  age(queuedBytes: number, now: Millis): Millis {
    const sent = this.#total - queuedBytes;
    while (this.#marks[0] !== undefined && this.#marks[0].total <= sent) this.#marks.shift();
    const oldest = this.#marks[0];
    return (oldest === undefined ? 0 : now - oldest.at) as Millis;
  }
}
