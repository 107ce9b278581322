/** The state engine on NATS JetStream: one key-value bucket, one watch per process, leases that each process expires itself. */
import type { Millis } from "@sluice/base/brand";
import { checkKey, checkPrefix, checkTtl, checkValue } from "@sluice/engine/checks";
import type {
  CasResult,
  Engine,
  EngineCapabilities,
  Entry,
  Key,
  Lease,
  WatchEvent,
  WriteOptions,
} from "@sluice/engine/engine";
import type { Epoch } from "@sluice/engine/epoch";
import { EngineLeaseLostError, EngineUnavailableError } from "@sluice/engine/errors";
import { ENGINE_LIMITS } from "@sluice/engine/limits";
import { EngineLifecycle } from "@sluice/engine/remote/engine-lifecycle";
import { DEFAULT_STORE_NAME, type RemoteEngineOptions, timingsOf } from "@sluice/engine/remote/engine-options";
import { Mirror } from "@sluice/engine/remote/mirror";
import { type Change, NatsEntries } from "./nats-entries.ts";
import { NatsFeed } from "./nats-feed.ts";
import { NatsCleanup } from "./nats-cleanup.ts";
import { NatsLeases } from "./nats-leases.ts";
import { NatsLeaseTable } from "./nats-lease-table.ts";
import { NATS, type NatsClient, openNatsLine } from "./nats-client.ts";
import { NatsLogs } from "./nats-logs.ts";
import { NatsMarkers } from "./nats-markers.ts";
import { NatsMessages } from "./nats-messages.ts";
import { NatsStore } from "./nats-store.ts";
import { plainCopy } from "@sluice/engine/remote/plain-copy";

/** Room in a NATS message for its subject and headers. */
const HEADER_ROOM = 8 * 1024;

export class NatsEngine implements Engine {
  readonly logs: NatsLogs;
  readonly #line: NatsClient;
  readonly #entries: NatsEntries;
  readonly #capabilities: EngineCapabilities;
  readonly #lifecycle = new EngineLifecycle();
  readonly #mirror = new Mirror();
  readonly #feed: NatsFeed;
  readonly #leases: NatsLeases;
  readonly #janitor: NatsCleanup;
  readonly #markers: NatsMarkers;
  readonly #messages: NatsMessages;

