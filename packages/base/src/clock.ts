/** Time as a port, so that tests control it. */
import type { Millis } from "./brand.ts";

export interface Clock {
  /** Monotonic; only differences are meaningful. */
  now(): Millis;
  /** Wall-clock milliseconds since 1970, for people and for token expiry; may jump. */
  wall(): Millis;
  /** Calls `action` once, `delay` from now, unless cancelled first. Never keeps the process alive by itself. */
  after(delay: Millis, action: () => void): Timer;
  /** Calls `action` once everything that has arrived by now was read and handled, unless cancelled first; may take no time. */
  afterPoll(action: () => void): Timer;
  /** Resolves after `delay`; rejects with the signal's reason if that comes first. */
  sleep(delay: Millis, signal: AbortSignal): Promise<void>;
}

export interface Timer {
  /** May be called twice, and after the action ran. */
  cancel(): void;
}
