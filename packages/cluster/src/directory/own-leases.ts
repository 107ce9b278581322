/** The two leases of this node: one for its row and, once it has a home, one for all its homes; granted anew after a loss. */
import { Backoff } from "@sluice/base/backoff";
import type { Millis } from "@sluice/base/brand";
import type { Clock } from "@sluice/base/clock";
import type { Log } from "@sluice/base/log";
import { aborted } from "@sluice/base/scope";
import type { Engine, Lease } from "@sluice/engine/engine";
import type { DirectoryTimings } from "./limits.ts";
import { decodeNodeRow, encodeNodeRow, keyOfNode, type NodeRow } from "./rows.ts";

export interface OwnLeasesOptions {
  readonly engine: Engine;
  readonly self: NodeRow;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  readonly timings: DirectoryTimings;
  /** The homes have a new lease, or none. */
  readonly homesChanged: (lease: Lease | undefined) => void;
}

export class OwnLeases {
  readonly #options: OwnLeasesOptions;
  readonly #ending = new AbortController();
  readonly #homesWanted = Promise.withResolvers<void>();
  readonly #loops: Promise<unknown>;
  #homes: Lease | undefined;

  constructor(options: OwnLeasesOptions) {
    const { timings } = options;
    this.#options = options;
    this.#loops = Promise.all([this.#keep(timings.nodeLease, (lease) => this.#writeRow(lease)), this.#keepForHomes()]);
  }

  /** Lease of all homes of this node; undefined while there is none: acknowledge nothing then. */
  get homes(): Lease | undefined {
    return this.#homes?.lost.aborted === false ? this.#homes : undefined;
  }

  /** Call before the first claim. Without homes this lease is not taken, which saves the engine its renewals. */
  wantHomes(): void {
    this.#homesWanted.resolve();
  }

  /** Releases both if the engine is reachable: the rows are deleted at once. */
  async close(): Promise<void> {
    this.#ending.abort(new Error("The directory is closing"));
    this.#homesWanted.resolve();
    await this.#loops;
  }

  async #keepForHomes(): Promise<void> {
    await this.#homesWanted.promise;
    await this.#keep(this.#options.timings.homesLease, (lease) => this.#useForHomes(lease));
  }

  async #keep(ttl: Millis, use: (lease: Lease) => Promise<void>): Promise<void> {
    const { engine, clock, log, random, timings } = this.#options;
    const backoff = new Backoff({ first: timings.retryFirst, cap: timings.retryCap, factor: 2, random });
    const { signal } = this.#ending;
    while (!signal.aborted) {
      try {
        const lease = await engine.lease(ttl);
        try {
          if (!signal.aborted) await use(lease);
          backoff.reset();
          await Promise.race([aborted(lease.lost), aborted(signal)]);
        } finally {
          if (!lease.lost.aborted) await lease.release().catch(() => undefined);
        }
      } catch (error) {
        if (!signal.aborted) log.debug({ err: error, ttl }, "No lease from the state engine yet");
      }
      if (!signal.aborted) await clock.sleep(backoff.next(), signal).catch(() => undefined);
    }
  }

  /** Overwrites a row of an earlier incarnation; leaves one of a later incarnation, and then this node has no row. */
  async #writeRow(lease: Lease): Promise<void> {
    const { engine, self, log } = this.#options;
    const key = keyOfNode(self.id);
    for (let entry = await engine.get(key); ; ) {
      const known = entry && decodeNodeRow(self.id, entry.value);
      if (known !== undefined && known.incarnation > self.incarnation) {
        return log.error(
          { id: self.id, incarnation: known.incarnation },
          "A later incarnation of this node has its row",
        );
      }
      const result = await engine.cas(key, entry?.revision ?? "absent", encodeNodeRow(self), { lease });
      if (result.outcome === "written") return;
      entry = result.current;
    }
  }

  async #useForHomes(lease: Lease): Promise<void> {
    this.#homes = lease;
    lease.lost.addEventListener("abort", () => this.#options.homesChanged(undefined), { once: true });
    this.#options.homesChanged(lease);
  }
}
