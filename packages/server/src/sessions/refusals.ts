/** Requests that were refused: one line of the log each, and counts by a closed set of reasons. */
import { CLAIM_LIMITS, cutText } from "@sluice/base/claimed-text";
import type { Log } from "@sluice/base/log";
import type { Meter } from "@sluice/base/meter";
import type { Protocol } from "@sluice/client/admin-contract";
import type { SessionPorts } from "./session-ports.ts";

/** name: no legal stream key; taken: the stream has a publisher; guard: rules, token or hook; origin: a foreign web page; limit: one of `limits.*` is reached; stopping: the node drains. */
export type PublishRefusal = "name" | "taken" | "guard" | "origin" | "limit" | "stopping";

/** origin: the page may not connect. */
export type PlayRefusal = "name" | "not-found" | "guard" | "redirected" | "limit" | "stopping" | "origin";

export const STOPPING = "The server is stopping";

/** Who was refused what. */
export interface Refused {
  /** Empty where none had begun. */
  readonly session: string;
  readonly protocol: Protocol;
  readonly address: string;
  readonly agent: string;
  /** As it was asked for, without its query, where it is no legal key. */
  readonly key: string;
  /** In words. */
  readonly detail: string;
}

interface RefusalPorts {
  readonly log: Log;
  readonly meter: Meter;
}

export function notePublishRefusal({ log, meter }: RefusalPorts, reason: PublishRefusal, refused: Refused): void {
  meter.counter("publish_refused_total", "Requests to publish that were refused, by reason", { reason }).add();
  log.info({ ...refused, reason }, "Publish refused");
}

export function notePlayRefusal({ log, meter }: RefusalPorts, reason: PlayRefusal, refused: Refused): void {
  const { protocol } = refused;
  meter
    .counter("play_refused_total", "Requests to play that were refused, by protocol and reason", { protocol, reason })
    .add();
  log.info({ ...refused, reason }, "Play refused");
}

/** Whether so much waits for slow peers that no session is opened; notes the one that is not. */
export function refusesSessions(
  { outputs, log, meter }: RefusalPorts & Pick<SessionPorts, "outputs">,
  refused: Pick<Refused, "protocol" | "address">,
): boolean {
  if (!outputs.isFull) return false;
  const { protocol } = refused;
  meter
    .counter("sessions_refused_total", "Sessions refused because too many bytes wait for slow peers, by protocol", {
      protocol,
    })
    .add();
  log.info({ ...refused, reason: "limit" }, "Session refused");
  return true;
}

/** The guard counts its verdicts itself. */
export function noteConnectRefusal(log: Log, reason: "guard" | "redirected", refused: Refused): void {
  log.info({ ...refused, reason }, "Connect refused");
}

/** What a peer asked for, when it is no legal key: its beginning, without the query, which may hold a token. */
export function askedFor(path: string): string {
  return cutText(path.split("?", 1)[0] ?? "", CLAIM_LIMITS.askedCharacters);
}
