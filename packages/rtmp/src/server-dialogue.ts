/** What the commands of a server connection work on. */
import { BoundedQueue } from "@sluice/base/bounded-queue";
import type { CommandMessage } from "./command-message.ts";
import { RtmpLimitError } from "./errors.ts";
import type { MessageStreamId, TransactionId } from "./ids.ts";
import type { RtmpLimits } from "./limits.ts";
import type { MessageExchange } from "./message-exchange.ts";
import { MessageStreams } from "./message-streams.ts";
import { resultOf, type Status, statusOf } from "./replies.ts";
import type { RtmpServerEvent } from "./server-event.ts";

/** A command as it came, on the message stream it came on. */
export interface ReceivedCommand extends CommandMessage {
  readonly messageStreamId: MessageStreamId;
}

export class ServerDialogue {
  readonly exchange: MessageExchange;
  readonly streams: MessageStreams;
  readonly limits: RtmpLimits;
  readonly #events: BoundedQueue<RtmpServerEvent>;

  constructor(exchange: MessageExchange, limits: RtmpLimits) {
    this.exchange = exchange;
    this.limits = limits;
    this.streams = new MessageStreams(limits);
    this.#events = new BoundedQueue(limits.queuedEvents);
  }

  /** @throws {RtmpLimitError} queuedEvents */
  tell(event: RtmpServerEvent): void {
    if (this.#events.offer(event) === "queued") return;
    const maximum = this.#events.capacity;
    throw new RtmpLimitError({ limit: "queuedEvents", value: maximum + 1, maximum });
  }

  takeEvent(): RtmpServerEvent | undefined {
    return this.#events.take();
  }

  isClosedSince(messageStreamId: MessageStreamId): boolean {
    return this.#events.some((event) => event.type === "stream-closed" && event.messageStreamId === messageStreamId);
  }

  /** Sends a result unless the command wants none. */
  answer(transactionId: TransactionId, values: Parameters<typeof resultOf>[1]): void {
    if (transactionId !== 0) this.exchange.sendCommand(resultOf(transactionId, values));
  }

  sendStatus(messageStreamId: MessageStreamId, status: Status): void {
    this.exchange.sendCommand(statusOf(status), messageStreamId);
  }
}
