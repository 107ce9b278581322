/** One subscription of a memory engine. */
import type { Key } from "../engine.ts";
import { MessageQueue } from "../message-queue.ts";
import { QueueIterator } from "../queue-iterator.ts";

export interface MemorySubscriptionOptions {
  readonly subject: Key;
  readonly signal: AbortSignal;
  readonly onEnd: () => void;
}

export class MemorySubscription {
  readonly messages: QueueIterator<Uint8Array>;
  readonly #subject: Key;
  readonly #queue = new MessageQueue();
  #isListening = false;

  constructor({ subject, signal, onEnd }: MemorySubscriptionOptions) {
    this.#subject = subject;
    this.messages = new QueueIterator({ take: () => this.#take(), signal, onEnd });
  }

  /** Copies the message if it is for this subscriber. */
  onMessage(subject: Key, message: Uint8Array): void {
    if (!this.#isListening || subject !== this.#subject) return;
    this.#queue.offer(message.slice());
    this.messages.wake();
  }

  #take(): Uint8Array | undefined {
    this.#isListening = true;
    return this.#queue.take();
  }
}
