/** What is counted of all `sluice.v1` sessions of a node. */
import type { Counter, Meter } from "@sluice/base/meter";
import type { RefusalCode } from "@sluice/client/contract/sluice-v1";
import { isMerged } from "@sluice/state/change";
import type { Delivery } from "@sluice/state/object-copy";

export class NetCounts {
  readonly #meter: Meter;
  readonly #deliveries: Readonly<Record<"change" | "merged" | "snapshot", Counter>>;

  constructor(meter: Meter) {
    const of = (kind: string): Counter =>
      meter.counter("object_deliveries_total", "What clients of sluice.v1 were given of shared objects, by kind", {
        kind,
      });
    this.#meter = meter;
    this.#deliveries = { change: of("change"), merged: of("merged"), snapshot: of("snapshot") };
  }

  /** @returns whether the client was given less than each change */
  delivered(delivery: Delivery): boolean {
    const isWhole = delivery.type === "change" && !isMerged(delivery.change);
    const kind = isWhole ? "change" : delivery.type === "change" ? "merged" : "snapshot";
    this.#deliveries[kind].add();
    return !isWhole;
  }

  refused(code: RefusalCode): void {
    this.#meter
      .counter("net_refusals_total", "Requests of sluice.v1 clients that were refused, by code", { code })
      .add();
  }
}
