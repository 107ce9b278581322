/**
 * The parts of a Node socket's handle that Sluice uses. None is documented; each method is used only if it exists,
 * and everything works without it, at a higher cost.
 */
import type { Socket } from "node:net";

/** A libuv stream wrap: returned numbers are 0 or a negative system error. */
export interface SocketHandle {
  readStart(): number;
  readStop(): number;
  /** `request` is a `WriteWrap` of Node, in use while the write is in progress; free at once if the write completed at once. */
  writeBuffer(request: object, bytes: Uint8Array): number;
}

export type WritableHandle = Pick<SocketHandle, "writeBuffer">;

/** Bytes written past a socket's stream and still in progress. */
export interface DirectQueue {
  queuedBytes: number;
  /** All of it has been taken, or the socket broke. Must not throw. */
  drained?(): void;
}

/** Counters of a stream handle: bytes given to it, and those that the kernel has not taken. */
interface CountingHandle {
  readonly bytesWritten?: number;
  readonly writeQueueSize?: number;
}

/** Grows as the kernel takes bytes (encrypted bytes on TLS); only for comparing with an earlier value. */
export function takenBytes(socket: Socket): number {
  const { _handle: handle } = socket as unknown as { readonly _handle?: CountingHandle & { _parent?: CountingHandle } };
  const { bytesWritten, writeQueueSize } = handle?._parent ?? handle ?? {};
  if (typeof bytesWritten === "number" && typeof writeQueueSize === "number") return bytesWritten - writeQueueSize;
  return socket.bytesWritten - socket.writableLength;
}

/** Undefined once the socket is destroyed. */
export function handleOf<Method extends keyof SocketHandle>(
  socket: Socket,
  ...methods: readonly Method[]
): Pick<SocketHandle, Method> | undefined {
  const handle = (socket as unknown as { readonly _handle?: Partial<SocketHandle> | null })._handle;
  const hasAll = methods.every((method) => typeof handle?.[method] === "function");
  return hasAll ? (handle as SocketHandle) : undefined;
}
