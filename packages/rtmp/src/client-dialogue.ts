/** The client's commands and what comes back for them. RTMP 1.0 §7.2. */
import { type AmfObject, type AmfValue, entriesOf } from "@sluice/amf/value";
import type { RtmpClientEvent, StreamIntent } from "./client-event.ts";
import type { CommandMessage } from "./command-message.ts";
import { CONNECTION_STREAM, type MessageStreamId, type TransactionId } from "./ids.ts";
import type { MessageExchange } from "./message-exchange.ts";

type Pending =
  | { readonly for: "connect" }
  | { readonly for: "nothing" }
  | { readonly for: "call" }
  | { readonly for: "stream"; readonly intent: StreamIntent };

const NO_ANSWER = 0 as TransactionId;

export class ClientDialogue {
  readonly #exchange: MessageExchange;
  readonly #pending = new Map<TransactionId, Pending>();
  #lastTransactionId = 0;

  constructor(exchange: MessageExchange) {
    this.#exchange = exchange;
  }

  connect(commandObject: AmfObject): void {
    const transactionId = this.#expect({ for: "connect" });
    this.#exchange.sendCommand({ name: "connect", transactionId, commandObject, args: [] });
  }

  /** Asks for a message stream; publishers announce the name first, as servers expect of them. */
  openStream(intent: StreamIntent, streamName: string): void {
    if (intent === "publish") {
      this.#send("releaseStream", [streamName], this.#expect({ for: "nothing" }));
      this.#send("FCPublish", [streamName], this.#expect({ for: "nothing" }));
    }
    this.#send("createStream", [], this.#expect({ for: "stream", intent }));
  }

  publish(messageStreamId: MessageStreamId, streamName: string): void {
    this.#send("publish", [streamName, "live"], this.#expect({ for: "nothing" }), messageStreamId);
  }

  play(messageStreamId: MessageStreamId, streamName: string, args: readonly AmfValue[]): void {
    this.#send("play", [streamName, ...args], NO_ANSWER, messageStreamId);
  }

  /** A command on a message stream that wants no answer: pause, seek, receiveAudio, closeStream. */
  tellStream(messageStreamId: MessageStreamId, name: string, args: readonly AmfValue[]): void {
    this.#send(name, args, NO_ANSWER, messageStreamId);
  }

  closeStream(messageStreamId: MessageStreamId, intent: StreamIntent, streamName: string): void {
    if (intent === "publish") this.#send("FCUnpublish", [streamName], this.#expect({ for: "nothing" }));
    this.#send("deleteStream", [messageStreamId], NO_ANSWER);
  }

  call(name: string, args: readonly AmfValue[]): TransactionId {
    const transactionId = this.#expect({ for: "call" });
    this.#send(name, args, transactionId);
    return transactionId;
  }

  /** What a server's command means; `undefined` when it means nothing. */
  read(command: CommandMessage, messageStreamId: MessageStreamId): RtmpClientEvent | undefined {
    const { name, transactionId, commandObject, args } = command;
    if (name === "_result" || name === "_error") return this.#readAnswer(command, name === "_error");
    if (name === "onStatus") return readStatus(args, messageStreamId);
    if (name === "onFCPublish" || name === "onFCUnpublish" || name === "onBWDone") return undefined;
    return { type: "call", name, transactionId, messageStreamId, commandObject, args };
  }

  #readAnswer(command: CommandMessage, isError: boolean): RtmpClientEvent | undefined {
    const { transactionId, args } = command;
    const pending = this.#pending.get(transactionId);
    this.#pending.delete(transactionId);
    if (pending === undefined || pending.for === "nothing") return undefined;
    if (pending.for === "connect") return isError ? readRejection(args) : readAcceptance(command);
    if (pending.for === "call") return { type: "call-result", transactionId, isError, values: args };
    const { intent } = pending;
    const id = args[0];
    if (isError || typeof id !== "number") return { type: "stream-refused", intent, values: args };
    return { type: "stream-created", messageStreamId: id as MessageStreamId, intent };
  }

  #expect(pending: Pending): TransactionId {
    const transactionId = ++this.#lastTransactionId as TransactionId;
    this.#pending.set(transactionId, pending);
    return transactionId;
  }

  #send(
    name: string,
    args: readonly AmfValue[],
    transactionId: TransactionId,
    messageStreamId: MessageStreamId = CONNECTION_STREAM,
  ): void {
    this.#exchange.sendCommand({ name, transactionId, commandObject: null, args }, messageStreamId);
  }
}

function readAcceptance(command: CommandMessage): RtmpClientEvent {
  const properties = entriesOf(command.commandObject) ?? {};
  return { type: "connected", properties, information: entriesOf(command.args[0]) ?? {} };
}

function readRejection(args: readonly AmfValue[]): RtmpClientEvent {
  const information = entriesOf(args[0]) ?? {};
  const redirect = entriesOf(information["ex"])?.["redirect"];
  return {
    type: "connect-rejected",
    code: text(information["code"]),
    description: text(information["description"]),
    redirect: typeof redirect === "string" ? redirect : undefined,
  };
}

function readStatus(args: readonly AmfValue[], messageStreamId: MessageStreamId): RtmpClientEvent {
  const information = entriesOf(args[0]) ?? {};
  const code = text(information["code"]);
  const description = text(information["description"]);
  if (code === "NetConnection.Connect.ReconnectRequest") {
    const tcUrl = information["tcUrl"];
    return { type: "reconnect-request", tcUrl: typeof tcUrl === "string" ? tcUrl : undefined, description };
  }
  return { type: "status", messageStreamId, level: text(information["level"]), code, description, information };
}

function text(value: AmfValue): string {
  return typeof value === "string" ? value : "";
}
