/** Plays a test pattern in real time: each frame when it is due by the clock that it is given. */
import type { Millis } from "@sluice/base/brand";
import type { Clock } from "@sluice/base/clock";
import type { TestPattern, TestPatternFrame } from "./test-pattern.ts";

export interface PumpOptions {
  readonly pattern: TestPattern;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Takes each frame at its time, never two at once; what it throws ends the pump. */
  readonly emit: (frame: TestPatternFrame) => void;
}

/** Later than this, frames are skipped instead of sent late: above a pause for garbage collection, below what viewers buffer. */
export const MAX_LAG = 500 as Millis;

/** Timestamp 0 is due at once. Resolves when the signal aborts; rejects with what `emit` or the clock threw. */
export async function runTestPattern({ pattern, clock, signal, emit }: PumpOptions): Promise<void> {
  const start = clock.now();
  while (!signal.aborted) {
    const elapsed = (): Millis => (clock.now() - start) as Millis;
    const frame = pattern.next();
    const wait = (frame.timestamp - elapsed()) as Millis;
    if (wait > 0 && !(await slept(clock, wait, signal))) return;
    emit(frame);
    if (elapsed() - frame.timestamp > MAX_LAG) pattern.skipTo(elapsed());
  }
}

/** False when the signal aborted first. */
async function slept(clock: Clock, delay: Millis, signal: AbortSignal): Promise<boolean> {
  try {
    await clock.sleep(delay, signal);
    return !signal.aborted;
  } catch (error) {
    if (signal.aborted) return false;
    throw error;
  }
}
