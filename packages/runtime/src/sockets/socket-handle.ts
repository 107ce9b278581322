/**
 * What Sluice uses of the handle under a Node socket. None of it is documented; each method is used only where it is
 * there, and what it makes cheaper works without it.
 */
import type { Socket } from "node:net";

/** Of libuv's stream wraps: numbers are 0 or a negative error of the system. */
export interface SocketHandle {
  readStart(): number;
  readStop(): number;
  /** `request` is an own `WriteWrap` of Node's while the write is under way, and free again if it went at once. */
  writeBuffer(request: object, bytes: Uint8Array): number;
}

export type WritableHandle = Pick<SocketHandle, "writeBuffer">;

/** What was written past a socket's stream and is under way. */
export interface DirectQueue {
  queuedBytes: number;
  /** All of it has been taken, or the socket broke. Must not throw. */
  drained?(): void;
}

/** Of a stream's handle: all that it was given, and what of it the kernel has not taken. */
interface CountingHandle {
  readonly bytesWritten?: number;
  readonly writeQueueSize?: number;
}

/** Counts on as the kernel takes what was written, encrypted bytes where they are; for comparing with itself. */
export function takenBytes(socket: Socket): number {
  const { _handle: handle } = socket as unknown as { readonly _handle?: CountingHandle & { _parent?: CountingHandle } };
  const { bytesWritten, writeQueueSize } = handle?._parent ?? handle ?? {};
  if (typeof bytesWritten === "number" && typeof writeQueueSize === "number") return bytesWritten - writeQueueSize;
  return socket.bytesWritten - socket.writableLength;
}

/** None once the socket is destroyed. */
export function handleOf<Method extends keyof SocketHandle>(
  socket: Socket,
  ...methods: readonly Method[]
): Pick<SocketHandle, Method> | undefined {
  const handle = (socket as unknown as { readonly _handle?: Partial<SocketHandle> | null })._handle;
  const hasAll = methods.every((method) => typeof handle?.[method] === "function");
  return hasAll ? (handle as SocketHandle) : undefined;
}
