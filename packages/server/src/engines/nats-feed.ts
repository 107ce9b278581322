/** Keeps the mirror true to a NATS stream: one watch for the whole process, and a full re-read upon any doubt. */
import { type ConsumerConfig, DeliverPolicy, AckPolicy } from "@nats-io/jetstream";
import { createInbox, type Msg, nanos } from "@nats-io/transport-node";
import { Backoff } from "@sluice/base/backoff";
import type { Millis } from "@sluice/base/brand";
import type { Clock } from "@sluice/base/clock";
import type { Log } from "@sluice/base/log";
import type { Mirror } from "./mirror.ts";
import { type RemoteEngineOptions, timingsOf } from "./engine-options.ts";
import type { RemoteEngineTimings } from "./limits.ts";
import { messageOf, NATS, type NatsLine } from "./nats-line.ts";
import { decodeLeaseRecord, type NatsLeaseTable } from "./nats-lease-table.ts";
import { readDelivery, readWatchedName } from "./nats-names.ts";
import { isRemoval, LEASE_HEADER, type NatsStore } from "./nats-store.ts";
import { plainCopy } from "./plain-copy.ts";

export interface NatsFeedParts {
  readonly line: NatsLine;
  readonly store: NatsStore;
  readonly mirror: Mirror;
  readonly leases: NatsLeaseTable;
  /** Told of each marker of removal. */
  readonly onMarker: (subject: string, sequence: number) => void;
}

/** One watch from its start to the first doubt. */
interface Watch {
  readonly generation: number;
  readonly end: (reason: string) => void;
  /** Messages received; the server counts along. */
  received: number;
  lastHeard: Millis;
  isLoading: boolean;
}

/** Beats between two looks at whether somebody swept the stream by hand. */
const AUDIT_BEATS = 10;

export class NatsFeed {
  readonly #parts: NatsFeedParts;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #timings: RemoteEngineTimings;
  readonly #backoff: Backoff;
  readonly #closing = new AbortController();
  #pause = new AbortController();
  #watch: Watch | undefined;
  readonly #loaded = Promise.withResolvers<void>();
  readonly #ended: Promise<void>;

