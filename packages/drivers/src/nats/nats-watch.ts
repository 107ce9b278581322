/** One watch over a NATS stream: a consumer whose messages are counted; a silent one is abandoned. */
import { AckPolicy, type ConsumerConfig, type ConsumerInfo, DeliverPolicy } from "@nats-io/jetstream";
import { createInbox, type Msg, nanos } from "@nats-io/transport-node";
import type { Millis } from "@sluice/base/brand";
import type { Clock } from "@sluice/base/clock";
import { aborted } from "@sluice/base/scope";
import { type RemoteEngineOptions, timingsOf } from "@sluice/engine/remote/engine-options";
import type { WatchAttempt } from "@sluice/engine/remote/feed-loop";
import type { RemoteEngineTimings } from "@sluice/engine/remote/remote-limits";
import type { NatsClient } from "./nats-client.ts";
import { readDelivery } from "./nats-names.ts";
import type { NatsStore } from "./nats-store.ts";

export interface NatsWatchParts {
  readonly line: NatsClient;
  readonly store: NatsStore;
  readonly attempt: WatchAttempt;
  readonly onMessage: (message: Msg, sequence: number) => void;
  /** Called once, after everything that existed when the watch began has been delivered. */
  readonly onRead: () => void;
  /** Rejects or resolves; called now and then. */
  readonly audit: () => Promise<void>;
}

/** Heartbeats between two audits. */
const AUDIT_BEATS = 10;
const STATUS = 100;

export class NatsWatch {
  readonly #parts: NatsWatchParts;
  readonly #clock: Clock;
  readonly #timings: RemoteEngineTimings;
  /** Compared with the server's own count. */
  #received = 0;
  #lastHeard: Millis;
  #isReading = true;

  constructor(parts: NatsWatchParts, options: RemoteEngineOptions) {
    this.#parts = parts;
    this.#clock = options.clock;
    this.#timings = timingsOf(options);
    this.#lastHeard = options.clock.now();
  }

  /** Resolves when the attempt is in doubt. @throws {EngineUnavailableError} when it cannot begin */
  async run(): Promise<void> {
    const { line, attempt } = this.#parts;
    const inbox = createInbox();
    const subscription = line.connection.subscribe(inbox, {
      callback: (error, message) => (error === null ? this.#receive(message) : attempt.doubt(error.message)),
    });
    try {
      const consumer = await this.#addConsumer(inbox);
      if (consumer.num_pending === 0 && consumer.delivered.consumer_seq === 0) this.#hasRead();
      void this.#beat();
      await aborted(attempt.signal);
      // Without a subscriber the consumer also expires by itself.
      if (line.calls.isOpen) line.admin.consumers.delete(consumer.stream_name, consumer.name).catch(() => {});
    } finally {
      subscription.unsubscribe();
    }
  }

  #addConsumer(inbox: string): Promise<ConsumerInfo> {
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

  async #beat(): Promise<void> {
    const { attempt, audit } = this.#parts;
    for (let beat = 1; ; beat++) {
      await this.#clock.sleep(this.#timings.heartbeat, attempt.signal).catch(() => {});
      if (attempt.signal.aborted) return;
      const silence = this.#clock.now() - this.#lastHeard;
      if (silence > this.#timings.silence) attempt.doubt(`nothing heard for ${Math.round(silence)} ms`);
      else if (beat % AUDIT_BEATS === 0 && !this.#isReading) await audit().catch(() => {});
    }
  }

  #receive(message: Msg): void {
    const { attempt, onMessage } = this.#parts;
    if (attempt.signal.aborted) return;
    this.#lastHeard = this.#clock.now();
    if (message.headers?.code === STATUS) return this.#receiveStatus(message);
    const delivery = readDelivery(message.reply);
    if (delivery?.consumerSequence !== this.#received + 1) return attempt.doubt("a message is missing");
    this.#received++;
    onMessage(message, delivery.streamSequence);
    if (delivery.pending === 0) this.#hasRead();
  }

  /** Answers a flow control request; checks a heartbeat, which says how many messages were sent. */
  #receiveStatus(message: Msg): void {
    if (message.reply !== undefined && message.reply !== "") return void message.respond();
    const stalled = message.headers?.get("Nats-Consumer-Stalled") ?? "";
    if (stalled !== "") this.#parts.line.connection.publish(stalled);
    const sent = Number(message.headers?.get("Nats-Last-Consumer"));
    if (sent !== this.#received) this.#parts.attempt.doubt(`${sent} messages were sent, ${this.#received} came`);
    else this.#hasRead();
  }

  #hasRead(): void {
    if (!this.#isReading) return;
    this.#isReading = false;
    this.#parts.onRead();
  }
}
