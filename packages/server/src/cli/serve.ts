/** `sluice serve`: runs the server until a signal, with the ready line on standard output and the log on standard error. */
import type { Millis } from "@sluice/base/brand";
import type { Log } from "@sluice/base/log";
import { SystemClock } from "../clock.ts";
import { runServer } from "../compose.ts";
import { floodFold } from "../flood-fold.ts";
import { openLog } from "../log.ts";
import { endOnBugs } from "./bug-watch.ts";
import { type ConfigOptions, configOf } from "./config-options.ts";

/** What draining may take beyond `shutdown.timeout` before the process is ended all the same. */
const DRAIN_MARGIN = 3_000 as Millis;

export async function serve(options: ConfigOptions): Promise<void> {
  const config = configOf(options);
  const clock = new SystemClock();
  const log = floodFold(openLog(config.log).child({ node: config.node.id }), clock);
  const stop = new AbortController();
  endOnBugs(log);
  stopOnSignals(stop, log, (config.shutdown.timeout + DRAIN_MARGIN) as Millis);
  await runServer(config, {
    log,
    stop: stop.signal,
    ready: (line) => process.stdout.write(`${JSON.stringify(line)}\n`),
  });
  log.info({}, "Stopped");
  process.exit(0);
}

const SIGNALS = { SIGTERM: 15, SIGINT: 2 } as const;

/** The first signal drains, the second ends at once. */
function stopOnSignals(stop: AbortController, log: Log, longest: Millis): void {
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
