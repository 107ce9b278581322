/** WebSocket upgrades: `/<StreamKey>.flv` plays, `/<path>` with subprotocol `rtmp` speaks RTMP; anything else is refused. */
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { Log } from "@sluice/base/log";
import { WebSocketServer } from "ws";
import type { Grant } from "../auth/access.ts";
import { wsFlvForm } from "./flv-form.ts";
import { OPEN_FILTER } from "../streams/viewer-filter.ts";
import { endSocket, webSocketTransport } from "../sessions/byte-transport.ts";
import {
  type FlvRequest,
  isFlvPath,
  judgeFlvRequest,
  readFlvRequest,
  refusedRequest,
  refusedViewer,
} from "./flv-request.ts";
import { peerAddress } from "../sessions/peer-address.ts";
import { FlvSession } from "./flv-session.ts";
import { notePlayRefusal, refusesSessions, STOPPING } from "../sessions/refusals.ts";
import type { Page } from "../rtmp/rtmp-session-options.ts";
import type { SessionEnd } from "../sessions/session.ts";
import type { SessionPorts } from "../sessions/session-ports.ts";
import { countBadFrames } from "./bad-requests.ts";
import { CHALLENGE } from "./challenge.ts";
import type { PageRules } from "./page-rules.ts";
import type { RtmpSessions } from "../rtmp/rtmp-sessions.ts";

export interface WebSocketFrontOptions {
  readonly ports: SessionPorts;
  readonly rtmp: RtmpSessions;
  readonly pages: () => PageRules;
  readonly log: Log;
  /** Bytes of one message that a peer may send. */
  readonly messageBytes: number;
}

/** Viewers only send pings and good-byes. */
const VIEWER_MESSAGE_BYTES = 4096;
const RTMP_SUBPROTOCOL = "rtmp";
const FORM = wsFlvForm(OPEN_FILTER);

export class WebSocketFront {
  readonly #options: WebSocketFrontOptions;
  readonly #viewers: WebSocketServer;
  readonly #rtmp: WebSocketServer;

