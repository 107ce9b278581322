/** The store shared by several memory engines: entries, leases and logs. */
import type { Millis } from "@sluice/base/brand";
import type { Clock, Timer } from "@sluice/base/clock";
import type { AppendResult, CasResult, Entry, Key, RequestId } from "../engine.ts";
import { compareEpochs, type Epoch, formatEpoch } from "../epoch.ts";
import { EngineArgumentError, EngineLeaseLostError } from "../errors.ts";
import { MemoryLogs } from "./memory-logs.ts";

export interface MemoryStoreOptions {
  readonly clock: Clock;
  /** Generation of the new store; higher than that of every earlier store whose epochs may still be in use. */
  readonly generation: number;
}

/** One client of the store; receives everything at once and in order. */
export interface StoreListener {
  onPut(entry: Entry): void;
  onDeleted(key: Key, revision: Epoch): void;
  onMessage(subject: Key, message: Uint8Array): void;
  /** All data was deleted. */
  onWiped(): void;
}

interface Stored {
  readonly entry: Entry;
  readonly lease: LeaseRecord | undefined;
}

interface LeaseRecord {
  readonly token: Epoch;
  readonly ttl: Millis;
  readonly keys: Set<Key>;
  expiry: Timer;
}

/** Writes whose answers are remembered; repetitions come within seconds. */
const REMEMBERED_ANSWERS = 1_024;

/** Added to every time to live, so that the holder's `validUntil` passes before its keys vanish. */
const EXPIRY_MARGIN = 1;

/** Neither validates nor copies: both are the engine's responsibility. */
export class MemoryStore {
  readonly clock: Clock;
  readonly logs = new MemoryLogs();
  readonly #entries = new Map<Key, Stored>();
  readonly #leases = new Map<string, LeaseRecord>();
  readonly #listeners = new Set<StoreListener>();
  /** Oldest first, by request id. */
  readonly #answers = new Map<string, CasResult | AppendResult>();
  #generation: number;
  #number = 0;

  constructor({ clock, generation }: MemoryStoreOptions) {
    this.clock = clock;
    this.#generation = generation;
  }

  find(key: Key): Entry | undefined {
    return this.#entries.get(key)?.entry;
  }

  /** Entries under a prefix, in no particular order. */
  *under(prefix: Key): Iterable<Entry> {
    for (const { entry } of this.#entries.values()) if (entry.key.startsWith(prefix)) yield entry;
  }

  /** Keeps `value` without copying. @throws {EngineLeaseLostError} */
  cas(key: Key, expected: Epoch | "absent", value: Uint8Array, token: Epoch | undefined): CasResult {
    const lease = token && this.#leases.get(formatEpoch(token));
    if (token && !lease) throw new EngineLeaseLostError({ token });
    const standing = this.#entries.get(key);
    if (!isExpected(standing?.entry, expected)) return { outcome: "conflict", current: standing?.entry };
    standing?.lease?.keys.delete(key);
    lease?.keys.add(key);
    const entry: Entry = { key, value, revision: this.#nextEpoch() };
    this.#entries.set(key, { entry, lease });
    for (const listener of this.#listeners) listener.onPut(entry);
    return { outcome: "written", revision: entry.revision };
  }

  remove(key: Key, expected: Epoch): CasResult {
    const standing = this.#entries.get(key);
    if (!standing || !isExpected(standing.entry, expected)) return { outcome: "conflict", current: standing?.entry };
    return { outcome: "written", revision: this.#delete(key, standing.lease) };
  }

  /** Runs `write` unless it already ran under this id; then returns the remembered answer. */
  once<Result extends CasResult | AppendResult>(request: RequestId | undefined, write: () => Result): Result {
    if (request === undefined) return write();
    const id = `${request.client} ${request.sequence}`;
    const answer = (this.#answers.get(id) as Result | undefined) ?? write();
    this.#answers.set(id, answer);
    for (const oldest of this.#answers.keys()) {
      if (this.#answers.size <= REMEMBERED_ANSWERS) break;
      this.#answers.delete(oldest);
    }
    return answer;
  }

  grant(ttl: Millis): Epoch {
    const token = this.#nextEpoch();
    this.#leases.set(formatEpoch(token), { token, ttl, keys: new Set(), expiry: this.#expireLater(token, ttl) });
    return token;
  }

  renew(token: Epoch): "renewed" | "gone" {
    const lease = this.#leases.get(formatEpoch(token));
    if (!lease) return "gone";
    lease.expiry.cancel();
    lease.expiry = this.#expireLater(token, lease.ttl);
    return "renewed";
  }

  /** No effect if the lease is gone. */
  release(token: Epoch): void {
    const lease = this.#leases.get(formatEpoch(token));
    if (!lease) return;
    lease.expiry.cancel();
    this.#leases.delete(formatEpoch(token));
    for (const key of lease.keys) this.#delete(key, lease);
  }

  publish(subject: Key, message: Uint8Array): void {
    for (const listener of this.#listeners) listener.onMessage(subject, message);
  }

  attach(listener: StoreListener): void {
    this.#listeners.add(listener);
  }

  detach(listener: StoreListener): void {
    this.#listeners.delete(listener);
  }

  /** Deletes everything, as if an operator deleted the files; numbers restart in a new generation. */
  wipe(generation: number): void {
    if (generation <= this.#generation) {
      throw new EngineArgumentError({
        argument: "generation",
        problem: `${generation} is not above ${this.#generation}`,
      });
    }
    this.#generation = generation;
    this.#number = 0;
    for (const { expiry } of this.#leases.values()) expiry.cancel();
    this.#leases.clear();
    this.#entries.clear();
    this.logs.clear();
    this.#answers.clear();
    for (const listener of this.#listeners) listener.onWiped();
  }

  #delete(key: Key, lease: LeaseRecord | undefined): Epoch {
    lease?.keys.delete(key);
    this.#entries.delete(key);
    const revision = this.#nextEpoch();
    for (const listener of this.#listeners) listener.onDeleted(key, revision);
    return revision;
  }

  #expireLater(token: Epoch, ttl: Millis): Timer {
    return this.clock.after((ttl + EXPIRY_MARGIN) as Millis, () => this.release(token));
  }

  #nextEpoch(): Epoch {
    return { generation: this.#generation, number: ++this.#number };
  }
}

function isExpected(standing: Entry | undefined, expected: Epoch | "absent"): boolean {
  if (standing === undefined) return expected === "absent";
  return expected !== "absent" && compareEpochs(standing.revision, expected) === 0;
}
