/**
 * A TLS handle supports one write at a time; a second one ends the process. Here a socket's stream and its direct
 * writers take turns, so that each may write at any time.
 */
import type { Socket } from "node:net";
import { type DirectQueue, handleOf, type WritableHandle } from "./socket-handle.ts";
import { type StreamWrap, type WriteRequest, writeError } from "./stream-wrap.ts";

/**
 * TLS encrypts a whole write before sending any of it, into buffers of 16 KB that the connection keeps for its lifetime.
 * So a write is one record, which with the overhead of encryption fits into one such buffer.
 */
export const TLS_WRITE_BYTES = 16 * 1024 - 128;

/** The way past the stream. */
interface DirectWay {
  readonly handle: WritableHandle;
  request: WriteRequest;
  /** Node releases a request only after its `oncomplete`, which may begin the next write. */
  spare: WriteRequest;
  /** The rest of a batch whose current piece is in progress. */
  rest: Uint8Array | undefined;
}

export class TlsTurn implements DirectQueue {
  /** Of the batch written past the stream. */
  queuedBytes = 0;
  readonly #socket: Socket;
  readonly #direct: DirectWay | undefined;
  #holder: "nobody" | "stream" | "direct" = "nobody";
  /** The stream's next operation, to run after a direct write has ended; a stream does one thing at a time. */
  #waiting: (() => void) | undefined;
  /** True once the stream was seen empty: a head written before has gone out. */
  #isSettled = false;

  /**
   * Replaces the stream's gathered write (`writev`), so that it writes piece by piece, each after the previous has gone.
   *
   * @param wrap  without it everything goes through the stream
   */
  constructor(socket: Socket, wrap: StreamWrap | undefined) {
    this.#socket = socket;
    const handle = wrap && handleOf(socket, "writeBuffer");
    this.#direct = wrap && handle && this.#openWay(wrap, handle);
    Object.assign(socket, { _writev: undefined }, this.#direct && this.#inTurn(socket));
  }

  /** Whether a write is in progress or waiting. */
  get isBusy(): boolean {
    return this.#holder !== "nobody" || this.#socket.writableLength > 0;
  }

  /**
   * Writes in pieces of one record.
   *
   * @param bytes  must not change before all of it has gone
   * @returns whether the bytes were taken; if not, write them to the socket, behind what it holds
   */
  write(bytes: Uint8Array): boolean {
    if (this.#direct === undefined || this.#holder !== "nobody") return false;
    this.#isSettled ||= this.#socket.writableLength === 0;
    if (!this.#isSettled || begin(this.#direct, bytes) !== 0) return false;
    this.#holder = "direct";
    this.queuedBytes = bytes.length;
    return true;
  }

  #openWay(wrap: StreamWrap, handle: WritableHandle): DirectWay {
    const newRequest = (): WriteRequest => {
      const request = new wrap.WriteWrap();
      request.oncomplete = (status) => this.#ended(way, status);
      return request;
    };
    const way: DirectWay = { handle, request: newRequest(), spare: newRequest(), rest: undefined };
    return way;
  }

  #ended(way: DirectWay, status: number): void {
    const { request, spare, rest } = way;
    way.request = spare;
    way.spare = request;
    way.rest = undefined;
    const outcome = status === 0 && rest !== undefined ? begin(way, rest) : status;
    this.queuedBytes = outcome === 0 && rest !== undefined ? rest.length : 0;
    if (this.queuedBytes > 0) return; // the next piece is in progress
    this.#holder = "nobody";
    if (outcome < 0) this.#socket.destroy(writeError(outcome));
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.();
  }

  /** The stream's own access to its handle, delayed until its turn. */
  #inTurn(socket: Socket): Pick<Socket, "_write" | "_final"> {
    const { _write: write, _final: final } = socket;
    return {
      _write: (chunk, encoding, done) =>
        this.#whenFree(() => {
          this.#holder = "stream";
          write.call(socket, chunk, encoding, (error) => {
            this.#holder = "nobody";
            done(error);
          });
        }),
      _final: (done) => this.#whenFree(() => final.call(socket, done)),
    };
  }

  #whenFree(run: () => void): void {
    if (this.#holder === "direct") this.#waiting = run;
    else run();
  }
}

/** Writes the first piece; the rest waits. @returns 0, or the system's error when nothing was written */
function begin(way: DirectWay, bytes: Uint8Array): number {
  const isWhole = bytes.length <= TLS_WRITE_BYTES;
  const status = way.handle.writeBuffer(way.request, isWhole ? bytes : bytes.subarray(0, TLS_WRITE_BYTES));
  way.rest = isWhole || status !== 0 ? undefined : bytes.subarray(TLS_WRITE_BYTES);
  return status;
}
