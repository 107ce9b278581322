/**
 * Writes straight to a socket's handle: nearly all are taken at once, and the queue that a stream keeps for the others
 * costs a thousand viewers an eighth of all (decision 020).
 */
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { getSystemErrorName } from "node:util";
import { handleOf, type SocketHandle } from "./socket-handle.ts";

/** A write that the kernel did not take at once. */
interface WriteRequest {
  /** Keeps the bytes alive. */
  buffer?: Uint8Array;
  oncomplete?: (status: number) => void;
}

/** What Node's own sockets use to write. */
export interface StreamWrap {
  readonly WriteWrap: new () => WriteRequest;
  /** Tells of the last write, at `kLastWriteWasAsync`. */
  readonly streamBaseState: Int32Array;
  readonly kLastWriteWasAsync: number;
}

export type WritableHandle = Pick<SocketHandle, "writeBuffer">;

export class DirectWrites {
  readonly #wrap: StreamWrap | undefined;
  /** For the next write; one that is under way keeps its own. */
  #request: WriteRequest;

  /** @param wrap  of `findStreamWrap`; without it no socket has a handle to write to */
  constructor(wrap: StreamWrap | undefined) {
    this.#wrap = wrap;
    this.#request = wrap === undefined ? {} : new wrap.WriteWrap();
  }

  /**
   * @returns what `write` takes; `undefined`: write to the socket itself. An encrypted socket's handle bears one write
   *   at a time, its own; a socket whose `write` was replaced is listened to, by a capture
   */
  handleOf(socket: Socket): WritableHandle | undefined {
    if (this.#wrap === undefined || socket instanceof TLSSocket || Object.hasOwn(socket, "write")) return undefined;
    return handleOf(socket, "writeBuffer");
  }

  /**
   * Goes behind all that the handle was given, by sockets too, and so before what their queues still hold: who has
   * written to the socket itself must know that it has gone.
   *
   * @param bytes  must never change
   * @returns `refused`: nothing was written, as the handle is closed or broken; the socket knows, or will find out
   */
  write(socket: Socket, handle: WritableHandle, bytes: Uint8Array): "taken" | "queued" | "refused" {
    const wrap = this.#wrap as StreamWrap;
    if (handle.writeBuffer(this.#request, bytes) !== 0) return "refused";
    if (wrap.streamBaseState[wrap.kLastWriteWasAsync] === 0) return "taken";
    this.#request.buffer = bytes;
    this.#request.oncomplete = (status) => {
      if (status < 0) socket.destroy(new Error(`write ${getSystemErrorName(status)}`));
    };
    this.#request = new wrap.WriteWrap();
    return "queued";
  }
}

/** By the one way that Node leaves open to its inside (DEP0111, without a date). */
export function findStreamWrap(): StreamWrap | undefined {
  const { binding } = process as unknown as { readonly binding?: (name: string) => Partial<StreamWrap> };
  try {
    const wrap = binding?.call(process, "stream_wrap");
    const isWhole =
      typeof wrap?.WriteWrap === "function" &&
      wrap.streamBaseState instanceof Int32Array &&
      typeof wrap.kLastWriteWasAsync === "number";
    return isWhole ? (wrap as StreamWrap) : undefined;
  } catch {
    return undefined;
  }
}
