/** Time as a port, so that tests own it. */
import type { Millis } from "./brand.ts";

export interface Clock {
  /** Monotonic; only differences mean anything. */
  now(): Millis;
  /** Wall-clock milliseconds since 1970, for people and for token expiry; may jump. */
  wall(): Millis;
  /** Calls `action` once, `delay` from now, unless cancelled first. Never keeps the process alive by itself. */
  after(delay: Millis, action: () => void): Timer;
  /** Calls `action` once all that has arrived by now was read and told of, unless cancelled first; no time need pass. */
  afterPoll(action: () => void): Timer;
  /** Resolves after `delay`; rejects with the signal's reason if that comes first. */
  sleep(delay: Millis, signal: AbortSignal): Promise<void>;
}

export interface Timer {
  /** May be called twice, and after the action ran. */
  cancel(): void;
}
