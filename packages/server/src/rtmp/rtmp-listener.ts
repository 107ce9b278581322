/** RTMP and RTMPS ports: accepts, asks the limiter, opens sessions. */
import { createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type TlsOptions } from "node:tls";
import type { Log } from "@sluice/base/log";
import type { Meter } from "@sluice/base/meter";
import type { ConnectionLimiter } from "../auth/connection-limiter.ts";
import { socketTransport } from "../sessions/byte-transport.ts";
import type { RtmpSessions } from "./rtmp-sessions.ts";
import { NO_TLS_TIMEOUT, type Strangers } from "@sluice/runtime/sockets/strangers";

export interface RtmpListenerOptions {
  readonly protocol: "rtmp" | "rtmps";
  readonly sessions: RtmpSessions;
  readonly limiter: ConnectionLimiter;
  /** For `rtmps`: who has not finished the TLS handshake. */
  readonly strangers: Strangers;
  readonly log: Log;
  readonly meter: Meter;
  /** Records each connection, for finding faults. */
  readonly capture?: (socket: Socket) => void;
  /** For `rtmps`. */
  readonly tls?: TlsOptions;
}

/** Not listening yet. */
export function createRtmpListener(options: RtmpListenerOptions): Server {
  const { protocol, sessions, limiter, strangers, log, meter, tls } = options;
  const open = (socket: Socket): void => {
    if (socket.destroyed) return;
    if (tls !== undefined) strangers.known(socket);
    options.capture?.(socket);
    sessions.open({ protocol, socket, transport: (ports, events) => socketTransport(socket, ports, events) });
  };
  const server =
    tls === undefined
      ? createServer({ noDelay: true }, open)
      : createTlsServer({ ...tls, ...NO_TLS_TIMEOUT, noDelay: true }, open);
  const failures = meter.counter("tls_failures_total", "TLS handshakes that failed", { listener: protocol });
  server.on("tlsClientError", (error: Error, socket: Socket) => {
    failures.add();
    log.debug({ address: socket.remoteAddress, err: error }, "TLS handshake failed");
  });
  server.prependListener("connection", (socket: Socket) => {
    if (limiter.accept(socket) === "open" && tls !== undefined)
      strangers.admit(socket, { listener: protocol, deadline: "here" });
  });
  return server;
}
