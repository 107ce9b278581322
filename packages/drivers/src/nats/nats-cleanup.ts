/** Ends expired leases and removes keys whose lease is gone; every process does so, and compare-and-set makes that safe. */
import type { Millis } from "@sluice/base/brand";
import type { Clock, Timer } from "@sluice/base/clock";
import type { Key } from "@sluice/engine/engine";
import type { RemoteEngineOptions } from "@sluice/engine/remote/engine-options";
import type { Mirror } from "@sluice/engine/remote/mirror";
import type { LeaseRecord, NatsLeaseTable } from "./nats-lease-table.ts";
import type { NatsStore } from "./nats-store.ts";

export interface NatsCleanupParts {
  readonly store: NatsStore;
  readonly mirror: Mirror;
  readonly table: NatsLeaseTable;
}

/** Interval of rounds, times 0.5 to 1.5, so that processes do not clean at the same time. */
const ROUND = 200;
/** Removals in progress at once. */
const BATCH = 64;

export class NatsCleanup {
  readonly #parts: NatsCleanupParts;
  readonly #clock: Clock;
  readonly #random: () => number;
  #timer: Timer | undefined;
  #isClosed = false;

  constructor(parts: NatsCleanupParts, options: RemoteEngineOptions) {
    this.#parts = parts;
    this.#clock = options.clock;
    this.#random = options.random;
    this.#arm();
  }

  /** @returns undefined if it was renewed or ended meanwhile */
  endLease({ slot, sequence }: Pick<LeaseRecord, "slot" | "sequence">): Promise<number | undefined> {
    const { store } = this.#parts;
    return store.write({ action: "release", subject: store.names.lease(slot), expected: sequence });
  }

  /** Removes those of the keys that still have the binding. */
  async removeBound(keys: Iterable<Key>, binding: string): Promise<void> {
    await inBatches([...keys], (key) => this.#removeBound(key, binding));
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  async #removeBound(key: Key, binding: string): Promise<void> {
    const { store } = this.#parts;
    const subject = store.names.key(key);
    const last = await store.read("release", subject);
    if (last === undefined || last.isRemoved || last.boundTo !== binding) return;
    await store.write({ action: "release", subject, expected: last.sequence });
  }

  #arm(): void {
    if (this.#isClosed) return;
    const delay = ROUND * (0.5 + this.#random());
    this.#timer = this.#clock.after(delay as Millis, () => {
      // Failures are retried in the next round.
      void this.#clean()
        .catch(() => {})
        .finally(() => this.#arm());
    });
  }

  /** After a long pause this process may not have read recent renewals: then the comparison fails, as intended. */
  async #clean(): Promise<void> {
    const { table, mirror } = this.#parts;
    if (!mirror.isCurrent) return;
    await inBatches(table.expired(this.#clock.now()), (lease) => this.endLease(lease));
    await inBatches(table.orphans(), ({ key, binding }) => this.#removeBound(key, binding));
  }
}

async function inBatches<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  for (let start = 0; start < items.length; start += BATCH) {
    await Promise.all(items.slice(start, start + BATCH).map(work));
  }
}
