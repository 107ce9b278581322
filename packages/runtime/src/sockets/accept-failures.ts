/** Counts and logs connections that the system could not accept; the listener goes on. */
import type { Log } from "@sluice/base/log";
import type { Meter } from "@sluice/base/meter";

export function acceptFailures(
  { log, meter }: { readonly log: Log; readonly meter: Meter },
  listener: string,
): (error: Error) => void {
  const failures = meter.counter("accept_failures_total", "Connections that the system could not accept, by listener", {
    listener,
  });
  return (error) => {
    failures.add();
    log.warn({ listener, err: error }, "Cannot accept a connection");
  };
}
