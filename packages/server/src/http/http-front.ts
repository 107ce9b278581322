/** The HTTP and HTTPS ports: `.flv` requests and upgrades go to their own answers, everything else to the admin side. */
import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { Socket } from "node:net";
import type { Millis } from "@sluice/base/brand";
import type { Meter } from "@sluice/base/meter";
import type { ConnectionLimiter } from "../auth/connection-limiter.ts";
import { isFlvPath } from "./flv-request.ts";
import { answerBadRequests } from "./bad-requests.ts";
import type { HttpFlv } from "./http-flv.ts";
import { Pipelining } from "./pipelining.ts";
import { NO_TLS_TIMEOUT, type Strangers } from "@sluice/runtime/sockets/strangers";
import type { WebSocketFront } from "./web-socket-front.ts";

export interface HttpFrontOptions {
  readonly flv: HttpFlv;
  readonly webSockets: WebSocketFront;
  readonly admin: RequestListener;
  readonly limiter: ConnectionLimiter;
  /** Who has not sent a request. */
  readonly strangers: Strangers;
  readonly meter: Meter;
  readonly headerBytes: number;
  readonly handshakeTimeout: Millis;
  /** PEM; for https. */
  readonly tls?: { readonly cert: string; readonly key: string };
}

/** How often Node looks whether a request head is overdue; its own 30 s would hold slow connections that long. */
const DEADLINE_CHECK_MS = 1_000;

/** A connection on which neither side says anything, and none of what waits is taken, ends; event streams beat more often. */
const SILENCE_MS = 60_000;

/** A late request head is answered with 408, which Node does; before TLS no answer is possible. */
const HTTP_STRANGER = { listener: "http", deadline: "elsewhere" } as const;
const HTTPS_STRANGER = { listener: "https", deadline: "here" } as const;

/** Not listening yet. */
export function createHttpFront(options: HttpFrontOptions): Server {
  const { flv, webSockets, admin, limiter, strangers, meter, headerBytes, handshakeTimeout, tls } = options;
  const shared = {
    noDelay: true,
    maxHeaderSize: headerBytes,
    headersTimeout: handshakeTimeout,
    requestTimeout: handshakeTimeout * 2,
    connectionsCheckingInterval: Math.min(handshakeTimeout, DEADLINE_CHECK_MS),
    shouldUpgradeCallback: wantsWebSocket,
  };
  const server = tls === undefined ? createServer(shared) : createTlsServer({ ...shared, ...tls, ...NO_TLS_TIMEOUT });
  answerBadRequests(server, meter);
  const as = tls === undefined ? HTTP_STRANGER : HTTPS_STRANGER;
  server.prependListener("connection", (socket: Socket) => {
    if (limiter.accept(socket) === "open") strangers.admit(socket, as);
  });
  server.on("secureConnection", (socket: Socket) => strangers.timeElsewhere(socket));
  const pipelining = new Pipelining(meter);
  server.setTimeout(SILENCE_MS);
  server.on("request", (request, response) => {
    strangers.known(request.socket);
    if (!pipelining.admit(request, response)) return;
    if (isFlvPath(request.url)) void flv.answer(request, response);
    else admin(request, response);
  });
  server.on("upgrade", (request: IncomingMessage, socket: Socket, head: Buffer) => {
    strangers.known(socket);
    void webSockets.upgrade(request, socket, head);
  });
  return server;
}

/** Other upgrades, such as the h2c that some clients always offer, are ignored, and the request answered as it is. */
function wantsWebSocket(request: IncomingMessage): boolean {
  return request.headers.upgrade?.toLowerCase() === "websocket";
}
