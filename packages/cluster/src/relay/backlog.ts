/** How long the bytes queued on a channel have waited, and how long the next ones will. */
import type { Millis } from "@sluice/base/brand";

/** Precision of both; bounds the number of marks. */
const MARK_EVERY = 50 as Millis;
/** Over how long the rate is measured. Must outlast a pause of the other process, and be forgotten soon after. */
const MEASURED = 2_000 as Millis;
/** Too short a time to tell a rate. */
const SHORTEST = 200 as Millis;

interface Mark {
  readonly bytes: number;
  readonly at: Millis;
}

export class Backlog {
  /** All bytes that were ever queued. */
  #total = 0;
  /** Bytes queued up to a moment, of what has not left yet. */
  readonly #queued: Mark[] = [];
  /** Bytes that had left at a moment, since the queue was last empty. */
  readonly #left: Mark[] = [];

  /** So many bytes more were queued. @param queuedBytes  all that wait now */
  note(byteCount: number, queuedBytes: number, now: Millis): void {
    this.#total += byteCount;
    mark(this.#queued, this.#total, now);
    if (queuedBytes === byteCount) this.#left.length = 0; // it was empty
    mark(this.#left, this.#total - queuedBytes, now);
    while (this.#left[0] !== undefined && now - this.#left[0].at > MEASURED) this.#left.shift();
  }

  /** How long the oldest has waited. */
  age(queuedBytes: number, now: Millis): Millis {
    const sent = this.#total - queuedBytes;
    while (this.#queued[0] !== undefined && this.#queued[0].bytes <= sent) this.#queued.shift();
    const oldest = this.#queued[0];
    return (oldest === undefined ? 0 : now - oldest.at) as Millis;
  }

  /** How long a byte queued now will wait at the rate of late, but no less than the oldest has waited. */
  wait(queuedBytes: number, now: Millis): Millis {
    const age = this.age(queuedBytes, now);
    const [first] = this.#left;
    const passed = first === undefined ? 0 : now - first.at;
    const sent = first === undefined ? 0 : this.#total - queuedBytes - first.bytes;
    if (queuedBytes === 0 || passed < SHORTEST || sent <= 0) return age;
    return Math.max(age, (queuedBytes * passed) / sent) as Millis;
  }
}

function mark(marks: Mark[], bytes: number, at: Millis): void {
  const last = marks.at(-1);
  if (last === undefined || at - last.at >= MARK_EVERY) marks.push({ bytes, at });
}
