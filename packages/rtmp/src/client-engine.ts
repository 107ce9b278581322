/** The client's end of an RTMP connection: bytes in, events and bytes out; no socket, no clock. */
import type { AmfObject, AmfValue } from "@sluice/amf/value";
import { BoundedQueue } from "@sluice/base/bounded-queue";
import type { Crypto } from "@sluice/base/crypto";
import type { ByteAllocator } from "@sluice/bytes/allocator";
import { ClientDialogue } from "./client-dialogue.ts";
import type { RtmpClientEvent, StreamIntent } from "./client-event.ts";
import { decodeCommand } from "./command-message.ts";
import { RtmpLimitError, RtmpOrderError } from "./errors.ts";
import { ClientHandshake } from "./handshake/client-handshake.ts";
import type { HandshakeForm } from "./handshake/server-handshake.ts";
import type { MessageStreamId, TransactionId } from "./ids.ts";
import { DEFAULT_RTMP_LIMITS, type RtmpLimits } from "./limits.ts";
import { type MediaKind, WAY_OF } from "./media-message.ts";
import { MESSAGE_TYPE, type Message } from "./message.ts";
import { MessageExchange } from "./message-exchange.ts";
import { readMedia, readSharedObject } from "./message-events.ts";
import type { EncodedSharedObject, SharedObjectMessage } from "./shared-object-message.ts";
import { decodeUserControl } from "./user-control.ts";

export interface RtmpClientEngineOptions {
  readonly crypto: Crypto;
  /** Gives media bodies, which the owner of the engine keeps. */
  readonly allocator: ByteAllocator;
  readonly limits?: RtmpLimits;
  /** Of what we send; 60,000 if left out. */
  readonly chunkSize?: number;
  /** Digest falls back to plain by itself; "plain" if left out. */
  readonly handshake?: HandshakeForm;
}

export interface ConnectOptions {
  readonly app: string;
  readonly tcUrl: string;
  readonly flashVer?: string;
  /** FourCCs we take; "*" for all. */
  readonly fourCcList?: readonly string[];
  /** Bits: 1 reconnect, 2 multitrack, 4 ModEx, 8 nanosecond offset. */
  readonly capsEx?: number;
  /** More fields of the command object. */
  readonly more?: AmfObject;
}

export interface PlayOptions {
  /** As on the wire: −2000 any, −1000 live only, else milliseconds; −2000 if left out. */
  readonly start?: number;
  /** Milliseconds that we buffer, told to the server; 1,000 if left out. */
  readonly bufferLength?: number;
}

export type RtmpClientPhase = "idle" | "handshake" | "connecting" | "connected" | "rejected";

interface OpenStream {
  readonly intent: StreamIntent;
  readonly streamName: string;
  readonly play: PlayOptions;
}

/** After each call: take events until there is none, then output until there is none. */
export class RtmpClientEngine {
  readonly #exchange: MessageExchange;
  readonly #dialogue: ClientDialogue;
  readonly #limits: RtmpLimits;
  readonly #chunkSize: number;
  readonly #events: BoundedQueue<RtmpClientEvent>;
  readonly #streams = new Map<MessageStreamId, OpenStream>();
  /** In the order asked for; the server answers in that order. */
  #waiting: OpenStream[] = [];
  #handshake: ClientHandshake | undefined;
  #phase: RtmpClientPhase = "idle";
  #connect: AmfObject | undefined;
  #publishing: MessageStreamId | undefined;

  constructor(options: RtmpClientEngineOptions) {
    const limits = options.limits ?? DEFAULT_RTMP_LIMITS;
    this.#limits = limits;
    this.#chunkSize = options.chunkSize ?? 60_000;
    this.#events = new BoundedQueue(limits.queuedEvents);
    this.#handshake = new ClientHandshake(options.crypto, options.handshake ?? "plain");
    this.#exchange = new MessageExchange({ limits, allocator: options.allocator });
    this.#dialogue = new ClientDialogue(this.#exchange);
  }

  get phase(): RtmpClientPhase {
    return this.#phase;
  }

  /** Bytes behind the handshake. */
  get bytesReceived(): number {
    return this.#exchange.bytesReceived;
  }

  /** What the server's last Acknowledgement said, counted on beyond 2³². */
  get acknowledgedBytes(): number {
    return this.#exchange.acknowledgedBytes;
  }

