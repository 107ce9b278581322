/** `sluice serve`: runs the server until a signal, with the ready line on standard output and the log on standard error. */
import { networkInterfaces } from "node:os";
import type { Millis } from "@sluice/base/brand";
import { SystemClock } from "@sluice/runtime/system-clock";
import { runServer } from "../node/compose.ts";
import { LiveConfig } from "../config/live-config.ts";
import { loadConfig } from "../config/load-config.ts";
import { floodFold } from "@sluice/runtime/flood-fold";
import { openLog } from "@sluice/runtime/log";
import { CLOSING } from "../node/drain.ts";
import { SESSION_CLOSED } from "../node/notices.ts";
import { endOnBugs } from "@sluice/runtime/process/bug-watch";
import { sourcesOf } from "./config-of.ts";
import type { ConfigOptions } from "./config-options.ts";
import { readyWords } from "./ready-words.ts";
import { reread } from "./reread.ts";
import { rereadOnHangUp, stopOnSignals } from "@sluice/runtime/process/signals";
import { print } from "@sluice/runtime/process/print";
import { plainLines } from "@sluice/runtime/plain-text";

/** What draining may take beyond `shutdown.timeout` before the process is ended all the same. */
const DRAIN_MARGIN = (CLOSING + 2_000) as Millis;

export async function serve(options: ConfigOptions): Promise<void> {
  const sources = sourcesOf(options);
  const settings = new LiveConfig(loadConfig(sources));
  const config = settings.view;
  const output = openLog(config.log);
  const log = floodFold(output.child({ node: config.node.id }), new SystemClock(), {
    unfolded: new Set([SESSION_CLOSED]),
  });
  const stop = new AbortController();
  endOnBugs(log);
  stopOnSignals(stop, log, () => (config.shutdown.timeout + DRAIN_MARGIN) as Millis);
  rereadOnHangUp(() => reread(settings, sources, log));
  settings.onChange(() => output.setLevel(config.log.level));
  await runServer(settings, {
    log,
    stop: stop.signal,
    ready: (line) => {
      print(`${JSON.stringify(line)}\n`);
      const { listeners } = line;
      if (process.stderr.isTTY)
        process.stderr.write(plainLines(readyWords({ config, listeners, interfaces: networkInterfaces() })));
    },
  }).catch((error: unknown) => {
    if (error !== stop.signal.reason) throw error; // else a signal came before it was ready
  });
  log.info({}, "Stopped");
  process.exit(0);
}
