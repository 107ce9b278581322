/** Leases on a NATS server, which has none: stored as records that each process expires itself; renews those of this process. */
import type { Millis } from "@sluice/base/brand";
import type { Clock } from "@sluice/base/clock";
import type { Key } from "@sluice/engine/engine";
import { EngineCrowdedError, EngineUnavailableError } from "@sluice/engine/errors";
import type { RemoteEngineOptions } from "@sluice/engine/remote/engine-options";
import { HeldLease } from "@sluice/engine/remote/held-lease";
import { HeldLeases } from "@sluice/engine/remote/held-leases";
import { REMOTE_ENGINE_LIMITS } from "@sluice/engine/remote/remote-limits";
import type { NatsCleanup } from "./nats-cleanup.ts";
import { NATS } from "./nats-client.ts";
import { bindingOf, decodeLeaseRecord, encodeLeaseRecord, type NatsLeaseTable } from "./nats-lease-table.ts";
import type { NatsStore, StoredValue } from "./nats-store.ts";

export interface NatsLeasesParts {
  readonly store: NatsStore;
  readonly table: NatsLeaseTable;
  readonly janitor: NatsCleanup;
}

/** A lease held by this process, as stored on the server. */
interface Grant {
  readonly slot: number;
  readonly token: number;
  readonly subject: string;
  /** Keys written under it, which the watch may not have reported yet. */
  readonly keys: Set<Key>;
  sequence: number;
}

const GRANT_ATTEMPTS = 32;

export class NatsLeases {
  readonly #parts: NatsLeasesParts;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #held: HeldLeases;
  readonly #grants = new WeakMap<HeldLease, Grant>();

  constructor(parts: NatsLeasesParts, options: RemoteEngineOptions) {
    this.#parts = parts;
    this.#clock = options.clock;
    this.#random = options.random;
    this.#held = new HeldLeases(options);
  }

  /** @throws {EngineCrowdedError | EngineUnavailableError} */
  async grant(ttl: Millis): Promise<HeldLease> {
    this.#held.checkRoom();
    const { store, table } = this.#parts;
    const busy = new Set<number>();
    for (let attempt = 0; attempt < GRANT_ATTEMPTS; attempt++) {
      const limit = REMOTE_ENGINE_LIMITS.leaseSlots;
      const slot = table.freeSlot(this.#random, limit);
      if (slot === undefined) throw new EngineCrowdedError({ what: "leases", limit });
      const { generation } = store;
      const subject = store.names.lease(slot);
      const last = await store.read("lease", subject);
      const sentAt = this.#clock.now();
      const sequence = isTaken(slot, last) ? undefined : await this.#write(subject, last?.sequence ?? 0, ttl);
      if (sequence !== undefined) {
        const grant: Grant = { slot, token: sequence, subject, sequence, keys: new Set() };
        return this.#hold(grant, { generation, number: sequence }, ttl, sentAt);
      }
      // The watch is behind: read the record now.
      const record = await store.read("lease", subject);
      const taken = record && !record.isRemoved ? decodeLeaseRecord(slot, record.sequence, record.data) : undefined;
      if (taken !== undefined) table.hearLease(taken, this.#clock.now());
      busy.add(slot);
    }
    const reason = `${busy.size} slots were taken by others meanwhile`;
    throw new EngineUnavailableError({ engine: NATS, action: "lease", reason, isUnknown: false });
  }

  /** The binding for an entry written under the lease; undefined for a foreign or expired lease. */
  bind(lease: unknown, key: Key): string | undefined {
    const grant = lease instanceof HeldLease && this.#held.has(lease) ? this.#grants.get(lease) : undefined;
    if (grant === undefined || (lease as HeldLease).validUntil <= this.#clock.now()) return undefined;
    grant.keys.add(key);
    return bindingOf(grant);
  }

  /** Whether an entry with this binding lost its lease, though it has not been removed yet. */
  async isOrphan(binding: string): Promise<boolean> {
    if (binding === "" || this.#parts.table.isLive(binding)) return false;
    const slot = Number.parseInt(binding, 10);
    const last = await this.#parts.store.read("get", this.#parts.store.names.lease(slot));
    const record = last && !last.isRemoved ? decodeLeaseRecord(slot, last.sequence, last.data) : undefined;
    return record === undefined || bindingOf(record) !== binding;
  }

  /** Best effort: a lease that cannot be released runs out. */
  releaseAll(): Promise<void> {
    return this.#held.releaseAll();
  }

  /** Stops renewing; held leases run out. */
  close(): void {
    this.#held.abandonAll();
  }

  #write(
    subject: string,
    expected: number,
    ttl: Millis,
    token?: number,
    timeout?: Millis,
  ): Promise<number | undefined> {
    const value = encodeLeaseRecord(ttl, token);
    const base = { action: "lease", subject, expected, value };
    return this.#parts.store.write(timeout === undefined ? base : { ...base, timeout });
  }

  #hold(grant: Grant, token: HeldLease["token"], ttl: Millis, sentAt: Millis): HeldLease {
    const lease = this.#held.hold({
      token,
      ttl,
      sentAt,
      renew: (patience) => this.#renew(grant, ttl, patience),
      drop: () => this.#drop(grant),
    });
    this.#grants.set(lease, grant);
    return lease;
  }

  /** A conflict may be our own renewal with a lost answer: then renewing continues from there. */
  async #renew(grant: Grant, ttl: Millis, patience: Millis): Promise<"renewed" | "gone"> {
    for (let attempt = 0; attempt < 2; attempt++) {
      const sequence = await this.#write(grant.subject, grant.sequence, ttl, grant.token, patience);
      if (sequence !== undefined) {
        grant.sequence = sequence;
        return "renewed";
      }
      if (!(await this.#catchUp(grant))) return "gone";
    }
    return "gone";
  }

  async #catchUp(grant: Grant): Promise<boolean> {
    const last = await this.#parts.store.read("lease", grant.subject);
    if (last === undefined || last.isRemoved) return false;
    const record = decodeLeaseRecord(grant.slot, last.sequence, last.data);
    if (record?.token !== grant.token) return false;
    grant.sequence = last.sequence;
    return true;
  }

  async #drop(grant: Grant): Promise<void> {
    const { janitor, table } = this.#parts;
    do {
      if ((await janitor.endLease(grant)) !== undefined) break;
    } while (await this.#catchUp(grant));
    const binding = bindingOf(grant);
    await janitor.removeBound(new Set([...grant.keys, ...table.boundKeys(binding)]), binding);
  }
}

function isTaken(slot: number, last: StoredValue | undefined): boolean {
  return last !== undefined && !last.isRemoved && decodeLeaseRecord(slot, last.sequence, last.data) !== undefined;
}
