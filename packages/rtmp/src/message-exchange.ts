/** The part of the dialogue that both sides share: messages in and out, acknowledgements, windows, pings. */
import { serialDistance } from "@sluice/base/serial-number";
import type { ByteAllocator } from "@sluice/bytes/allocator";
import { ChunkReader } from "./chunk-reader.ts";
import type { OutboundMessage } from "./chunk-writer.ts";
import { type CommandMessage, encodeCommand } from "./command-message.ts";
import { decodeSetChunkSize, decodeSetPeerBandwidth, decodeU32Body, encodeU32Body } from "./control-message.ts";
import { DialogueOutput } from "./dialogue-output.ts";
import { CHUNK_STREAM, CONNECTION_STREAM, type MessageStreamId } from "./ids.ts";
import type { RtmpLimits } from "./limits.ts";
import { MESSAGE_TYPE, type Message } from "./message.ts";
import type { PartialPools, PartialRole } from "./partial-pools.ts";
import { type EncodedSharedObject, encodeSharedObject, type SharedObjectMessage } from "./shared-object-message.ts";
import { decodeUserControl, encodeUserControl, type UserControl } from "./user-control.ts";

const INITIAL_CHUNK_SIZE = 128;
/** Assumed of peers that announce none: they get acknowledgements all the same, as some stop without. */
const ASSUMED_WINDOW = 2_500_000;

export interface MessageExchangeOptions {
  readonly limits: RtmpLimits;
  readonly allocator: ByteAllocator;
  /** See `ChunkReaderOptions`. */
  readonly pools?: PartialPools;
}

export class MessageExchange {
  readonly output: DialogueOutput;
  readonly #reader: ChunkReader;
  #outboundChunkSize = INITIAL_CHUNK_SIZE;
  /** What we last told the peer, 0 before. */
  #announcedWindow = 0;
  #isWindowHard = false;
  #peerWindow = ASSUMED_WINDOW;
  #bytesReceived = 0;
  #bytesWeAcknowledged = 0;
  #acknowledgedBytes = 0;
  #holdsAcknowledgements = false;

  constructor(options: MessageExchangeOptions) {
    this.output = new DialogueOutput(options.limits);
    this.#reader = new ChunkReader(options);
  }

  /** Bytes behind the handshake. */
  get bytesReceived(): number {
    return this.#bytesReceived;
  }

  /** What the peer's last Acknowledgement said, counted on beyond 2³². */
  get acknowledgedBytes(): number {
    return this.#acknowledgedBytes;
  }

  /** See `ChunkReader`. */
  setRole(role: PartialRole): void {
    this.#reader.setRole(role);
  }

  /** See `PartialMessages`. */
  noteUnfinished(byteCount: number): void {
    this.#reader.noteUnfinished(byteCount);
  }

  /** No more bytes come. */
  release(): void {
    this.#reader.release();
  }

  /** @param bytes  behind the handshake; read until `takeMessage` answers `undefined` */
  offer(bytes: Uint8Array): void {
    this.#bytesReceived += bytes.length;
    this.#reader.offer(bytes);
  }

