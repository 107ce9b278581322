/** A clock that only a test advances. */
import type { Millis } from "@sluice/base/brand";
import type { Clock, Timer } from "@sluice/base/clock";
import { type Due, DueHeap } from "./due-heap.ts";
import { sleepByTimer } from "./timer-sleep.ts";

interface Pending extends Due {
  /** Undefined once it ran or was cancelled. */
  action: (() => void) | undefined;
}

/** Timers due at the same moment run in the order of creation. */
export class FakeClock implements Clock {
  readonly #pending = new DueHeap<Pending>();
  readonly #wallAtZero: number;
  #now = 0;
  #order = 0;
  #pendingCount = 0;

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

  /** Timers neither run nor cancelled; 0 at the end of a test without leaks. */
  get pendingCount(): number {
    return this.#pendingCount;
  }

  after(delay: Millis, action: () => void): Timer {
    const pending: Pending = { at: this.#now + Math.max(0, delay), order: this.#order++, action };
    this.#pending.put(pending);
    this.#pendingCount++;
    return { cancel: () => void this.#take(pending) };
  }

  afterPoll(action: () => void): Timer {
    return this.after(0 as Millis, action);
  }

  sleep(delay: Millis, signal: AbortSignal): Promise<void> {
    return sleepByTimer(this, delay, signal);
  }

  /** Advances time by `millis`, running each timer at its own moment. */
  advance(millis: number): void {
    const end = this.#now + millis;
    for (let due = this.#nextDue(end); due !== undefined; due = this.#nextDue(end)) {
      this.#now = Math.max(this.#now, due.at);
      this.#take(due)?.();
    }
    this.#now = end;
  }

  /** Like `advance`, but lets promises settle after each timer, for code that awaits between two sleeps. */
  async advanceAsync(millis: number): Promise<void> {
    const end = this.#now + millis;
    await settle();
    for (let due = this.#nextDue(end); due !== undefined; due = this.#nextDue(end)) {
      this.#now = Math.max(this.#now, due.at);
      this.#take(due)?.();
      await settle();
    }
    this.#now = end;
  }

  #take(pending: Pending): (() => void) | undefined {
    const { action } = pending;
    if (action !== undefined) this.#pendingCount--;
    pending.action = undefined;
    return action;
  }

  /** Removes it from the heap. */
  #nextDue(end: number): Pending | undefined {
    for (let first = this.#pending.first(); first !== undefined; first = this.#pending.first()) {
      if (first.action !== undefined && first.at > end) return undefined;
      this.#pending.takeFirst();
      if (first.action !== undefined) return first;
    }
    return undefined;
  }
}

/** Resolves after every promise that can settle without timers or I/O has settled. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