  /** Opens the handshake; connect follows by itself. Publish and play may be asked for at once. */
  start(options: ConnectOptions): void {
    if (this.#phase !== "idle" || this.#handshake === undefined)
      throw new RtmpOrderError({ action: "start", phase: this.#phase });
    const { app, tcUrl, flashVer = "FMLE/3.0 (compatible; Sluice)", fourCcList, capsEx, more } = options;
    const list = fourCcList === undefined ? {} : { fourCcList };
    const caps = capsEx === undefined ? {} : { capsEx };
    this.#connect = { app, type: "nonprivate", flashVer, tcUrl, ...list, ...caps, ...more };
    this.#phase = "handshake";
    this.#exchange.output.writeRaw(this.#handshake.createOpening());
  }

  /** @throws {WireError | LimitError} the session must end */
  receive(bytes: Uint8Array): void {
    const rest = this.#handshake === undefined ? bytes : this.#shakeHands(bytes, this.#handshake);
    if (rest.length === 0) return;
    this.#exchange.offer(rest);
    for (let message = this.#exchange.takeMessage(); message; message = this.#exchange.takeMessage())
      this.#heed(message);
  }

  /** The next thing that happened, oldest first; `undefined` once caught up. */
  nextEvent(): RtmpClientEvent | undefined {
    return this.#events.take();
  }

  /** Everything owed to the server since the last call, in one piece; `undefined` when nothing is. */
  nextOutput(): Uint8Array | undefined {
    return this.#exchange.output.take();
  }

  /** Media may be sent from the status NetStream.Publish.Start on. */
  publish(streamName: string): void {
    this.#open({ intent: "publish", streamName, play: {} });
  }

  play(streamName: string, options: PlayOptions = {}): void {
    this.#open({ intent: "play", streamName, play: options });
  }

  /**
   * On the message stream that publishes.
   *
   * @param timestamp  milliseconds, absolute, 0 to 2³² − 1
   * @param payload  the whole message body; copied
   * @throws {RtmpOrderError} no stream was created for publishing
   */
  sendMedia(kind: MediaKind, timestamp: number, payload: Uint8Array): void {
    const messageStreamId = this.#publishing;
    if (messageStreamId === undefined) throw new RtmpOrderError({ action: `send ${kind}`, phase: this.#phase });
    this.#exchange.sendMedia({ ...WAY_OF[kind], messageStreamId, timestamp, body: payload });
  }

  /** Calls a method of the server; its answer comes as `call-result`. */
  call(name: string, args: readonly AmfValue[]): TransactionId {
    return this.#dialogue.call(name, args);
  }

  /** From the event `connected` on. @throws {RtmpOrderError} earlier */
  sendSharedObject(message: SharedObjectMessage | EncodedSharedObject): void {
    if (this.#phase !== "connected") throw new RtmpOrderError({ action: "send shared object", phase: this.#phase });
    this.#exchange.sendSharedObject(message);
  }

  /** A command on a message stream that wants no answer: pause, seek, receiveAudio, receiveVideo, closeStream. */
  tellStream(messageStreamId: MessageStreamId, name: string, args: readonly AmfValue[]): void {
    this.#dialogue.tellStream(messageStreamId, name, args);
  }

  /** Sends FCUnpublish and deleteStream for every stream; the connection itself ends with its transport. May be called twice. */
  close(): void {
    for (const [id, { intent, streamName }] of this.#streams) this.#dialogue.closeStream(id, intent, streamName);
    this.#streams.clear();
    this.#waiting = [];
    this.#publishing = undefined;
  }

  #open(stream: OpenStream): void {
    this.#waiting.push(stream);
    if (this.#phase === "connected") this.#dialogue.openStream(stream.intent, stream.streamName);
  }

  #shakeHands(bytes: Uint8Array, handshake: ClientHandshake): Uint8Array {
    const used = handshake.receive(bytes);
    const reply = handshake.takeReply();
    if (reply !== undefined && this.#connect !== undefined) {
      this.#exchange.output.writeRaw(reply);
      this.#exchange.announceChunkSize(this.#chunkSize);
      this.#dialogue.connect(this.#connect);
      this.#phase = "connecting";
    }
    if (handshake.isDone && handshake.form !== undefined) {
      this.#handshake = undefined;
      this.#tell({ type: "handshake-done", form: handshake.form });
    }
    return bytes.subarray(used);
  }

  #heed(message: Message): void {
    const { typeId, messageStreamId, payload } = message;
    switch (typeId) {
      case MESSAGE_TYPE.COMMAND_AMF0:
      case MESSAGE_TYPE.COMMAND_AMF3: {
        const event = this.#dialogue.read(decodeCommand(payload, typeId), messageStreamId);
        return event === undefined ? undefined : this.#follow(event);
      }
      case MESSAGE_TYPE.ACKNOWLEDGEMENT:
        return this.#tell({ type: "acknowledgement", bytes: this.acknowledgedBytes });
      case MESSAGE_TYPE.USER_CONTROL: {
        const event = decodeUserControl(payload);
        return event === undefined ? undefined : this.#tell({ type: "user-control", event });
      }
      case MESSAGE_TYPE.SHARED_OBJECT_AMF0:
      case MESSAGE_TYPE.SHARED_OBJECT_AMF3:
        return this.#tell(readSharedObject(message, this.#limits));
      default:
        for (const event of readMedia(message, messageStreamId, this.#limits)) this.#tell(event);
    }
  }

  /** Takes the next step of the opening, then tells the owner. */
  #follow(event: RtmpClientEvent): void {
    if (event.type === "connected") this.#enter();
    else if (event.type === "connect-rejected") this.#phase = "rejected";
    else if (event.type === "stream-created") this.#begin(event.messageStreamId);
    else if (event.type === "stream-refused") this.#waiting.shift();
    this.#tell(event);
  }

  #enter(): void {
    this.#phase = "connected";
    for (const { intent, streamName } of this.#waiting) this.#dialogue.openStream(intent, streamName);
  }

  #begin(messageStreamId: MessageStreamId): void {
    const stream = this.#waiting.shift();
    if (stream === undefined) return; // closed in the meantime
    this.#streams.set(messageStreamId, stream);
    if (stream.intent === "publish") {
      this.#publishing = messageStreamId;
      this.#dialogue.publish(messageStreamId, stream.streamName);
    } else {
      const { start = -2000, bufferLength = 1000 } = stream.play;
      this.#dialogue.play(messageStreamId, stream.streamName, [start]);
      this.#exchange.sendUserControl({ type: "set-buffer-length", messageStreamId, milliseconds: bufferLength });
    }
  }

  #tell(event: RtmpClientEvent): void {
    if (this.#events.offer(event) === "queued") return;
    const maximum = this.#events.capacity;
    throw new RtmpLimitError({ limit: "queuedEvents", value: maximum + 1, maximum });
  }
}
