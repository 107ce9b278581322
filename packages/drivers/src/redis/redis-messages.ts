/** Channels of a Redis server that this process listens to, each subscribed to once however many hear it. */
import type { Key } from "@sluice/engine/engine";
import type { Reader } from "@sluice/engine/remote/engine-lifecycle";
import { messageStream } from "@sluice/engine/remote/message-stream";
import { toUnavailable } from "./redis-failures.ts";
import type { RedisClient } from "./redis-client.ts";

/** Gets a view that is valid during the call only. */
type Hearer = (message: Uint8Array) => void;

export class RedisMessages {
  readonly #line: RedisClient;
  readonly #hearers = new Map<string, Set<Hearer>>();
  /** Settles when all that was subscribed to so far is in force, or failed. */
  #subscribing: Promise<unknown> = Promise.resolve();

  constructor(line: RedisClient) {
    this.#line = line;
    line.ears.on("messageBuffer", (channel: Buffer, message: Buffer) => {
      for (const hearer of this.#hearers.get(channel.toString()) ?? []) hearer(message);
    });
  }

  /** The connection is new: subscribes to all that is heard. */
  renew(): void {
    const channels = [...this.#hearers.keys()];
    if (channels.length > 0) this.#subscribe(channels);
  }

  /** @returns what ends it */
  hear(channel: string, hearer: Hearer): () => void {
    const hearers = this.#hearers.get(channel) ?? new Set();
    hearers.add(hearer);
    this.#hearers.set(channel, hearers);
    if (hearers.size === 1) this.#subscribe([channel]);
    return () => {
      if (!hearers.delete(hearer) || hearers.size > 0) return;
      this.#hearers.delete(channel);
      if (this.#line.canHear) this.#line.ears.unsubscribe(channel).catch(() => {});
    };
  }

  /** @throws {EngineUnavailableError} when what was subscribed to last is not in force */
  async settled(): Promise<void> {
    try {
      await this.#subscribing;
    } catch (error) {
      throw toUnavailable({ action: "subscribe", isWrite: false, bytes: 0 }, error);
    }
  }

  /** Resolves when the server has it. The message must not change meanwhile. */
  async publish(subject: Key, message: Uint8Array): Promise<void> {
    // Whoever subscribed here before hears it.
    await this.#subscribing.catch(() => {});
    const call = { action: "publish", isWrite: true, bytes: message.length };
    await this.#line.command(call, "PUBLISH", this.#line.names.channel(subject), message);
  }

  subscribe(subject: Key, reader: Reader): AsyncIterable<Uint8Array> {
    return messageStream(reader, (heard) => this.hear(this.#line.names.channel(subject), heard));
  }

  /** While there is no connection nothing is sent: `renew` makes good for it. */
  #subscribe(channels: readonly string[]): void {
    this.#subscribing = this.#line.ears.subscribe(...channels);
    this.#subscribing.catch(() => {});
  }
}
