/** Requests to publish and play that were refused, counted by a closed set of reasons. */
import type { Meter } from "@sluice/base/meter";
import type { Protocol } from "@sluice/client/admin-contract";

/** name: no legal stream key; taken: somebody publishes there; guard: rules, token or hook; limit: too many of something. */
export type PublishRefusal = "name" | "taken" | "guard" | "limit";

export type PlayRefusal = "name" | "not-found" | "guard" | "redirected" | "limit";

export function countPublishRefusal(meter: Meter, reason: PublishRefusal): void {
  meter.counter("publish_refused_total", "Requests to publish that were refused, by reason", { reason }).add();
}

export function countPlayRefusal(meter: Meter, protocol: Protocol, reason: PlayRefusal): void {
  meter
    .counter("play_refused_total", "Requests to play that were refused, by protocol and reason", { protocol, reason })
    .add();
}
