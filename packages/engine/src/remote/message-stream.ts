/** The reader's side of a subscription to a remote engine: a queue of messages, filled from the first read on. */
import { MessageQueue } from "../message-queue.ts";
import { QueueIterator } from "../queue-iterator.ts";
import type { Reader } from "./engine-lifecycle.ts";
import { lateStart } from "./late-start.ts";
import { plainCopy } from "./plain-copy.ts";

/**
 * @param listen  called once, unless the reader left before; receives a callback for messages, each valid during
 *   the call only, and returns a function that stops listening
 */
export function messageStream(
  { signal, leave }: Reader,
  listen: (heard: (message: Uint8Array) => void) => () => void,
): AsyncIterable<Uint8Array> {
  const queue = new MessageQueue();
  let stop: (() => void) | undefined;
  let isEnded = false;
  const iterator = new QueueIterator<Uint8Array>({
    take: () => queue.take(),
    signal,
    onEnd: () => {
      isEnded = true;
      stop?.();
      leave();
    },
  });
  return lateStart(iterator, () => {
    if (isEnded) return;
    stop = listen((message) => {
      if (queue.offer(plainCopy(message)) === "queued") iterator.wake();
    });
  });
}
