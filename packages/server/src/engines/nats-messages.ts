/** Publishing and subscribing over NATS core subjects: at most once, nothing is stored. */
import type { Key } from "@sluice/engine/engine";
import { MessageQueue } from "@sluice/engine/message-queue";
import { Outlet } from "@sluice/engine/outlet";
import type { Reader } from "./engine-desk.ts";
import { lateStart } from "./late-start.ts";
import type { NatsLine } from "./nats-line.ts";
import { encodeToken } from "./nats-names.ts";
import { plainCopy } from "./plain-copy.ts";

export class NatsMessages {
  readonly #line: NatsLine;
  readonly #root: string;

  constructor(line: NatsLine, engineName: string) {
    this.#line = line;
    this.#root = `sluice.${engineName}.msg`;
  }

  /** Resolves when the server has it. The message must not change meanwhile. */
  publish(subject: Key, message: Uint8Array): Promise<void> {
    const { connection } = this.#line;
    return this.#line.call({ action: "publish", isWrite: true, bytes: message.length }, () => {
      connection.publish(this.#subjectOf(subject), message);
      return connection.flush();
    });
  }

  subscribe(subject: Key, { signal, leave }: Reader): AsyncIterable<Uint8Array> {
    const queue = new MessageQueue();
    let stop: (() => void) | undefined;
    let isEnded = false;
    const outlet = new Outlet<Uint8Array>({
      take: () => queue.take(),
      signal,
      onEnd: () => {
        isEnded = true;
        stop?.();
        leave();
      },
    });
    return lateStart(outlet, () => {
      if (isEnded) return;
      const subscription = this.#line.connection.subscribe(this.#subjectOf(subject), {
        callback: (error, message) => {
          if (error === null && queue.offer(plainCopy(message.data)) === "queued") outlet.wake();
        },
      });
      stop = () => subscription.unsubscribe();
    });
  }

  #subjectOf(subject: Key): string {
    return `${this.#root}.${encodeToken(subject)}`;
  }
}
