/** What carries an RTMP dialogue: a socket, or binary frames of a WebSocket on one. */
import type { Socket } from "node:net";
import type { WireForm } from "@sluice/media/wire-form";
import type { WebSocket } from "ws";
import { frameOf, framed } from "../forms/web-socket-form.ts";
import type { DirectWrites } from "./direct-writes.ts";

export interface ByteTransport {
  /** Fan-out writes to it directly, in the form that `shape` gives. */
  readonly socket: Socket;
  readonly shape: (form: WireForm) => WireForm;
  /** Does nothing once the transport is closed. */
  send(bytes: Uint8Array): void;
  pause(): void;
  resume(): void;
  /** Sends what is queued, then closes; what the peer still says is not heard. */
  close(): void;
}

export interface TransportEvents {
  readonly bytes: (bytes: Uint8Array) => void;
  /** The peer says no more; `closed` follows. */
  readonly ended: () => void;
  /** Once; `error` when the connection broke. */
  readonly closed: (error: Error | undefined) => void;
}

/** A peer that does not take the last bytes within this time is cut off, in milliseconds. */
const CLOSE_PATIENCE_MS = 2_000;
/** RFC 6455 §7.4.1: a kind of message that the server does not take. */
const UNSUPPORTED_MESSAGE = 1003;

export function socketTransport(socket: Socket, writes: DirectWrites, events: TransportEvents): ByteTransport {
  socket.on("data", events.bytes);
  watchEnd(socket, events);
  return {
    socket,
    shape: (form) => form,
    send: senderTo(socket, writes),
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    close: () => endSocket(socket),
  };
}

export function webSocketTransport(
  webSocket: WebSocket,
  socket: Socket,
  writes: DirectWrites,
  events: TransportEvents,
): ByteTransport {
  const send = senderTo(socket, writes);
  webSocket.binaryType = "nodebuffer";
  webSocket.on("message", (bytes, isBinary) => {
    if (isBinary) events.bytes(bytes as Uint8Array);
    else webSocket.close(UNSUPPORTED_MESSAGE);
  });
  webSocket.on("error", () => endSocket(socket));
  watchEnd(socket, events);
  return {
    socket,
    shape: framed,
    send: (bytes) => send(frameOf(bytes)),
    pause: () => webSocket.pause(),
    resume: () => webSocket.resume(),
    close() {
      webSocket.close(1000);
      endSocket(socket);
    },
  };
}

/** By the way that the fan-out takes, so that one does not overtake the other. */
function senderTo(socket: Socket, writes: DirectWrites): (bytes: Uint8Array) => void {
  const handle = writes.handleOf(socket);
  return (bytes) => {
    if (handle !== undefined && writes.write(socket, handle, bytes) !== "refused") return;
    if (socket.writable) socket.write(bytes);
  };
}

/** Half-closes after what is queued, and reads on for the peer's own end; a peer that takes too long is cut off. */
export function endSocket(socket: Socket): void {
  if (socket.destroyed) return;
  if (!socket.writableEnded) socket.end();
  socket.resume();
  const cut = setTimeout(() => socket.destroy(), CLOSE_PATIENCE_MS);
  cut.unref();
  socket.once("close", () => clearTimeout(cut));
}

function watchEnd(socket: Socket, events: TransportEvents): void {
  let broke: Error | undefined;
  socket.on("error", (error) => {
    broke = error;
  });
  socket.once("end", events.ended);
  socket.once("close", () => events.closed(broke));
}
