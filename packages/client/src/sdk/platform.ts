/** What the SDK needs of where it runs: WebSockets, timers and chance; the web platform has them all, in browsers and in Node. */
import { SLUICE_V1 } from "../contract/sluice-v1.ts";

export interface Socket {
  send(frame: string | Uint8Array): void;
  close(code: number, reason: string): void;
}

export interface SocketEvents {
  readonly opened: () => void;
  readonly received: (frame: string | Uint8Array) => void;
  /** Once, and the last. 1006: it broke, or was never there. */
  readonly closed: (code: number, reason: string) => void;
}

export interface Platform {
  open(url: string, events: SocketEvents): Socket;
  /** Monotonic milliseconds. */
  now(): number;
  after(delay: number, action: () => void): { cancel(): void };
  /** 0 to 1. */
  random(): number;
}

interface WebSocketLike {
  binaryType: string;
  addEventListener(type: "open", listener: () => void): void;
  addEventListener(type: "message", listener: (event: { readonly data: string | ArrayBuffer }) => void): void;
  addEventListener(type: "close", listener: (event: { readonly code: number; readonly reason: string }) => void): void;
  send(frame: string | Uint8Array): void;
  close(code: number, reason: string): void;
}

interface WebGlobals {
  readonly WebSocket: new (url: string, protocol: string) => WebSocketLike;
  readonly performance: { now(): number };
  setTimeout(action: () => void, delay: number): unknown;
  clearTimeout(timer: unknown): void;
}

export function webPlatform(): Platform {
  const web = globalThis as unknown as WebGlobals;
  return {
    open: (url, events) => openSocket(new web.WebSocket(url, SLUICE_V1), events),
    now: () => web.performance.now(),
    after(delay, action) {
      const timer = web.setTimeout(action, delay);
      return { cancel: () => web.clearTimeout(timer) };
    },
    random: () => Math.random(),
  };
}

function openSocket(socket: WebSocketLike, events: SocketEvents): Socket {
  socket.binaryType = "arraybuffer";
  socket.addEventListener("open", events.opened);
  socket.addEventListener("message", ({ data }) =>
    events.received(typeof data === "string" ? data : new Uint8Array(data)),
  );
  socket.addEventListener("close", ({ code, reason }) => events.closed(code, reason));
  return socket;
}
