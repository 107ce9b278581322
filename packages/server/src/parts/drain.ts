/** Leaving in order: peers that can follow are asked to reconnect, then everybody is let go, within a limit. */
import type { Millis } from "@sluice/base/brand";
import type { Clock } from "@sluice/base/clock";
import type { Log } from "@sluice/base/log";
import type { Session } from "../sessions/session.ts";
import type { SessionRegistry } from "../sessions/session-registry.ts";

/** How often it is looked whether all have gone. */
const LOOK = 20 as Millis;
/** Share of the time-out for those that were asked and may go by themselves. */
const ASKED_SHARE = 0.5;

export interface DrainOptions {
  readonly registry: SessionRegistry;
  readonly clock: Clock;
  readonly log: Log;
  readonly timeout: Millis;
}

/** Peers that arrive meanwhile are let go at once. */
export async function drainSessions(options: DrainOptions): Promise<void> {
  const { registry, clock, log, timeout } = options;
  const begun = clock.now();
  const until = (begun + timeout) as Millis;
  const asked = new Set(registry.all().filter((session) => session.askToLeave() === "asked"));
  log.info({ sessions: registry.size, asked: asked.size }, "Draining");
  await letGo(options, (begun + timeout * ASKED_SHARE) as Millis, asked);
  await letGo(options, until, new Set());
  if (registry.size > 0) log.warn({ sessions: registry.size }, "Leaving with sessions still open");
}

/** Ends all but the `spared`, players first, so that they hear of the stop and not of a stream's end; waits for all to go. */
async function letGo({ registry, clock }: DrainOptions, until: Millis, spared: ReadonlySet<Session>): Promise<void> {
  const forever = new AbortController().signal;
  for (;;) {
    const going = registry.all().filter((session) => !spared.has(session));
    const isPublisher = (session: Session): boolean => session.facts.role === "publisher";
    for (const session of going.filter((one) => !isPublisher(one))) session.end("server-stopping");
    for (const session of going.filter(isPublisher)) session.end("server-stopping");
    if (registry.size === 0 || clock.now() >= until) return;
    await clock.sleep(LOOK, forever);
  }
}
