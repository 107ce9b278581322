/** SIGHUP: reads the configuration and its files again, and puts in place what may change while the node runs. */
import type { Log } from "@sluice/base/log";
import { ConfigError, problemLine } from "../config/config-error.ts";
import type { LiveConfig } from "../config/live-config.ts";
import { type ConfigSources, rereadConfig } from "../config/load-config.ts";

/** Whatever is wrong with the new one, the old one goes on. */
export function reread(settings: LiveConfig, sources: ConfigSources, log: Log): void {
  try {
    const { config, changed, kept } = rereadConfig(sources, settings.now);
    if (kept.length > 0) log.warn({ keys: kept }, "These keys cannot change while the node runs: restart it for them");
    log.info({ changed }, "Configuration reread");
    settings.replace(config);
  } catch (error) {
    const told = error instanceof ConfigError ? { problems: error.problems.map(problemLine) } : { err: error };
    log.error(told, "Configuration cannot be used: everything stays as it was");
  }
}
