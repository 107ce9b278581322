/** Frames of bounded length over a socket: u32 length, then that many bytes. An empty frame only says "still here". */
import type { Socket } from "node:net";
import { ByteQueue } from "@sluice/bytes/byte-queue";
import { MemberFrameError } from "./member-errors.ts";

const HEADER_BYTES = 4;
const ALIVE = new Uint8Array(HEADER_BYTES);

export interface FrameReceiver {
  /** The frame is a view that belongs to the receiver. Throwing ends the connection. */
  onFrame(frame: Uint8Array): void;
  /** Once, whichever way the connection ended; no frame comes afterwards. */
  onEnd(error: Error | undefined): void;
}

export class FramedSocket {
  readonly #socket: Socket;
  readonly #queue = new ByteQueue();
  readonly #receiver: FrameReceiver;
  #maxFrameBytes: number;
  #hasEnded = false;
  /** Whether anything arrived since `wasHeard` was last asked. */
  #heard = true;

  constructor(
    socket: Socket,
    { maxFrameBytes, receiver }: { readonly maxFrameBytes: number; readonly receiver: FrameReceiver },
  ) {
    this.#socket = socket;
    this.#receiver = receiver;
    this.#maxFrameBytes = maxFrameBytes;
    socket.setNoDelay(true);
    socket.on("data", (bytes) => this.#onBytes(bytes));
    socket.on("error", (error) => this.end(error));
    socket.on("close", () => this.end(undefined));
  }

  /** Bytes that the other side has not taken yet. */
  get queuedBytes(): number {
    return this.#socket.writableLength;
  }

  /** Raised once the peer has proved who it is. */
  set maxFrameBytes(count: number) {
    this.#maxFrameBytes = count;
  }

  /**
   * @param frame  belongs to the socket until it is written: the caller changes it no more
   * @param kind  a byte that goes before it, 0 to 255
   */
  send(frame: Uint8Array, kind?: number): void {
    if (this.#hasEnded) return;
    const kindBytes = kind === undefined ? 0 : 1;
    const header = Buffer.allocUnsafe(HEADER_BYTES + kindBytes);
    header.writeUInt32BE(frame.length + kindBytes);
    if (kind !== undefined) header[HEADER_BYTES] = kind;
    this.#socket.cork();
    this.#socket.write(header);
    this.#socket.write(frame);
    // Frames of one turn leave in one system call.
    process.nextTick(() => this.#socket.uncork());
  }

  sendAlive(): void {
    if (!this.#hasEnded) this.#socket.write(ALIVE);
  }

  wasHeard(): boolean {
    const heard = this.#heard;
    this.#heard = false;
    return heard;
  }

  /** May be called twice. What was sent before leaves first when there was no error. */
  end(error: Error | undefined): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    if (error === undefined) this.#socket.destroySoon();
    else this.#socket.destroy();
    this.#receiver.onEnd(error);
  }

  /** Sends `frame` as the last one. */
  endWith(frame: Uint8Array | undefined, error: Error): void {
    if (frame !== undefined) this.send(frame);
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#socket.destroySoon();
    this.#receiver.onEnd(error);
  }

  #onBytes(bytes: Uint8Array): void {
    if (this.#hasEnded) return;
    this.#heard = true;
    this.#queue.offer(bytes);
    try {
      for (let frame = this.#takeFrame(); frame !== undefined; frame = this.#takeFrame()) {
        if (frame.length > 0) this.#receiver.onFrame(frame);
        if (this.#hasEnded) return;
      }
    } catch (error) {
      this.end(error as Error);
    }
  }

  #takeFrame(): Uint8Array | undefined {
    const header = this.#queue.peek(HEADER_BYTES);
    if (header === undefined) return undefined;
    const [a, b, c, d] = header as unknown as readonly [number, number, number, number];
    const length = ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
    if (length > this.#maxFrameBytes) {
      const other = otherProtocolOf(header);
      const detail = `frame of ${length} bytes, at most ${this.#maxFrameBytes} are taken`;
      throw new MemberFrameError({ detail: other === undefined ? detail : `the other side speaks ${other}` });
    }
    if (this.#queue.length < HEADER_BYTES + length) return undefined;
    this.#queue.skip(HEADER_BYTES);
    return this.#queue.take(length);
  }
}

const TLS_HANDSHAKE = 0x16;
const TLS_MAJOR_VERSION = 0x03;
/** As a length these are more than a gigabyte. */
const HTTP_METHOD_START = /^[A-Za-z]{3,4}[A-Za-z /]?$/;

/** Whatever else begins so: no frame is as long as its first bytes would say. */
function otherProtocolOf(header: Uint8Array): "HTTP" | "TLS" | undefined {
  if (header[0] === TLS_HANDSHAKE && header[1] === TLS_MAJOR_VERSION) return "TLS";
  return HTTP_METHOD_START.test(String.fromCharCode(...header)) ? "HTTP" : undefined;
}
