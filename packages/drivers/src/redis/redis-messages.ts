/** Channels of a Redis server that this process subscribes to, each once however many listeners it has. */
import type { Key } from "@sluice/engine/engine";
import type { Reader } from "@sluice/engine/remote/engine-lifecycle";
import { messageStream } from "@sluice/engine/remote/message-stream";
import { toUnavailable } from "./redis-failures.ts";
import type { RedisClient } from "./redis-client.ts";

/** Receives a view that is valid during the call only. */
type Listener = (message: Uint8Array) => void;

export class RedisMessages {
  readonly #line: RedisClient;
  readonly #listeners = new Map<string, Set<Listener>>();
  /** Settles when every subscription so far is active, or failed. */
  #subscribing: Promise<unknown> = Promise.resolve();

  constructor(line: RedisClient) {
    this.#line = line;
    line.subscriber.on("messageBuffer", (channel: Buffer, message: Buffer) => {
      for (const listener of this.#listeners.get(channel.toString()) ?? []) listener(message);
    });
  }

  /** The connection is new: subscribes to every channel with listeners. */
  renew(): void {
    const channels = [...this.#listeners.keys()];
    if (channels.length > 0) this.#subscribe(channels);
  }

  /** @returns a function that stops listening */
  hear(channel: string, listener: Listener): () => void {
    const listeners = this.#listeners.get(channel) ?? new Set();
    listeners.add(listener);
    this.#listeners.set(channel, listeners);
    if (listeners.size === 1) this.#subscribe([channel]);
    return () => {
      if (!listeners.delete(listener) || listeners.size > 0) return;
      this.#listeners.delete(channel);
      if (this.#line.canSubscribe) this.#line.subscriber.unsubscribe(channel).catch(() => {});
    };
  }

  /** @throws {EngineUnavailableError} when the last subscription is not active */
  async settled(): Promise<void> {
    try {
      await this.#subscribing;
    } catch (error) {
      throw toUnavailable({ action: "subscribe", isWrite: false, bytes: 0 }, error);
    }
  }

  /** Resolves when the server has received the message, which must not change until then. */
  async publish(subject: Key, message: Uint8Array): Promise<void> {
    // Listeners that subscribed here before receive it.
    await this.#subscribing.catch(() => {});
    const call = { action: "publish", isWrite: true, bytes: message.length };
    await this.#line.command(call, "PUBLISH", this.#line.names.channel(subject), message);
  }

  subscribe(subject: Key, reader: Reader): AsyncIterable<Uint8Array> {
    return messageStream(reader, (heard) => this.hear(this.#line.names.channel(subject), heard));
  }

  /** Sends nothing without a connection: `renew` subscribes later. */
  #subscribe(channels: readonly string[]): void {
    this.#subscribing = this.#line.subscriber.subscribe(...channels);
    this.#subscribing.catch(() => {});
  }
}
