/** A TCP peer that sends whatever bytes a test makes up, RTMP or not, and keeps what comes back. */
import { connect, type Socket } from "node:net";
import { encodeAmf0Values } from "@sluice/amf/amf0-encode";
import type { AmfValue } from "@sluice/amf/value";
import { encodeMessageInto, messageByteCount } from "@sluice/rtmp/chunk-writer";
import type { ChunkStreamId, MessageStreamId } from "@sluice/rtmp/ids";
import { until } from "@sluice/testkit/until";

const HANDSHAKE_BYTES = 1536;

export class RawPeer implements AsyncDisposable {
  readonly #socket: Socket;
  readonly #pieces: Buffer[] = [];
  readonly closed: Promise<void>;
  #isClosed = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (bytes) => this.#pieces.push(bytes));
    socket.on("error", () => {}); // `close` follows
    this.closed = new Promise((resolve) => {
      socket.once("close", () => {
        this.#isClosed = true;
        resolve();
      });
    });
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  get received(): Buffer {
    return Buffer.concat(this.#pieces);
  }

  get text(): string {
    return this.received.toString("latin1");
  }

  write(bytes: Uint8Array | string): void {
    if (!this.#socket.destroyed) this.#socket.write(bytes);
  }

  /** Plain RTMP handshake, both ways. */
  async shake(): Promise<void> {
    this.write(Buffer.concat([Buffer.of(3), Buffer.alloc(HANDSHAKE_BYTES)]));
    await until("S0, S1 and S2", () => (this.received.length >= 1 + 2 * HANDSHAKE_BYTES ? true : undefined));
    this.write(Buffer.alloc(HANDSHAKE_BYTES));
  }

  /** Until the server has closed the connection; the milliseconds it took. */
  async untilClosed(waitMillis = 10_000): Promise<number> {
    const startedAt = performance.now();
    await until("the server to close", () => (this.#isClosed ? true : undefined), waitMillis);
    return performance.now() - startedAt;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy();
    await this.closed;
  }
}

export async function openRaw(port: number): Promise<RawPeer> {
  const socket = connect({ host: "127.0.0.1", port });
  const peer = new RawPeer(socket);
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", () => resolve());
    socket.once("error", reject);
  });
  return peer;
}

/** One RTMP message in chunks of 128 bytes on chunk stream 3. */
export function message(typeId: number, body: Uint8Array, messageStreamId = 0): Uint8Array {
  const bytes = new Uint8Array(messageByteCount(body.length, 0, 128));
  const ids = { chunkStreamId: 3 as ChunkStreamId, messageStreamId: messageStreamId as MessageStreamId };
  encodeMessageInto(bytes, 0, { ...ids, typeId, timestamp: 0, body, chunkSize: 128 });
  return bytes;
}

export function command(...values: readonly AmfValue[]): Uint8Array {
  return message(20, encodeAmf0Values(values));
}
