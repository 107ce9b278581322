/** Implements a clock's `sleep` by its timers. */
import type { Millis } from "@sluice/base/brand";
import type { Clock } from "@sluice/base/clock";

/** As `Clock.sleep`: rejects with the signal's reason, and leaves no timer behind. */
export async function sleepByTimer(clock: Pick<Clock, "after">, delay: Millis, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const onAbort = (): void => {
      timer.cancel();
      reject(signal.reason as Error);
    };
    const timer = clock.after(delay, () => {
      signal.removeEventListener("abort", onAbort);
      resolve();
    });
    signal.addEventListener("abort", onAbort, { once: true });
  });
}
