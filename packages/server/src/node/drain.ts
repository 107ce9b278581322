/** Leaving in order: nothing new begins, what runs goes on until it ends or its time is over, then the rest is ended. */
import type { Millis } from "@sluice/base/brand";
import type { Clock } from "@sluice/base/clock";
import type { Log } from "@sluice/base/log";
import type { StreamDirectory } from "@sluice/media/stream-directory";
import type { StreamKey } from "@sluice/media/stream-key";
import type { Session } from "../sessions/session.ts";
import type { SessionRegistry } from "../sessions/session-registry.ts";

/** How often it is looked whether all have gone. */
const LOOK = 50 as Millis;
/** How often the log says how many are left. */
const PROGRESS = 5_000 as Millis;
/** What peers that were ended may take to hear it; transports cut them off within it. */
export const CLOSING = 2_500 as Millis;

export interface DrainOptions {
  readonly registry: SessionRegistry;
  readonly streams: Pick<StreamDirectory, "findEntry">;
  readonly clock: Clock;
  readonly log: Log;
  /** Asked again while it runs: an operator may shorten it. */
  readonly timeout: () => Millis;
}

/** Publishing and playing anew is refused by the sessions meanwhile. */
export async function drainSessions(options: DrainOptions): Promise<void> {
  const { registry, clock, log, timeout } = options;
  const begun = clock.now();
  const asked = registry.all().filter((session) => session.askToLeave() === "asked").length;
  log.info({ ...countsOf(registry), asked, timeoutMs: timeout() }, "Draining: nothing new begins, sessions go on");
  const never = new AbortController().signal;
  await untilTimeOut(options, begun, never);
  if (registry.size === 0) return;
  log.info(countsOf(registry), "Draining: the time is over, ending the sessions that are left");
  await endAll(options, (clock.now() + CLOSING) as Millis, never);
  if (registry.size > 0) log.warn({ sessions: registry.size }, "Leaving with sessions still open");
}

/** Whoever has nothing left to publish or to watch is let go at once: no stream comes any more. */
async function untilTimeOut(options: DrainOptions, begun: Millis, never: AbortSignal): Promise<void> {
  const { registry, streams, clock, log, timeout } = options;
  const isLive = (key: string): boolean => streams.findEntry(key as StreamKey)?.state === "live";
  let told = begun;
  for (;;) {
    for (const session of registry.all()) if (!session.isServed(isLive)) session.end("server-stopping");
    const now = clock.now();
    const leftMs = Math.round(begun + timeout() - now);
    if (registry.size === 0 || leftMs <= 0) return;
    if (now - told >= PROGRESS) {
      told = now;
      log.info({ ...countsOf(registry), leftMs }, "Draining");
    }
    await clock.sleep(Math.min(LOOK, leftMs) as Millis, never);
  }
}

/** Players first, so that they hear of the stop and not of a stream's end. */
async function endAll({ registry, clock }: DrainOptions, until: Millis, never: AbortSignal): Promise<void> {
  const isPublisher = (session: Session): boolean => session.facts.role === "publisher";
  while (registry.size > 0 && clock.now() < until) {
    const left = registry.all();
    for (const session of left.filter((one) => !isPublisher(one))) session.end("server-stopping");
    for (const session of left.filter(isPublisher)) session.end("server-stopping");
    await clock.sleep(LOOK, never);
  }
}

function countsOf(registry: SessionRegistry): { readonly sessions: number; readonly publishers: number } {
  const publishers = registry.all().filter((session) => session.facts.role === "publisher").length;
  return { sessions: registry.size, publishers };
}
