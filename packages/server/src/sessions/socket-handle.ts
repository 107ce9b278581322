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

/** None once the socket is destroyed. */
export function handleOf<Method extends keyof SocketHandle>(
  socket: Socket,
  ...methods: readonly Method[]
): Pick<SocketHandle, Method> | undefined {
  const handle = (socket as unknown as { readonly _handle?: Partial<SocketHandle> | null })._handle;
  const hasAll = methods.every((method) => typeof handle?.[method] === "function");
  return hasAll ? (handle as SocketHandle) : undefined;
}
