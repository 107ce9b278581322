/** What carries a `sluice.v1` dialogue: the messages of a WebSocket, and whole frames back past the library. */
import type { Socket } from "node:net";
import type { WebSocket } from "ws";
import { endSocket, senderTo, type TransportPorts, watchEnd } from "../sessions/byte-transport.ts";
import type { PeerOutput } from "../sessions/peer-output.ts";

export interface MessageTransport {
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** What waits until the peer takes it. */
  readonly output: Pick<PeerOutput, "isBehind" | "isFull" | "isOverdrawn" | "owedBytes" | "isStalled" | "whenTaken">;
  /** @param frames  one whole frame, or several behind each other; must never change */
  send(frames: Uint8Array): void;
  pause(): void;
  resume(): void;
  /** Sends what is queued and the close frame, then ends the connection; what the peer still sends is ignored. */
  close(code: number, reason: string): void;
  /** What is queued is not sent any more. */
  cut(): void;
}

export interface MessageEvents {
  readonly message: (payload: string | Uint8Array, byteCount: number) => void;
  /** A ping or pong of the peer. */
  readonly signOfLife: () => void;
  /** The peer says no more; `closed` follows. */
  readonly ended: () => void;
  /** Once; `error` when the connection broke. */
  readonly closed: (error: Error | undefined) => void;
}

/** RFC 6455 §5.5: the payload of a control frame, of which two bytes are the code. */
const REASON_BYTES = 123;

export function messageTransport(
  webSocket: WebSocket,
  socket: Socket,
  ports: TransportPorts,
  events: MessageEvents,
): MessageTransport {
  const output = ports.outputs.of(socket);
  webSocket.binaryType = "nodebuffer";
  webSocket.on("message", (payload, isBinary) => {
    const bytes = payload as Buffer;
    events.message(isBinary ? bytes : bytes.toString(), bytes.length);
  });
  webSocket.on("ping", events.signOfLife);
  webSocket.on("pong", events.signOfLife);
  webSocket.on("close", () => endSocket(socket));
  webSocket.on("error", () => endSocket(socket));
  watchEnd(socket, events);
  return {
    get bytesIn() {
      return socket.bytesRead;
    },
    get bytesOut() {
      return socket.bytesWritten;
    },
    output,
    send: senderTo(socket, ports, output),
    pause: () => webSocket.pause(),
    resume: () => webSocket.resume(),
    close(code, reason) {
      webSocket.close(code, cut(reason));
      endSocket(socket);
    },
    cut: () => void socket.destroy(),
  };
}

function cut(reason: string): string {
  const bytes = Buffer.from(reason);
  if (bytes.length <= REASON_BYTES) return reason;
  return new TextDecoder().decode(bytes.subarray(0, REASON_BYTES)).replace(/\ufffd+$/, "");
}