  /**
   * The next message that concerns an engine; those that steer the exchange itself are followed here.
   * Acknowledgements and user control pass through after they were heeded.
   * @throws {WireError | LimitError}
   */
  takeMessage(): Message | undefined {
    for (;;) {
      const message = this.#reader.takeMessage();
      if (message === undefined) {
        this.#acknowledge();
        return undefined;
      }
      if (message.typeId > MESSAGE_TYPE.SET_PEER_BANDWIDTH || !this.#follow(message)) return message;
    }
  }

  /** Tells the peer our chunk size and follows it. */
  announceChunkSize(byteCount: number): void {
    this.#sendControl(MESSAGE_TYPE.SET_CHUNK_SIZE, encodeU32Body(byteCount));
    this.#outboundChunkSize = byteCount;
  }

  /** Tells the peer after how many bytes it owes an Acknowledgement. */
  announceWindow(byteCount: number): void {
    this.#sendControl(MESSAGE_TYPE.WINDOW_ACK_SIZE, encodeU32Body(byteCount));
    this.#announcedWindow = byteCount;
  }

  sendBandwidth(body: Uint8Array): void {
    this.#sendControl(MESSAGE_TYPE.SET_PEER_BANDWIDTH, body);
  }

  /** Tells the peer what has arrived, also before its window asks for it. */
  sendAcknowledgement(): void {
    this.#bytesWeAcknowledged = this.#bytesReceived;
    this.#sendControl(MESSAGE_TYPE.ACKNOWLEDGEMENT, encodeU32Body(this.#bytesReceived % 2 ** 32));
  }

  holdAcknowledgements(): void {
    this.#holdsAcknowledgements = true;
  }

  releaseAcknowledgements(): void {
    this.#holdsAcknowledgements = false;
    this.#acknowledge();
  }

  sendUserControl(event: UserControl): void {
    this.#sendControl(MESSAGE_TYPE.USER_CONTROL, encodeUserControl(event));
  }

  sendCommand(command: CommandMessage, messageStreamId: MessageStreamId = CONNECTION_STREAM): void {
    const body = encodeCommand(command);
    const { COMMAND_AMF0: typeId } = MESSAGE_TYPE;
    this.send({ chunkStreamId: CHUNK_STREAM.COMMAND, typeId, messageStreamId, timestamp: 0, body });
  }

  sendData(messageStreamId: MessageStreamId, timestamp: number, body: Uint8Array): void {
    const { DATA_AMF0: typeId } = MESSAGE_TYPE;
    this.send({ chunkStreamId: CHUNK_STREAM.DIALOGUE_DATA, typeId, messageStreamId, timestamp, body });
  }

  /** @param message  or its body, encoded once for several peers. @throws {RtmpLimitError} outputBytes */
  sendSharedObject(message: SharedObjectMessage | EncodedSharedObject): void {
    const { SHARED_OBJECT_AMF0, SHARED_OBJECT_AMF3 } = MESSAGE_TYPE;
    const typeId = message.encoding === "amf3" ? SHARED_OBJECT_AMF3 : SHARED_OBJECT_AMF0;
    const body = "body" in message ? message.body : encodeSharedObject(message);
    this.send({ chunkStreamId: CHUNK_STREAM.COMMAND, typeId, messageStreamId: CONNECTION_STREAM, timestamp: 0, body });
  }

  /** Our caller's own media; see `DialogueOutput.writeMedia`. */
  sendMedia(message: Omit<OutboundMessage, "chunkSize">): void {
    this.output.writeMedia({ ...message, chunkSize: this.#outboundChunkSize });
  }

  /** Any message, in chunks of the announced size. @throws {RtmpLimitError} outputBytes */
  send(message: Omit<OutboundMessage, "chunkSize">): void {
    this.output.writeMessage({ ...message, chunkSize: this.#outboundChunkSize });
  }

  #sendControl(typeId: number, body: Uint8Array): void {
    this.send({ chunkStreamId: CHUNK_STREAM.CONTROL, typeId, messageStreamId: CONNECTION_STREAM, timestamp: 0, body });
  }

  /** Heeds a control message; true when the engine need not see it. */
  #follow(message: Message): boolean {
    const { typeId, payload } = message;
    switch (typeId) {
      case MESSAGE_TYPE.SET_CHUNK_SIZE:
        this.#reader.setChunkSize(decodeSetChunkSize(payload));
        return true;
      case MESSAGE_TYPE.ABORT:
        this.#reader.abort(decodeU32Body(payload));
        return true;
      case MESSAGE_TYPE.ACKNOWLEDGEMENT:
        this.#acknowledgedBytes += Math.max(0, serialDistance(this.#acknowledgedBytes, decodeU32Body(payload)));
        return false;
      case MESSAGE_TYPE.USER_CONTROL:
        return this.#followUserControl(payload);
      case MESSAGE_TYPE.WINDOW_ACK_SIZE:
        this.#peerWindow = decodeU32Body(payload);
        return true;
      case MESSAGE_TYPE.SET_PEER_BANDWIDTH:
        this.#followBandwidth(payload);
        return true;
      default:
        return false;
    }
  }

  #followUserControl(payload: Uint8Array): boolean {
    const event = decodeUserControl(payload);
    if (event?.type === "ping-request") this.sendUserControl({ type: "ping-response", timestamp: event.timestamp });
    return event === undefined || event.type === "ping-request";
  }

  /** Answers with our window when the peer's request changes it. RTMP 1.0 §5.4.5 */
  #followBandwidth(payload: Uint8Array): void {
    const { windowAckSize, limit } = decodeSetPeerBandwidth(payload);
    const isWish = limit === "hard" || (limit === "dynamic" && this.#isWindowHard);
    const isSmaller = limit === "soft" && windowAckSize < this.#announcedWindow;
    if (limit !== "dynamic") this.#isWindowHard = limit === "hard";
    if (windowAckSize > 0 && windowAckSize !== this.#announcedWindow && (isWish || isSmaller))
      this.announceWindow(windowAckSize);
  }

  /** Every half window, so that a peer that counts strictly never stands still. RTMP 1.0 §5.4.3 */
  #acknowledge(): void {
    const isDue = this.#bytesReceived - this.#bytesWeAcknowledged >= Math.max(1, this.#peerWindow / 2);
    if (isDue && !this.#holdsAcknowledgements) this.sendAcknowledgement();
  }
}