  constructor(parts: NatsFeedParts, options: RemoteEngineOptions) {
    this.#parts = parts;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#timings = timingsOf(options);
    const { retryFirst: first, retryCap: cap } = this.#timings;
    this.#backoff = new Backoff({ first, cap, factor: 2, random: options.random });
    parts.line.listen({ onUp: () => this.#pause.abort(), onDown: () => this.doubt("the connection is gone") });
    this.#ended = this.#run();
  }

  /** Resolves once all that stands was read for the first time. */
  get loaded(): Promise<void> {
    return this.#loaded.promise;
  }

  /** Ends the present watch; a new one begins with a full re-read. */
  doubt(reason: string): void {
    this.#watch?.end(reason);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#pause.abort();
    this.doubt("the engine is closing");
    await this.#ended;
  }

  async #run(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      const reason = await this.#follow().catch(messageOf);
      this.#parts.mirror.doubt();
      if (this.#closing.signal.aborted) return;
      this.#log.debug({ engine: NATS, reason }, "engine reads its store anew");
      await this.#rest();
    }
  }

  async #rest(): Promise<void> {
    this.#pause = new AbortController();
    const signal = AbortSignal.any([this.#pause.signal, this.#closing.signal]);
    await this.#clock.sleep(this.#backoff.next(), signal).catch(() => {});
  }

  /** @returns why it ended */
  async #follow(): Promise<string> {
    const { line, store } = this.#parts;
    await store.find();
    const { promise, resolve } = Promise.withResolvers<string>();
    const now = this.#clock.now();
    const watch: Watch = { generation: store.generation, end: resolve, received: 0, lastHeard: now, isLoading: true };
    this.#watch = watch;
    this.#parts.mirror.beginReload();
    this.#parts.leases.clear();
    const inbox = createInbox();
    const subscription = line.connection.subscribe(inbox, {
      callback: (error, message) => (error === null ? this.#receive(watch, message) : resolve(messageOf(error))),
    });
    try {
      const consumer = await this.#addConsumer(inbox);
      if (consumer.num_pending === 0 && consumer.delivered.consumer_seq === 0) this.#finishLoading(watch);
      void this.#beat(watch, promise);
      const reason = await promise;
      if (line.gate.isOpen) this.#removeConsumer(consumer.stream_name, consumer.name);
      return reason;
    } finally {
      this.#watch = undefined;
      resolve("it ended");
      subscription.unsubscribe();
    }
  }

  #addConsumer(inbox: string): ReturnType<NatsLine["admin"]["consumers"]["add"]> {
    const { line, store } = this.#parts;
    const { streamName, watched } = store.names;
    const config: Partial<ConsumerConfig> = {
      deliver_subject: inbox,
      deliver_policy: DeliverPolicy.LastPerSubject,
      filter_subject: watched,
      ack_policy: AckPolicy.None,
      flow_control: true,
      idle_heartbeat: nanos(this.#timings.heartbeat),
      inactive_threshold: nanos(this.#timings.silence * 3),
      mem_storage: true,
      num_replicas: 1,
    };
    const call = { action: "watch the store", isWrite: false, bytes: 0 };
    return line.call(call, () => line.admin.consumers.add(streamName, config));
  }

  #removeConsumer(streamName: string, name: string): void {
    // It ends by itself too, once nobody listens.
    this.#parts.line.admin.consumers.delete(streamName, name).catch(() => {});
  }

  /** Ends the watch when the server falls silent, or when entries are gone that nobody removed. */
  async #beat(watch: Watch, ended: Promise<string>): Promise<void> {
    const over = new AbortController();
    void ended.then(() => over.abort());
    for (let beat = 1; ; beat++) {
      await this.#clock.sleep(this.#timings.heartbeat, over.signal).catch(() => {});
      if (over.signal.aborted) return;
      const silence = this.#clock.now() - watch.lastHeard;
      if (silence > this.#timings.silence) watch.end(`nothing heard for ${Math.round(silence)} ms`);
      else if (beat % AUDIT_BEATS === 0) await this.#audit(watch).catch(() => {});
    }
  }

  async #audit(watch: Watch): Promise<void> {
    const entries = [...this.#parts.mirror.entries()];
    if (watch.isLoading || entries.length === 0) return;
    const first = await this.#parts.store.firstSequence();
    if (entries.some((entry) => entry.revision.number < first && this.#stands(entry.key, entry.revision.number))) {
      watch.end("entries were purged");
    }
  }

  #stands(key: string, sequence: number): boolean {
    return this.#parts.mirror.find(key)?.revision.number === sequence;
  }

  #receive(watch: Watch, message: Msg): void {
    watch.lastHeard = this.#clock.now();
    if (message.headers?.code === 100) return this.#receiveStatus(watch, message);
    const delivery = readDelivery(message.reply);
    if (delivery === undefined || delivery.consumerSequence !== watch.received + 1) {
      return watch.end("a message is missing");
    }
    watch.received++;
    this.#apply(watch, message, delivery.streamSequence);
    if (watch.isLoading && delivery.pending === 0) this.#finishLoading(watch);
  }

  /** A flow control request wants an answer; a heartbeat says how many messages were sent. */
  #receiveStatus(watch: Watch, message: Msg): void {
    if (message.reply !== undefined && message.reply !== "") return void message.respond();
    const stalled = message.headers?.get("Nats-Consumer-Stalled") ?? "";
    if (stalled !== "") this.#parts.line.connection.publish(stalled);
    const sent = Number(message.headers?.get("Nats-Last-Consumer"));
    if (sent !== watch.received) return watch.end(`${sent} messages were sent, ${watch.received} came`);
    if (watch.isLoading) this.#finishLoading(watch);
  }

  #finishLoading(watch: Watch): void {
    watch.isLoading = false;
    this.#backoff.reset();
    this.#parts.mirror.finishReload();
    this.#loaded.resolve();
  }

  #apply(watch: Watch, message: Msg, sequence: number): void {
    const name = readWatchedName(message.subject);
    if (name === undefined) return;
    const isRemoved = isRemoval(message.headers);
    if (isRemoved) this.#parts.onMarker(message.subject, sequence);
    if (name.kind === "key") this.#applyKey(name.key, message, { generation: watch.generation, number: sequence });
    else if (isRemoved) this.#parts.leases.hearLeaseRemoved(name.slot);
    else this.#applyLease(name.slot, sequence, message.data);
  }

  #applyKey(key: string, message: Msg, revision: { readonly generation: number; readonly number: number }): void {
    const { mirror, leases } = this.#parts;
    if (isRemoval(message.headers)) {
      leases.hearKeyRemoved(key);
      mirror.remove(key, revision);
    } else {
      leases.hearKey(key, message.headers?.get(LEASE_HEADER) ?? "");
      mirror.put({ key, value: plainCopy(message.data), revision });
    }
  }

  #applyLease(slot: number, sequence: number, data: Uint8Array): void {
    const record = decodeLeaseRecord(slot, sequence, data);
    if (record === undefined) this.#parts.leases.hearLeaseRemoved(slot);
    else this.#parts.leases.hearLease(record, this.#clock.now());
  }
}
