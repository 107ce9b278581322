/** Drains the node: refuses new sessions, waits until running ones end or time runs out, then ends the rest. */
import type { Millis } from "@sluice/base/brand";
import type { Clock } from "@sluice/base/clock";
import type { Log } from "@sluice/base/log";
import type { StreamDirectory } from "@sluice/media/stream-directory";
import type { StreamKey } from "@sluice/media/stream-key";
import type { Session } from "../sessions/session.ts";
import type { SessionRegistry } from "../sessions/session-registry.ts";

/** Interval of checks for remaining sessions. */
const LOOK = 50 as Millis;
/** Interval of log lines with the number of remaining sessions. */
const PROGRESS = 5_000 as Millis;
/** How long ended peers may take to receive the reason; transports cut them off within it. */
export const CLOSING = 2_500 as Millis;

export interface DrainOptions {
  readonly registry: SessionRegistry;
  readonly streams: Pick<StreamDirectory, "findEntry">;
  readonly clock: Clock;
  readonly log: Log;
  /** Read repeatedly: an operator may shorten it meanwhile. */
  readonly timeout: () => Millis;
}

/** Meanwhile the sessions refuse to publish or play anew. */
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

/** Ends idle sessions at once: no stream will start any more. */
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

/** Players first, so that they are told of the stop and not of the end of a stream. */
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
