/** Ends the process on an unexpected error: a bug must be visible, and the supervisor restarts the process. */
import type { Log } from "@sluice/base/log";

export function endOnBugs(log: Log): void {
  const end = (err: unknown): void => {
    log.error({ err }, "Ending because of a bug: unexpected error");
    process.exit(1);
  };
  process.on("unhandledRejection", end);
  process.on("uncaughtException", end);
  // Losing the reader of the output is not a bug: a log collector restarts, streams continue.
  process.stdout.on("error", () => {});
  process.stderr.on("error", () => {});
}
