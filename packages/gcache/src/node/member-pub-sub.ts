/** Messages between users of the embedded members: at most once to each present subscriber. */
import { decodePublish, encodePublish } from "../members/member-calls.ts";

export type Subscriber = (message: Uint8Array) => void;

export class MemberPubSub {
  readonly #send: (bytes: Uint8Array) => void;
  readonly #subscribers = new Map<string, Set<Subscriber>>();

  /** @param send  sends to every other connected member */
  constructor(send: (bytes: Uint8Array) => void) {
    this.#send = send;
  }

  /** @param subject  at most 65 535 bytes as UTF-8 */
  publish(subject: string, message: Uint8Array): void {
    this.#deliver(subject, message);
    this.#send(encodePublish(Buffer.from(subject), message));
  }

  /** The subscriber owns the messages. */
  subscribe(subject: string, subscriber: Subscriber): Disposable {
    const found = this.#subscribers.get(subject) ?? new Set();
    this.#subscribers.set(subject, found.add(subscriber));
    return {
      [Symbol.dispose]: () => {
        found.delete(subscriber);
        if (found.size === 0) this.#subscribers.delete(subject);
      },
    };
  }

  onPublish(bytes: Uint8Array): void {
    const { subject, message } = decodePublish(bytes);
    this.#deliver(Buffer.from(subject).toString(), message);
  }

  #deliver(subject: string, message: Uint8Array): void {
    for (const subscriber of this.#subscribers.get(subject) ?? []) subscriber(new Uint8Array(message));
  }
}
