/**
 * Writes straight to a socket's handle: nearly all are taken at once, and the queue that a stream keeps for the others
 * costs a thousand viewers an eighth of all (decision 020).
 */
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { type DirectQueue, handleOf, type WritableHandle } from "./socket-handle.ts";
import { type StreamWrap, type WriteRequest, writeError } from "./stream-wrap.ts";
import { TlsTurn } from "./tls-turn.ts";

export class DirectWrites {
  readonly #wrap: StreamWrap | undefined;
  /** For the next write; one that is under way keeps its own. */
  #request: WriteRequest;
  readonly #turns = new WeakMap<Socket, TlsTurn>();

  /** @param wrap  of `findStreamWrap`; without it no socket has a handle to write to */
  constructor(wrap: StreamWrap | undefined) {
    this.#wrap = wrap;
    this.#request = wrap === undefined ? {} : new wrap.WriteWrap();
  }

  /** @returns what `write` takes; `undefined`: write to the socket itself. An encrypted one is written to in turns */
  handleOf(socket: Socket): WritableHandle | undefined {
    if (socket instanceof TLSSocket || this.#wrapFor(socket) === undefined) return undefined;
    return handleOf(socket, "writeBuffer");
  }

  /** The same for all who write to this socket. */
  turnOf(socket: TLSSocket): TlsTurn {
    const known = this.#turns.get(socket);
    if (known !== undefined) return known;
    const fresh = new TlsTurn(socket, this.#wrapFor(socket));
    this.#turns.set(socket, fresh);
    return fresh;
  }

  /**
   * Goes behind all that the handle was given, by sockets too, and so before what their queues still hold: who has
   * written to the socket itself must know that it has gone.
   *
   * @param bytes  must never change
   * @param queue  counts what is under way
   * @returns `refused`: nothing was written, as the handle is closed or broken; the socket knows, or will find out
   */
  write(socket: Socket, handle: WritableHandle, bytes: Uint8Array, queue: DirectQueue): "taken" | "queued" | "refused" {
    const wrap = this.#wrap as StreamWrap;
    if (handle.writeBuffer(this.#request, bytes) !== 0) return "refused";
    if (wrap.streamBaseState[wrap.kLastWriteWasAsync] === 0) return "taken";
    queue.queuedBytes += bytes.length;
    this.#request.buffer = bytes;
    this.#request.oncomplete = (status) => {
      queue.queuedBytes -= bytes.length;
      if (status < 0) socket.destroy(writeError(status));
      if (queue.queuedBytes === 0) queue.drained?.();
    };
    this.#request = new wrap.WriteWrap();
    return "queued";
  }

  /** A socket whose `write` was replaced is listened to, by a capture. */
  #wrapFor(socket: Socket): StreamWrap | undefined {
    return Object.hasOwn(socket, "write") ? undefined : this.#wrap;
  }
}
