/** `sluice serve`: runs the server until a signal, with the ready line on standard output and the log on standard error. */
import type { Millis } from "@sluice/base/brand";
import { SystemClock } from "../clock.ts";
import { runServer } from "../compose.ts";
import { floodFold } from "../flood-fold.ts";
import { openLog } from "../log.ts";
import { endOnBugs } from "./bug-watch.ts";
import { type ConfigOptions, configOf } from "./config-options.ts";
import { stopOnSignals } from "./signals.ts";

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
