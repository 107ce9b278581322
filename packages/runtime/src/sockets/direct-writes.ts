/**
 * Writes straight to a socket's handle: the kernel takes nearly all writes at once, and the queue that a stream keeps for
 * the others costs an eighth of the time per write to a thousand viewers (decision 020).
 */
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { type DirectQueue, handleOf, type WritableHandle } from "./socket-handle.ts";
import { type StreamWrap, type WriteRequest, writeError } from "./stream-wrap.ts";
import { TlsTurn } from "./tls-turn.ts";

export class DirectWrites {
  readonly #wrap: StreamWrap | undefined;
  /** For the next write; a write in progress keeps its own. */
  #request: WriteRequest;
  readonly #turns = new WeakMap<Socket, TlsTurn>();

  /** @param wrap  from `findStreamWrap`; without it no socket has a handle to write to */
  constructor(wrap: StreamWrap | undefined) {
    this.#wrap = wrap;
    this.#request = wrap === undefined ? {} : new wrap.WriteWrap();
  }

  /** @returns the handle for `write`; `undefined`: write to the socket itself. For an encrypted socket use `turnOf` */
  handleOf(socket: Socket): WritableHandle | undefined {
    if (socket instanceof TLSSocket || this.#wrapFor(socket) === undefined) return undefined;
    return handleOf(socket, "writeBuffer");
  }

  /** The same one for all writers of this socket. */
  turnOf(socket: TLSSocket): TlsTurn {
    const known = this.#turns.get(socket);
    if (known !== undefined) return known;
    const fresh = new TlsTurn(socket, this.#wrapFor(socket));
    this.#turns.set(socket, fresh);
    return fresh;
  }

  /**
   * Writes behind everything given to the handle before, but ahead of what the socket's own queue still holds: a caller
   * that also writes to the socket must know that its queue is empty.
   *
   * @param bytes  must never change
   * @param queue  counts bytes in progress
   * @returns `refused`: nothing was written, as the handle is closed or broken; the socket reports that itself
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

  /** A socket whose `write` was replaced is being captured: write to the socket itself. */
  #wrapFor(socket: Socket): StreamWrap | undefined {
    return Object.hasOwn(socket, "write") ? undefined : this.#wrap;
  }
}