  constructor(options: WebSocketFrontOptions) {
    const shared = { noServer: true, clientTracking: false, perMessageDeflate: false } as const;
    this.#options = options;
    this.#viewers = new WebSocketServer({ ...shared, maxPayload: VIEWER_MESSAGE_BYTES });
    this.#rtmp = new WebSocketServer({
      ...shared,
      maxPayload: options.messageBytes,
      handleProtocols: () => RTMP_SUBPROTOCOL,
    });
  }

  /** Takes the socket over; never rejects. */
  async upgrade(request: IncomingMessage, socket: Socket, head: Buffer): Promise<void> {
    socket.on("error", () => {});
    try {
      await this.#open(request, socket, head);
    } catch (err) {
      this.#options.log.error({ err }, "WebSocket upgrade failed");
      socket.destroy();
    }
  }

  async #open(request: IncomingMessage, socket: Socket, head: Buffer): Promise<void> {
    const { ports, pages } = this.#options;
    const page = pages().pageOf(request.headers);
    const isRtmp = offers(request).includes(RTMP_SUBPROTOCOL);
    const refused = (status: number, reason: "origin" | "stopping", detail: string): void => {
      const protocol = isRtmp ? "rtmp-ws" : "ws-flv";
      notePlayRefusal(ports, reason, refusedRequest(request, { protocol, detail }));
      refuse(socket, status, detail);
    };
    const isWelcome = page === undefined || page.mayPlay || (isRtmp && page.mayPublish);
    if (!isWelcome) return refused(403, "origin", "Web pages of this origin may not connect");
    if (isRtmp && ports.draining.aborted) return refused(503, "stopping", STOPPING);
    if (isRtmp) return this.#openRtmp(request, { socket, head, page });
    if (isFlvPath(request.url)) return this.#openFlv(request, socket, head);
    refuse(socket, 400, "Ask for a stream as /<key>.flv, or offer the subprotocol rtmp");
  }

  #openRtmp(
    request: IncomingMessage,
    { socket, head, page }: { readonly socket: Socket; readonly head: Buffer; readonly page: Page | undefined },
  ): void {
    const address = peerAddress(socket);
    if (refusesSessions(this.#options.ports, { protocol: "rtmp-ws", address }))
      return refuse(socket, 503, "The server is full");
    this.#rtmp.handleUpgrade(request, socket, head, (webSocket) => {
      countBadFrames(webSocket, this.#options.ports.meter);
      this.#options.rtmp.open({
        protocol: "rtmp-ws",
        socket,
        ...(page === undefined ? {} : { page }),
        transport: (to, events) => webSocketTransport(webSocket, socket, to, events),
      });
    });
  }

  async #openFlv(request: IncomingMessage, socket: Socket, head: Buffer): Promise<void> {
    const { ports } = this.#options;
    const wanted = readFlvRequest(request);
    if (wanted === undefined) {
      const detail = "No stream can have this name";
      notePlayRefusal(ports, "name", refusedRequest(request, { protocol: "ws-flv", detail }));
      return refuse(socket, 404, detail);
    }
    const closed = new AbortController();
    const onClose = (): void => closed.abort(new Error("Session ended"));
    socket.once("close", onClose);
    const id = ports.registry.nextId();
    const verdict = await judgeFlvRequest(wanted, { protocol: "ws-flv", sessionId: id, ports, signal: closed.signal });
    socket.off("close", onClose);
    const isGone = closed.signal.aborted || socket.destroyed;
    if (verdict.answer === "play") {
      if (isGone) verdict.grant.end("peer-closed");
      else this.#openViewer(request, { socket, head, id, wanted, grant: verdict.grant });
      return;
    }
    if (isGone) return;
    if (verdict.answer === "redirect") return refuse(socket, 307, "Connect elsewhere", { Location: verdict.location });
    refuse(socket, verdict.status, verdict.reason);
  }

  #openViewer(
    request: IncomingMessage,
    from: {
      readonly socket: Socket;
      readonly head: Buffer;
      readonly id: string;
      readonly wanted: FlvRequest;
      readonly grant: Grant;
    },
  ): void {
    const { ports } = this.#options;
    const { socket, head, id, wanted, grant } = from;
    if (refusesSessions(ports, { protocol: "ws-flv", address: wanted.address })) {
      grant.end("limit");
      return refuse(socket, 503, "The server is full");
    }
    const stream = ports.streams.acquire(wanted.key);
    if (stream === undefined) {
      grant.end("limit");
      const detail = "As many streams are waited for as may be";
      notePlayRefusal(ports, "limit", refusedViewer(wanted, { protocol: "ws-flv", session: id, detail }));
      return refuse(socket, 503, detail);
    }
    let isUpgraded = false;
    try {
      this.#viewers.handleUpgrade(request, socket, head, (webSocket) => {
        isUpgraded = true;
        countBadFrames(webSocket, ports.meter);
        webSocket.on("error", () => endSocket(socket));
        webSocket.on("message", () => {}); // nothing a viewer says means anything
        const farewell = (reason: SessionEnd): void => webSocket.close(CLOSE_CODES[reason] ?? 1000, reason);
        new FlvSession({ id, protocol: "ws-flv", request: wanted, stream, socket, form: FORM, ports, grant, farewell });
      });
    } finally {
      if (!isUpgraded) grant.end("no-web-socket");
      ports.streams.release(wanted.key); // a request that turned out to be no WebSocket leaves nobody on the stream
    }
  }
}

/** RFC 6455 §7.4.1; 1013 is "try again later". */
const CLOSE_CODES: Readonly<Partial<Record<SessionEnd, number>>> = {
  "server-stopping": 1001,
  kicked: 1008,
  stalled: 1013,
  limit: 1013,
  fault: 1011,
};

function offers(request: IncomingMessage): readonly string[] {
  return (request.headers["sec-websocket-protocol"] ?? "").split(",").map((name) => name.trim());
}

const REASONS: Readonly<Record<number, string>> = {
  307: "Temporary Redirect",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  503: "Service Unavailable",
};

function refuse(socket: Socket, status: number, message: string, headers: Readonly<Record<string, string>> = {}): void {
  const body = JSON.stringify({ error: { code: `http-${status}`, message } });
  const challenge = status === 401 ? CHALLENGE : {};
  const lines = [
    `HTTP/1.1 ${status} ${REASONS[status] ?? ""}`,
    ...Object.entries({ ...challenge, ...headers }).map(([name, value]) => `${name}: ${value}`),
    "Content-Type: application/json; charset=utf-8",
    `Content-Length: ${Buffer.byteLength(body)}`,
    "Connection: close",
  ];
  socket.write(`${lines.join("\r\n")}\r\n\r\n${body}`);
  endSocket(socket);
}
