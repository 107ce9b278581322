/** Signal handling: the first SIGTERM or SIGINT drains, a second one ends at once, SIGHUP rereads the configuration. */
import type { Millis } from "@sluice/base/brand";
import type { Log } from "@sluice/base/log";

const SIGNALS = { SIGTERM: 15, SIGINT: 2 } as const;

/** @param longest  longest time to drain before the process ends anyway; read when the signal arrives */
export function stopOnSignals(stop: AbortController, log: Log, longest: () => Millis): void {
  for (const [signal, number] of Object.entries(SIGNALS)) {
    process.on(signal, () => {
      if (stop.signal.aborted) process.exit(128 + number);
      log.info({ signal }, "Stopping; a second signal ends at once");
      stop.abort(new Error(signal));
      const afterMs = longest();
      setTimeout(() => {
        log.error({ afterMs }, "Ending before draining is complete");
        process.exit(0);
      }, afterMs).unref();
    });
  }
}

/** Without it SIGHUP would end the process. */
export function rereadOnHangUp(reread: () => void): void {
  process.on("SIGHUP", reread);
}
