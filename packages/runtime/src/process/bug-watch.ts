/** Ends the process on an error that nobody expected: a bug must be seen, and whoever started the process restarts it. */
import type { Log } from "@sluice/base/log";

export function endOnBugs(log: Log): void {
  const end = (err: unknown): void => {
    log.error({ err }, "Ending because of a bug: an error that nobody expected");
    process.exit(1);
  };
  process.on("unhandledRejection", end);
  process.on("uncaughtException", end);
  // Losing whoever reads the output is no bug: a log collector restarts, streams go on.
  process.stdout.on("error", () => {});
  process.stderr.on("error", () => {});
}
