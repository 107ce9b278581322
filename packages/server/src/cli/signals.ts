/** Turns signals into the end of the process: the first drains, the second ends at once. */
import type { Millis } from "@sluice/base/brand";
import type { Log } from "@sluice/base/log";

const SIGNALS = { SIGTERM: 15, SIGINT: 2 } as const;

/** @param longest  after which the process ends although draining is not done */
export function stopOnSignals(stop: AbortController, log: Log, longest: Millis): void {
  for (const [signal, number] of Object.entries(SIGNALS)) {
    process.on(signal, () => {
      if (stop.signal.aborted) process.exit(128 + number);
      log.info({ signal }, "Stopping; a second signal ends at once");
      stop.abort(new Error(signal));
      setTimeout(() => {
        log.error({ afterMs: longest }, "Ending although draining is not done");
        process.exit(0);
      }, longest).unref();
    });
  }
}
