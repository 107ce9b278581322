/** The clock of a running server: Node's timers and monotonic time. */
import type { Millis } from "@sluice/base/brand";
import type { Clock, Timer } from "@sluice/base/clock";

/** Node runs a timer at once if its delay does not fit into 31 bits. */
const LONGEST_DELAY = 0x7fff_ffff;

export class SystemClock implements Clock {
  now(): Millis {
    return performance.now() as Millis;
  }

  wall(): Millis {
    return Date.now() as Millis;
  }

  after(delay: Millis, action: () => void): Timer {
    const timer = setTimeout(action, Math.min(Math.max(delay, 0), LONGEST_DELAY)).unref();
    return { cancel: () => clearTimeout(timer) };
  }

  /** A poll that began before the call may be in progress, so the end of the second poll counts. */
  afterPoll(action: () => void): Timer {
    let immediate = setImmediate(() => {
      immediate = setImmediate(action);
    });
    return { cancel: () => clearImmediate(immediate) };
  }

  sleep(delay: Millis, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const onAbort = (): void => {
        timer.cancel();
        reject(signal.reason);
      };
      const timer = this.after(delay, () => {
        signal.removeEventListener("abort", onAbort);
        resolve();
      });
      signal.addEventListener("abort", onAbort, { once: true });
    });
  }
}
