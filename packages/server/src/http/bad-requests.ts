/** Bytes that are no HTTP request, or no WebSocket frame: answered, ended and counted. */
import type { Server } from "node:http";
import type { Socket } from "node:net";
import type { Meter } from "@sluice/base/meter";
import type { WebSocket } from "ws";

/** Node's codes for what its parser refuses; everything else is 400. */
const STATUS_LINES: Readonly<Record<string, string>> = {
  ERR_HTTP_REQUEST_TIMEOUT: "408 Request Timeout",
  HPE_CHUNK_EXTENSIONS_OVERFLOW: "413 Payload Too Large",
  HPE_HEADER_OVERFLOW: "431 Request Header Fields Too Large",
};

/** Takes the place of Node's own answer, which nothing could count. */
export function answerBadRequests(server: Server, meter: Meter): void {
  server.on("clientError", (error: NodeJS.ErrnoException, socket: Socket) => {
    if (error.code === "ECONNRESET" || !socket.writable) {
      socket.destroy();
      return;
    }
    const line = STATUS_LINES[error.code ?? ""] ?? "400 Bad Request";
    meter
      .counter("http_bad_requests_total", "Connections ended because they sent no HTTP request, by status answered", {
        status: line.slice(0, 3),
      })
      .add();
    socket.end(`HTTP/1.1 ${line}\r\nConnection: close\r\n\r\n`, () => socket.destroy());
  });
}

/** RFC 6455 §7.4.1: wrong frames, text that is no UTF-8, messages over the limit. The library closes by itself. */
export function countBadFrames(webSocket: WebSocket, meter: Meter): void {
  webSocket.on("error", (error: NodeJS.ErrnoException) => {
    const code = error.code?.startsWith("WS_ERR_") ? error.code.slice("WS_ERR_".length).toLowerCase() : "other";
    meter
      .counter("web_socket_errors_total", "WebSocket connections ended by what their peer sent, by reason", { code })
      .add();
  });
}