  constructor(line: NatsClient, store: NatsStore, options: RemoteEngineOptions) {
    const [mirror, table] = [this.#mirror, new NatsLeaseTable()];
    this.#line = line;
    this.#capabilities = capabilitiesOf(line, options);
    this.#markers = new NatsMarkers(store, options.clock, options.random);
    const onMarker = (subject: string, sequence: number): void => this.#markers.hear(subject, sequence);
    this.#feed = new NatsFeed({ line, store, mirror, leases: table, onMarker }, options);
    this.#janitor = new NatsCleanup({ store, mirror, table }, options);
    this.#leases = new NatsLeases({ store, table, janitor: this.#janitor }, options);
    this.#entries = new NatsEntries({
      store,
      isOrphan: (binding) => this.#leases.isOrphan(binding),
      onMissing: (reason) => line.calls.isOpen && this.#feed.loop.doubt(reason),
    });
    this.#messages = new NatsMessages(line, options.name ?? DEFAULT_STORE_NAME);
    this.logs = new NatsLogs({ store, lifecycle: this.#lifecycle, maxValueBytes: this.#capabilities.maxValueBytes });
    this.#feed.loop.start();
  }

  /** Resolves after the first full read of the store. */
  get loaded(): Promise<void> {
    return this.#feed.loop.loaded;
  }

  capabilities(): EngineCapabilities {
    return this.#capabilities;
  }

  async get(key: Key): Promise<Entry | undefined> {
    this.#lifecycle.checkOpen("get");
    checkKey(key);
    return this.#entries.get(key);
  }

  async cas(key: Key, expected: Epoch | "absent", value: Uint8Array, options?: WriteOptions): Promise<CasResult> {
    this.#lifecycle.checkOpen("cas");
    checkKey(key);
    checkValue(value, this.#capabilities.maxValueBytes);
    const change = { action: "cas", key, expected, value: plainCopy(value) };
    const lease = options?.lease;
    if (lease === undefined) return this.#change(change);
    const boundTo = this.#leases.bind(lease, key);
    if (boundTo === undefined) throw new EngineLeaseLostError({ token: lease.token });
    return this.#change({ ...change, boundTo });
  }

  async remove(key: Key, expected: Epoch): Promise<CasResult> {
    this.#lifecycle.checkOpen("remove");
    checkKey(key);
    return this.#change({ action: "remove", key, expected });
  }

  watch(prefix: Key, signal: AbortSignal): AsyncIterable<WatchEvent> {
    this.#lifecycle.checkOpen("watch");
    checkPrefix(prefix);
    const reader = this.#lifecycle.admit(signal);
    return this.#mirror.watch(prefix, reader.signal, reader.leave);
  }

  async lease(ttl: Millis): Promise<Lease> {
    this.#lifecycle.checkOpen("lease");
    checkTtl(ttl);
    return this.#leases.grant(ttl);
  }

  async publish(subject: Key, message: Uint8Array): Promise<void> {
    this.#lifecycle.checkOpen("publish");
    checkKey(subject);
    checkValue(message, this.#capabilities.maxValueBytes);
    return this.#messages.publish(subject, plainCopy(message));
  }

  subscribe(subject: Key, signal: AbortSignal): AsyncIterable<Uint8Array> {
    this.#lifecycle.checkOpen("subscribe");
    checkKey(subject);
    return this.#messages.subscribe(subject, this.#lifecycle.admit(signal));
  }

  /** Releases its leases if the server answers. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#lifecycle.isClosed) return;
    this.#lifecycle.close();
    await this.#leases.releaseAll();
    await this.abandon();
  }

  /** Ends like a killed process: its leases run out. */
  async abandon(): Promise<void> {
    this.#lifecycle.close();
    this.#leases.close();
    this.#janitor.close();
    this.#markers.close();
    await this.#line.close();
    await this.#feed.loop.close();
  }

  async #change(change: Change): Promise<CasResult> {
    const result = await this.#entries.change(change);
    if (result.outcome === "written") this.#mirror.made(result.revision);
    return result;
  }
}

/** @throws {EngineUnavailableError} when no server answers, {EngineServerUnfitError} when it is too old or lacks JetStream */
export async function openNatsEngine(options: RemoteEngineOptions): Promise<NatsEngine> {
  const line = await openNatsLine(options);
  let engine: NatsEngine | undefined;
  try {
    const store = new NatsStore(line, options);
    await store.find();
    engine = new NatsEngine(line, store, options);
    await Promise.race([engine.loaded, outOfTime(options)]);
    return engine;
  } catch (error) {
    await (engine === undefined ? line.close() : engine.abandon());
    throw error;
  }
}

async function outOfTime(options: RemoteEngineOptions): Promise<never> {
  const { answer, silence } = timingsOf(options);
  await options.clock.sleep((answer + silence) as Millis, new AbortController().signal);
  const reason = "its watch did not start in time";
  throw new EngineUnavailableError({ engine: NATS, action: "open", reason, isUnknown: false });
}

/** JetStream acknowledges after writing, before syncing the disk; a server does not report its disk guarantees. */
function capabilitiesOf(line: NatsClient, { replicas = 1 }: RemoteEngineOptions): EngineCapabilities {
  const room = (line.connection.info?.max_payload ?? 0) - HEADER_ROOM;
  return {
    engine: NATS,
    serverVersion: line.serverVersion,
    isDurable: true,
    survivesPowerLoss: false,
    survivesNodeLoss: replicas >= 3,
    enforcesLeases: false,
    hasLogs: true,
    maxValueBytes: Math.min(ENGINE_LIMITS.valueBytes, room),
    maxKeyBytes: ENGINE_LIMITS.keyBytes,
  };
}
