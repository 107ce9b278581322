/** The engine for tests: the whole port in memory, with injectable faults. */
import type { Millis } from "@sluice/base/brand";
import { checkKey, checkPrefix, checkTtl, checkValue } from "./checks.ts";
import type {
  CasResult,
  Engine,
  EngineCapabilities,
  EngineLogs,
  EngineReplica,
  Entry,
  Key,
  Lease,
  RepeatableOptions,
  WatchEvent,
  WriteOptions,
} from "./engine.ts";
import type { Epoch } from "./epoch.ts";
import { EngineCrowdedError } from "./errors.ts";
import { ENGINE_LIMITS } from "./limits.ts";
import { MemoryLease } from "./memory/memory-lease.ts";
import { MemoryLink } from "./memory/memory-link.ts";
import { openLogs } from "./memory/memory-log-client.ts";
import { openReplica } from "./memory/memory-replica.ts";
import type { MemoryStore, StoreListener } from "./memory/memory-store.ts";
import { MemorySubscription } from "./memory/memory-subscription.ts";
import { copyOf, MemoryWatch } from "./memory/memory-watch.ts";

const CAPABILITIES: EngineCapabilities = {
  engine: "memory",
  serverVersion: "",
  isDurable: false,
  survivesPowerLoss: false,
  survivesNodeLoss: false,
  enforcesLeases: true,
  hasLogs: true,
  maxValueBytes: ENGINE_LIMITS.valueBytes,
  maxKeyBytes: ENGINE_LIMITS.keyBytes,
};

/** One client of a store; several clients of one store act like several nodes on one engine. */
export class MemoryEngine implements Engine, StoreListener {
  readonly logs: EngineLogs;
  readonly replica: EngineReplica;
  readonly #store: MemoryStore;
  readonly #link: MemoryLink;
  readonly #watches = new Set<MemoryWatch>();
  readonly #subscriptions = new Set<MemorySubscription>();
  readonly #leases = new Set<MemoryLease>();

  constructor(store: MemoryStore) {
    this.#store = store;
    this.#link = new MemoryLink(store.clock);
    this.logs = openLogs(store, this.#link);
    this.replica = openReplica(store, this.#link);
    store.attach(this);
  }

  capabilities(): EngineCapabilities {
    return CAPABILITIES;
  }

  async get(key: Key): Promise<Entry | undefined> {
    this.#link.checkOpen("get");
    checkKey(key);
    return this.#link.exchange("get", "read", () => {
      const entry = this.#store.find(key);
      return entry && copyOf(entry);
    });
  }

  async cas(key: Key, expected: Epoch | "absent", value: Uint8Array, options?: WriteOptions): Promise<CasResult> {
    this.#link.checkOpen("cas");
    checkKey(key);
    checkValue(value);
    return this.#link.exchange("cas", "write", () =>
      ownedByCaller(
        this.#store.once(options?.request, () => this.#store.cas(key, expected, value.slice(), options?.lease?.token)),
      ),
    );
  }

  async remove(key: Key, expected: Epoch, options?: RepeatableOptions): Promise<CasResult> {
    this.#link.checkOpen("remove");
    checkKey(key);
    return this.#link.exchange("remove", "write", () =>
      ownedByCaller(this.#store.once(options?.request, () => this.#store.remove(key, expected))),
    );
  }

  watch(prefix: Key, signal: AbortSignal): AsyncIterable<WatchEvent> {
    this.#link.checkOpen("watch");
    checkPrefix(prefix);
    this.#checkReaders();
    const watch = new MemoryWatch({
      store: this.#store,
      link: this.#link,
      prefix,
      signal: AbortSignal.any([signal, this.#link.signal]),
      onEnd: () => void this.#watches.delete(watch),
    });
    if (!signal.aborted) this.#watches.add(watch);
    return watch.events;
  }

  async lease(ttl: Millis): Promise<Lease> {
    this.#link.checkOpen("lease");
    checkTtl(ttl);
    if (this.#leases.size >= ENGINE_LIMITS.leases) {
      throw new EngineCrowdedError({ what: "leases", limit: ENGINE_LIMITS.leases });
    }
    const sent = this.#store.clock.now();
    const token = await this.#link.exchange("lease", "write", () => this.#store.grant(ttl));
    const lease = new MemoryLease({ store: this.#store, link: this.#link, token, ttl, sent });
    this.#leases.add(lease);
    lease.lost.addEventListener("abort", () => this.#leases.delete(lease), { once: true });
    return lease;
  }

  async publish(subject: Key, message: Uint8Array): Promise<void> {
    this.#link.checkOpen("publish");
    checkKey(subject);
    checkValue(message);
    await this.#link.exchange("publish", "write", () => this.#store.publish(subject, message));
  }

  subscribe(subject: Key, signal: AbortSignal): AsyncIterable<Uint8Array> {
    this.#link.checkOpen("subscribe");
    checkKey(subject);
    this.#checkReaders();
    const subscription = new MemorySubscription({
      subject,
      signal: AbortSignal.any([signal, this.#link.signal]),
      onEnd: () => void this.#subscriptions.delete(subscription),
    });
    if (!signal.aborted) this.#subscriptions.add(subscription);
    return subscription.messages;
  }

  /** Releases its leases if the store is reachable. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#link.isClosed) return;
    this.#store.detach(this);
    for (const lease of this.#leases) await lease.release().catch(() => undefined);
    this.#link.close();
  }

  /** A fault: nothing passes to or from the store until `heal`. Without `heal` it models a killed process. */
  cut(): void {
    this.#link.cut();
    for (const watch of this.#watches) watch.onCut();
  }

  heal(): void {
    this.#link.heal();
    for (const watch of this.#watches) watch.startOver();
  }

  /** A fault: delays every answer of the store. */
  delayAnswers(by: Millis): void {
    this.#link.delayAnswers(by);
  }

  onPut(entry: Entry): void {
    for (const watch of this.#watches) watch.onPut(entry);
  }

  onDeleted(key: Key, revision: Epoch): void {
    for (const watch of this.#watches) watch.onDeleted(key, revision);
  }

  onMessage(subject: Key, message: Uint8Array): void {
    if (this.#link.isCut) return;
    for (const subscription of this.#subscriptions) subscription.onMessage(subject, message);
  }

  onWiped(): void {
    for (const watch of this.#watches) watch.startOver();
  }

  #checkReaders(): void {
    if (this.#watches.size + this.#subscriptions.size < ENGINE_LIMITS.readers) return;
    throw new EngineCrowdedError({ what: "readers", limit: ENGINE_LIMITS.readers });
  }
}

function ownedByCaller(result: CasResult): CasResult {
  if (result.outcome === "written" || result.current === undefined) return result;
  return { ...result, current: copyOf(result.current) };
}
