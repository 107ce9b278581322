/** What carries an RTMP dialogue: a socket, or binary frames of a WebSocket on one. */
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { WireForm } from "@sluice/media/wire-form";
import type { WebSocket } from "ws";
import { frameOf, framed } from "./web-socket-form.ts";
import type { PeerOutput } from "./peer-output.ts";
import type { SessionPorts } from "./session-ports.ts";

export interface ByteTransport {
  /** Fan-out writes to it directly, in the form that `shape` gives. */
  readonly socket: Socket;
  readonly shape: (form: WireForm) => WireForm;
  /** What waits until the peer takes it. */
  readonly output: PeerOutput;
  /** Bytes that came mean nothing to anybody any more: frees them where that can be done at once. */
  discard(bytes: Uint8Array): void;
  /** Does nothing once the transport is closed. */
  send(bytes: Uint8Array): void;
  pause(): void;
  resume(): void;
  /** Sends what is queued, then closes; what the peer still sends is ignored. */
  close(): void;
}

export interface TransportEvents {
  readonly bytes: (bytes: Uint8Array) => void;
  /** Bytes of a message of the transport's own that is not whole. */
  readonly unfinished: (byteCount: number) => void;
  /** The peer says no more; `closed` follows. */
  readonly ended: () => void;
  /** Once; `error` when the connection broke. */
  readonly closed: (error: Error | undefined) => void;
}

/** A peer that does not take the last bytes within this time is cut off, in milliseconds. */
const CLOSE_PATIENCE_MS = 2_000;
/** RFC 6455 §7.4.1: a kind of message that the server does not take. */
const UNSUPPORTED_MESSAGE = 1003;

export type TransportPorts = Pick<SessionPorts, "writes" | "outputs">;

export function socketTransport(socket: Socket, ports: TransportPorts, events: TransportEvents): ByteTransport {
  const output = ports.outputs.of(socket);
  socket.on("data", events.bytes);
  watchEnd(socket, events);
  return {
    socket,
    shape: (form) => form,
    output,
    discard: (bytes) => freeRead(socket, bytes),
    send: senderTo(socket, ports, output),
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    close: () => endSocket(socket),
  };
}

export function webSocketTransport(
  webSocket: WebSocket,
  socket: Socket,
  ports: TransportPorts,
  events: TransportEvents,
): ByteTransport {
  const output = ports.outputs.of(socket);
  const send = senderTo(socket, ports, output);
  webSocket.binaryType = "nodebuffer";
  let unfinished = 0;
  socket.prependListener("data", (bytes: Uint8Array) => {
    unfinished += bytes.length;
    events.unfinished(unfinished);
  });
  webSocket.on("message", (bytes, isBinary) => {
    unfinished = 0;
    events.unfinished(0);
    if (isBinary) events.bytes(bytes as Uint8Array);
    else webSocket.close(UNSUPPORTED_MESSAGE);
  });
  webSocket.on("error", () => endSocket(socket));
  watchEnd(socket, events);
  return {
    socket,
    shape: framed,
    output,
    discard: () => {},
    send: (bytes) => send(frameOf(bytes)),
    pause: () => webSocket.pause(),
    resume: () => webSocket.resume(),
    close() {
      webSocket.close(1000);
      endSocket(socket);
    },
  };
}

/** Node gives each read memory of its own, and V8 collects it only after tens of megabytes. */
function freeRead(socket: Socket, { buffer, byteLength }: Uint8Array): void {
  const isShared = socket instanceof TLSSocket || socket.listenerCount("data") > 1 || buffer.byteLength !== byteLength;
  if (!isShared && buffer instanceof ArrayBuffer) buffer.transfer(0);
}

/** By the way that the fan-out takes, so that one does not overtake the other. */
export function senderTo(socket: Socket, { writes }: TransportPorts, output: PeerOutput): (bytes: Uint8Array) => void {
  const handle = writes.handleOf(socket);
  return (bytes) => {
    const outcome = handle === undefined ? "refused" : writes.write(socket, handle, bytes, output);
    if (outcome === "taken") return;
    if (outcome === "refused" && socket.writable) socket.write(bytes);
    if (output.owedBytes > 0) output.note(bytes.length, "dialogue");
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

export function watchEnd(socket: Socket, events: Pick<TransportEvents, "ended" | "closed">): void {
  let broke: Error | undefined;
  socket.on("error", (error) => {
    broke = error;
  });
  socket.once("end", events.ended);
  socket.once("close", () => events.closed(broke));
}
