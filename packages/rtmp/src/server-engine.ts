/** The server's end of an RTMP connection: bytes in, events and bytes out; no socket, no clock. */
import type { AmfObject, AmfValue } from "@sluice/amf/value";
import type { Crypto } from "@sluice/base/crypto";
import type { ByteAllocator } from "@sluice/bytes/allocator";
import { LimitError, WireError } from "@sluice/bytes/wire-error";
import { type ConnectAcceptance, type ConnectRefusal, sendConnectError, sendConnectResult } from "./connect-verdict.ts";
import { RtmpDialogueError } from "./errors.ts";
import { ServerHandshake } from "./handshake/server-handshake.ts";
import { CONNECTION_STREAM, type MessageStreamId, type TransactionId } from "./ids.ts";
import { DEFAULT_RTMP_LIMITS, type RtmpLimits } from "./limits.ts";
import { MESSAGE_TYPE, type Message } from "./message.ts";
import { readMedia, readSharedObject } from "./message-events.ts";
import { MessageExchange } from "./message-exchange.ts";
import type { PartialPools } from "./partial-pools.ts";
import { callOf, errorOf, type Status } from "./replies.ts";
import { ServerCommands } from "./server-commands.ts";
import { ServerDialogue } from "./server-dialogue.ts";
import type { RtmpServerEvent } from "./server-event.ts";
import type { EncodedSharedObject, SharedObjectMessage } from "./shared-object-message.ts";
import {
  acceptPlay,
  acceptPublish,
  type PlayAcceptance,
  type Refusal,
  rejectPlay,
  rejectPublish,
} from "./stream-commands.ts";
import { decodeUserControl, type UserControl } from "./user-control.ts";

export interface RtmpServerEngineOptions {
  readonly crypto: Crypto;
  /** Gives media bodies, which the owner of the engine keeps. */
  readonly allocator: ByteAllocator;
  readonly limits?: RtmpLimits;
  /** Shared by all connections of a node; of its own if left out. */
  readonly pools?: PartialPools;
  /** Of what we send, announced once with the connect result and never changed; 1 to 16,777,215, 60,000 if left out. */
  readonly chunkSize?: number;
  /** Bytes after which the peer shall acknowledge; 2,500,000 if left out. */
  readonly windowAckSize?: number;
}

/** Enough for every opening dialogue seen; a connection that never carries media is not acknowledged for ever. */
const MOST_PROMPTS = 32;

/** What the peer may send next, so that a session can limit how long each takes. */
export type RtmpServerPhase = "handshake" | "awaiting-connect" | "connect-pending" | "connected" | "rejected";

/**
 * After each `receive` and each verdict: take events until there is none, then output until there is none.
 * A verdict may be given at once or much later; commands that come meanwhile wait for the one on connect.
 */
export class RtmpServerEngine {
  readonly #exchange: MessageExchange;
  readonly #dialogue: ServerDialogue;
  readonly #commands: ServerCommands;
  readonly #limits: RtmpLimits;
  readonly #sizes: { readonly chunkSize: number; readonly windowAckSize: number };
  #handshake: ServerHandshake | undefined;
  #lastTransactionId = 0;
  /** Bytes came since the last output. */
  #hasHeard = false;
  #promptCount = 0;
  /** What was wrong with the messages that came before the verdict on connect. */
  #heldFailure: WireError | LimitError | undefined;

  constructor(options: RtmpServerEngineOptions) {
    const limits = options.limits ?? DEFAULT_RTMP_LIMITS;
    this.#limits = limits;
    this.#sizes = { chunkSize: options.chunkSize ?? 60_000, windowAckSize: options.windowAckSize ?? 2_500_000 };
    this.#handshake = new ServerHandshake(options.crypto);
    const { allocator, pools } = options;
    this.#exchange = new MessageExchange({ limits, allocator, ...(pools === undefined ? {} : { pools }) });
    this.#exchange.setRole("opening");
    this.#dialogue = new ServerDialogue(this.#exchange, limits);
    this.#commands = new ServerCommands(this.#dialogue, limits);
  }

