/** What carries an RTMP dialogue: a socket, or binary frames of a WebSocket on one. */
import type { Socket } from "node:net";
import type { WireForm } from "@sluice/media/wire-form";
import type { WebSocket } from "ws";
import { frameOf, framed } from "../forms/web-socket-form.ts";

export interface ByteTransport {
  /** Fan-out writes to it directly, in the form that `shape` gives. */
  readonly socket: Socket;
  readonly shape: (form: WireForm) => WireForm;
  send(bytes: Uint8Array): void;
  pause(): void;
  resume(): void;
  /** Sends what is queued, then closes. */
  close(): void;
}

export interface TransportEvents {
  readonly bytes: (bytes: Uint8Array) => void;
  /** Once; `error` when the connection broke. */
  readonly closed: (error: Error | undefined) => void;
}

/** A peer that does not take the last bytes within this time is cut off, in milliseconds. */
const CLOSE_PATIENCE_MS = 2_000;

export function socketTransport(socket: Socket, events: TransportEvents): ByteTransport {
  socket.on("data", events.bytes);
  watchClose(socket, events);
  return {
    socket,
    shape: (form) => form,
    send: (bytes) => void socket.write(bytes),
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    close: () => endSocket(socket),
  };
}

export function webSocketTransport(webSocket: WebSocket, socket: Socket, events: TransportEvents): ByteTransport {
  webSocket.binaryType = "nodebuffer";
  webSocket.on("message", (bytes) => events.bytes(bytes as Uint8Array));
  webSocket.on("error", () => socket.destroy());
  watchClose(socket, events);
  return {
    socket,
    shape: framed,
    send: (bytes) => void socket.write(frameOf(bytes)),
    pause: () => webSocket.pause(),
    resume: () => webSocket.resume(),
    close() {
      webSocket.close(1000);
      endSocket(socket);
    },
  };
}

/** Half-closes after what is queued; a peer that never takes it is cut off. */
export function endSocket(socket: Socket): void {
  if (socket.destroyed || socket.writableEnded) return;
  socket.end();
  const cut = setTimeout(() => socket.destroy(), CLOSE_PATIENCE_MS);
  cut.unref();
  socket.once("close", () => clearTimeout(cut));
}

function watchClose(socket: Socket, events: TransportEvents): void {
  let broke: Error | undefined;
  socket.on("error", (error) => {
    broke = error;
  });
  socket.on("close", () => events.closed(broke));
}
