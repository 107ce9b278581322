/** A clock that stands still until a test moves it. */
import type { Millis } from "@sluice/base/brand";
import type { Clock, Timer } from "@sluice/base/clock";

interface Pending {
  readonly at: number;
  readonly order: number;
  readonly action: () => void;
}

/** What is due at the same moment runs in the order it was asked for. */
export class FakeClock implements Clock {
  readonly #pending = new Set<Pending>();
  readonly #wallAtZero: number;
  #now = 0;
  #order = 0;

  /** @param wallAtZero  wall-clock milliseconds since 1970 when `now()` is 0 */
  constructor(wallAtZero = Date.UTC(2026, 0, 1)) {
    this.#wallAtZero = wallAtZero;
  }

  now(): Millis {
    return this.#now as Millis;
  }

  wall(): Millis {
    return (this.#wallAtZero + this.#now) as Millis;
  }

  /** Timers that have not run and were not cancelled: a test ends with none if nothing leaks. */
  get pendingCount(): number {
    return this.#pending.size;
  }

  after(delay: Millis, action: () => void): Timer {
    const pending: Pending = { at: this.#now + Math.max(0, delay), order: this.#order++, action };
    this.#pending.add(pending);
    return { cancel: () => void this.#pending.delete(pending) };
  }

  async sleep(delay: Millis, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      const onAbort = (): void => {
        timer.cancel();
        reject(signal.reason as Error);
      };
      const timer = this.after(delay, () => {
        signal.removeEventListener("abort", onAbort);
        resolve();
      });
      signal.addEventListener("abort", onAbort, { once: true });
    });
  }

  /** Moves time on by `millis`, running on the way what becomes due, each at its own moment. */
  advance(millis: number): void {
    const end = this.#now + millis;
    for (let due = this.#nextDue(end); due !== undefined; due = this.#nextDue(end)) {
      this.#pending.delete(due);
      this.#now = Math.max(this.#now, due.at);
      due.action();
    }
    this.#now = end;
  }

  /** As `advance`, but lets promises settle after each timer, for code that awaits between two sleeps. */
  async advanceAsync(millis: number): Promise<void> {
    const end = this.#now + millis;
    await settle();
    for (let due = this.#nextDue(end); due !== undefined; due = this.#nextDue(end)) {
      this.#pending.delete(due);
      this.#now = Math.max(this.#now, due.at);
      due.action();
      await settle();
    }
    this.#now = end;
  }

  #nextDue(end: number): Pending | undefined {
    let next: Pending | undefined;
    for (const pending of this.#pending) {
      if (pending.at > end) continue;
      if (next === undefined || pending.at < next.at || (pending.at === next.at && pending.order < next.order)) {
        next = pending;
      }
    }
    return next;
  }
}

/** Resolves once every promise that could settle by itself has done so. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