  /**
   * Takes bytes as they arrived; any split is legal, down to one byte at a time. Nothing of `bytes` is kept.
   * @throws {WireError | LimitError} the session must end; what was owed before may still be sent
   */
  receive(bytes: Uint8Array): void {
    if (this.#heldFailure !== undefined) throw this.#heldFailure;
    const rest = this.#handshake === undefined ? bytes : this.#shakeHands(bytes, this.#handshake);
    this.#hasHeard = this.#handshake === undefined;
    if (rest.length === 0) return;
    this.#noteRole();
    this.#exchange.offer(rest);
    for (let message = this.#exchange.takeMessage(); message; message = this.#exchange.takeMessage())
      this.#heed(message);
  }

  /** Bytes that the transport holds of a message of its own, in place of what was said last. @throws {RtmpLimitError} */
  noteUnfinished(byteCount: number): void {
    this.#exchange.noteUnfinished(byteCount);
  }

  /** The connection has ended: what its unfinished messages took is free for others. */
  release(): void {
    this.#exchange.release();
  }

  /** The next thing that happened, oldest first; `undefined` once caught up. */
  nextEvent(): RtmpServerEvent | undefined {
    return this.#dialogue.takeEvent();
  }

  /** Whether an event that waits to be taken ends what went on on the message stream. */
  isClosedSince(messageStreamId: MessageStreamId): boolean {
    return this.#dialogue.isClosedSince(messageStreamId);
  }

  /** Nothing is acknowledged before `releaseAcknowledgements`: the peer does not take what it is sent. */
  holdAcknowledgements(): void {
    this.#exchange.holdAcknowledgements();
  }

  /** What was due meanwhile is acknowledged by the next output. */
  releaseAcknowledgements(): void {
    this.#exchange.releaseAcknowledgements();
  }

  /** Everything owed to the peer since the last call, in one piece of whole messages; `undefined` when nothing is. */
  nextOutput(): Uint8Array | undefined {
    if (this.#hasHeard) this.#prompt();
    return this.#exchange.output.take();
  }

  get phase(): RtmpServerPhase {
    return this.#handshake === undefined ? this.#commands.phase : "handshake";
  }

  /** Bytes behind the handshake. */
  get bytesReceived(): number {
    return this.#exchange.bytesReceived;
  }

  /** What the peer's last Acknowledgement said, counted on beyond 2³². */
  get acknowledgedBytes(): number {
    return this.#exchange.acknowledgedBytes;
  }

  /**
   * Follows what came meanwhile, too; if that broke the rules, the next `receive` throws.
   * @throws {RtmpOrderError} no connect waits for a verdict
   */
  acceptConnect(acceptance: ConnectAcceptance = {}): void {
    const { transactionId, ...connect } = this.#commands.judge("accept");
    sendConnectResult(this.#exchange, transactionId, connect, this.#sizes, acceptance);
    this.#followHeld();
  }

  /** Whatever the peer sends afterwards is ignored. @throws {RtmpOrderError} no connect waits for a verdict */
  rejectConnect(refusal: ConnectRefusal): void {
    const { transactionId } = this.#commands.judge("reject");
    sendConnectError(this.#exchange, transactionId, refusal);
  }

  acceptPublish(messageStreamId: MessageStreamId): void {
    acceptPublish(this.#dialogue, messageStreamId);
  }

  rejectPublish(messageStreamId: MessageStreamId, refusal: Refusal): void {
    rejectPublish(this.#dialogue, messageStreamId, refusal);
  }

  acceptPlay(messageStreamId: MessageStreamId, acceptance: PlayAcceptance): void {
    acceptPlay(this.#dialogue, messageStreamId, acceptance);
  }

  rejectPlay(messageStreamId: MessageStreamId, refusal: Refusal): void {
    rejectPlay(this.#dialogue, messageStreamId, refusal);
  }

  sendStatus(messageStreamId: MessageStreamId, status: Status): void {
    this.#dialogue.sendStatus(messageStreamId, status);
  }

  sendUserControl(event: UserControl): void {
    this.#exchange.sendUserControl(event);
  }

  /** @param payload  AMF0 values; copied */
  sendData(messageStreamId: MessageStreamId, timestamp: number, payload: Uint8Array): void {
    this.#exchange.sendData(messageStreamId, timestamp, payload);
  }

  sendSharedObject(message: SharedObjectMessage | EncodedSharedObject): void {
    this.#exchange.sendSharedObject(message);
  }

  /** Asks the client to go elsewhere, or to come again; only if it said at connect that it can. E-RTMP v2. */
  requestReconnect(target: { readonly tcUrl?: string; readonly description?: string }): "sent" | "not-supported" {
    if (this.phase !== "connected" || !this.#commands.request?.capabilities.reconnect) return "not-supported";
    const { tcUrl, description = "Reconnect requested" } = target;
    const where = tcUrl === undefined ? {} : { tcUrl };
    const code = "NetConnection.Connect.ReconnectRequest";
    this.#dialogue.sendStatus(CONNECTION_STREAM, { level: "status", code, description, ...where });
    return "sent";
  }

  /** Calls a method of the client; its answer comes as a `call-result` event with the same transaction id. */
  call(name: string, args: readonly AmfValue[]): TransactionId {
    const transactionId = ++this.#lastTransactionId as TransactionId;
    this.#exchange.sendCommand({ ...callOf(name, args), transactionId });
    return transactionId;
  }

  /** Answers a `call` event; one with transaction id 0 wants no answer and gets none. */
  answerCall(transactionId: TransactionId, values: readonly AmfValue[]): void {
    this.#dialogue.answer(transactionId, values);
  }

  /** Likewise, with `_error`. */
  failCall(
    transactionId: TransactionId,
    failure: { readonly code?: string; readonly description?: string } = {},
  ): void {
    if (transactionId === 0) return;
    const { code = "NetConnection.Call.Failed", description = "Method not found" } = failure;
    const information: AmfObject = { level: "error", code, description };
    this.#exchange.sendCommand(errorOf(transactionId, information));
  }

  #shakeHands(bytes: Uint8Array, handshake: ServerHandshake): Uint8Array {
    const used = handshake.receive(bytes);
    const reply = handshake.takeReply();
    if (reply !== undefined) this.#exchange.output.writeRaw(reply);
    if (handshake.isDone && handshake.form !== undefined) {
      this.#handshake = undefined;
      this.#dialogue.tell({ type: "handshake-done", form: handshake.form });
    }
    return bytes.subarray(used);
  }

  /**
   * Makes every step of the opening dialogue carry bytes back. Encoders and players write their commands in small
   * pieces, each of which waits in their TCP for the one before to be acknowledged; with nothing to ride on, that
   * acknowledgement comes 40 ms late, three or four times before the first picture.
   */
  #prompt(): void {
    this.#hasHeard = false;
    if (!this.#exchange.output.isEmpty || this.#promptCount >= MOST_PROMPTS) return;
    if (this.#commands.phase === "rejected" || this.#dialogue.streams.hasMedia) return;
    this.#promptCount++;
    this.#exchange.sendAcknowledgement();
  }

  #heed(message: Message): void {
    const { phase } = this.#commands;
    if (phase === "rejected") return;
    if (phase === "connect-pending") return this.#commands.hold(message);
    switch (message.typeId) {
      case MESSAGE_TYPE.COMMAND_AMF0:
      case MESSAGE_TYPE.COMMAND_AMF3:
        this.#commands.receive(message);
        return this.#noteRole();
      case MESSAGE_TYPE.ACKNOWLEDGEMENT:
        return this.#dialogue.tell({ type: "acknowledgement", bytes: this.#exchange.acknowledgedBytes });
      case MESSAGE_TYPE.USER_CONTROL:
        return this.#heedUserControl(message);
      case MESSAGE_TYPE.SHARED_OBJECT_AMF0:
      case MESSAGE_TYPE.SHARED_OBJECT_AMF3:
        if (phase !== "connected") throw new RtmpDialogueError({ command: "shared object", phase });
        return this.#dialogue.tell(readSharedObject(message, this.#limits));
      default:
        return this.#heedMedia(message);
    }
  }

  /** Media counts only where a publish was asked for; it may come before the verdict. Unknown types pass silently. */
  #heedMedia(message: Message): void {
    const messageStreamId = this.#dialogue.streams.findPublishing(message.messageStreamId);
    if (messageStreamId === undefined) return;
    for (const event of readMedia(message, messageStreamId, this.#limits)) this.#dialogue.tell(event);
  }

  #heedUserControl({ payload }: Message): void {
    const event = decodeUserControl(payload);
    if (event?.type === "ping-response") this.#dialogue.tell({ type: "ping-response", timestamp: event.timestamp });
    if (event?.type !== "set-buffer-length") return;
    const { messageStreamId, milliseconds } = event;
    this.#dialogue.tell({ type: "buffer-length", messageStreamId, milliseconds });
  }

  #noteRole(): void {
    const others = this.#commands.phase === "connected" ? "idle" : "opening";
    this.#exchange.setRole(this.#dialogue.streams.hasPublisher ? "publishing" : others);
  }

  #followHeld(): void {
    try {
      for (const message of this.#commands.takeHeld()) this.#heed(message);
    } catch (error) {
      if (!(error instanceof WireError || error instanceof LimitError)) throw error;
      this.#heldFailure = error;
    }
  }
}
