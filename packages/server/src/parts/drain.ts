/** Leaving in order: peers that can follow are asked to reconnect, then everybody is let go, within a limit. */
import type { Millis } from "@sluice/base/brand";
import type { Clock } from "@sluice/base/clock";
import type { Log } from "@sluice/base/log";
import type { SessionRegistry } from "../sessions/session-registry.ts";

/** How often it is looked whether all have gone. */
const LOOK = 20 as Millis;

export async function drainSessions(options: {
  readonly registry: SessionRegistry;
  readonly clock: Clock;
  readonly log: Log;
  readonly timeout: Millis;
}): Promise<void> {
  const { registry, clock, log, timeout } = options;
  const until = clock.now() + timeout;
  log.info({ sessions: registry.size }, "Draining");
  const forever = new AbortController().signal;
  for (const session of registry.all()) session.end("server-stopping");
  while (registry.size > 0 && clock.now() < until) await clock.sleep(LOOK, forever);
  if (registry.size > 0) log.warn({ sessions: registry.size }, "Leaving with sessions still open");
}
