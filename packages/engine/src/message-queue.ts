/** Messages that a subscriber has not taken yet, limited by count and bytes. */
import { BoundedQueue } from "@sluice/base/bounded-queue";
import { ENGINE_LIMITS } from "./limits.ts";

export class MessageQueue {
  readonly #messages: BoundedQueue<Uint8Array>;
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(
    maxMessages: number = ENGINE_LIMITS.subscriberMessages,
    maxBytes: number = ENGINE_LIMITS.subscriberBytes,
  ) {
    this.#messages = new BoundedQueue(maxMessages);
    this.#maxBytes = maxBytes;
  }

  /** Keeps the message itself; the subscriber owns it from then on. */
  offer(message: Uint8Array): "queued" | "dropped" {
    if (this.#bytes + message.length > this.#maxBytes) return "dropped";
    if (this.#messages.offer(message) === "full") return "dropped";
    this.#bytes += message.length;
    return "queued";
  }

  /** Removes the oldest; `undefined` when empty. */
  take(): Uint8Array | undefined {
    const message = this.#messages.take();
    this.#bytes -= message?.length ?? 0;
    return message;
  }
}
