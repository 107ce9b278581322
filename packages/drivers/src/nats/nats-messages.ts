/** Publishes and subscribes over NATS core subjects: at most once, nothing is stored. */
import type { Key } from "@sluice/engine/engine";
import type { Reader } from "@sluice/engine/remote/engine-lifecycle";
import { messageStream } from "@sluice/engine/remote/message-stream";
import type { NatsClient } from "./nats-client.ts";
import { encodeToken } from "./nats-names.ts";

export class NatsMessages {
  readonly #line: NatsClient;
  readonly #root: string;

  constructor(line: NatsClient, engineName: string) {
    this.#line = line;
    this.#root = `sluice.${engineName}.msg`;
  }

  /** Resolves when the server has received the message, which must not change until then. */
  publish(subject: Key, message: Uint8Array): Promise<void> {
    const { connection } = this.#line;
    return this.#line.call({ action: "publish", isWrite: true, bytes: message.length }, () => {
      connection.publish(this.#subjectOf(subject), message);
      return connection.flush();
    });
  }

  subscribe(subject: Key, reader: Reader): AsyncIterable<Uint8Array> {
    return messageStream(reader, (heard) => {
      const subscription = this.#line.connection.subscribe(this.#subjectOf(subject), {
        callback: (error, message) => {
          if (error === null) heard(message.data);
        },
      });
      return () => subscription.unsubscribe();
    });
  }

  #subjectOf(subject: Key): string {
    return `${this.#root}.${encodeToken(subject)}`;
  }
}
