/** WebSocket upgrades: `/<StreamKey>.flv` plays, `/<path>` with subprotocol `rtmp` speaks RTMP, with `sluice.v1` opens objects; anything else is refused. */
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { Log } from "@sluice/base/log";
import { SLUICE_V1_LIMITS } from "@sluice/client/contract/limits";
import { SLUICE_V1 } from "@sluice/client/contract/sluice-v1";
import { WebSocketServer } from "ws";
import type { WebPage } from "../auth/web-origin.ts";
import type { RtmpSessions } from "../rtmp/rtmp-sessions.ts";
import { endSocket, webSocketTransport } from "../sessions/byte-transport.ts";
import { peerAddress } from "../sessions/peer-address.ts";
import { notePlayRefusal, refusesSessions, STOPPING } from "../sessions/refusals.ts";
import type { SessionEnd } from "../sessions/session.ts";
import type { SessionPorts } from "../sessions/session-ports.ts";
import type { Viewer } from "../sessions/viewer.ts";
import { OPEN_FILTER } from "../streams/viewer-filter.ts";
import type { SluiceSessions } from "../ws/sluice-sessions.ts";
import { countBadFrames } from "./bad-requests.ts";
import { wsFlvForm } from "./flv-form.ts";
import { admitFlvViewer, httpRefusal, isFlvPath, netClientOf, refusalBody, refusedRequest } from "./flv-request.ts";
import { FlvSession } from "./flv-session.ts";
import type { PageRules } from "./page-rules.ts";

export interface WebSocketFrontOptions {
  readonly ports: SessionPorts;
  readonly rtmp: RtmpSessions;
  readonly sluice: SluiceSessions;
  readonly pages: () => PageRules;
  readonly log: Log;
  /** Bytes of one message that a peer of RTMP may send. */
  readonly messageBytes: number;
}

/** Viewers only send pings and close frames. */
const VIEWER_MESSAGE_BYTES = 4096;
const RTMP_SUBPROTOCOL = "rtmp";
const FORM = wsFlvForm(OPEN_FILTER);

export class WebSocketFront {
  readonly #options: WebSocketFrontOptions;
  readonly #viewers: WebSocketServer;
  readonly #rtmp: WebSocketServer;
  readonly #sluice: WebSocketServer;

  constructor(options: WebSocketFrontOptions) {
    const shared = { noServer: true, clientTracking: false, perMessageDeflate: false } as const;
    this.#options = options;
    this.#viewers = new WebSocketServer({ ...shared, maxPayload: VIEWER_MESSAGE_BYTES });
    this.#rtmp = new WebSocketServer({
      ...shared,
      maxPayload: options.messageBytes,
      handleProtocols: () => RTMP_SUBPROTOCOL,
    });
    this.#sluice = new WebSocketServer({
      ...shared,
      maxPayload: SLUICE_V1_LIMITS.messageBytes,
      handleProtocols: () => SLUICE_V1,
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
    const offered = offers(request);
    const isRtmp = offered.includes(RTMP_SUBPROTOCOL);
    const isSluice = !isRtmp && offered.includes(SLUICE_V1);
    const refused = (status: number, reason: "origin" | "stopping", detail: string): void => {
      const protocol = isRtmp ? "rtmp-ws" : isSluice ? "sluice" : "ws-flv";
      notePlayRefusal(ports, reason, refusedRequest(request, { protocol, detail }));
      refuse(socket, status, detail);
    };
    const mayPlay = !isSluice && page?.mayPlay === true;
    const isWelcome = page === undefined || mayPlay || ((isRtmp || isSluice) && page.mayPublish);
    if (!isWelcome) return refused(403, "origin", "Web pages of this origin may not connect");
    if ((isRtmp || isSluice) && ports.draining.aborted) return refused(503, "stopping", STOPPING);
    if (isRtmp) return this.#openRtmp(request, { socket, head, page });
    if (isSluice) return this.#openSluice(request, socket, head);
    if (isFlvPath(request.url)) return this.#openFlv(request, socket, head);
    refuse(socket, 400, "Ask for a stream as /<key>.flv, or offer the subprotocol sluice.v1 or rtmp");
  }

  #openRtmp(
    request: IncomingMessage,
    { socket, head, page }: { readonly socket: Socket; readonly head: Buffer; readonly page: WebPage | undefined },
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

  #openSluice(request: IncomingMessage, socket: Socket, head: Buffer): void {
    const client = netClientOf(request);
    if (client === undefined) return refuse(socket, 400, "Connect to the path of an application, such as /room");
    if (refusesSessions(this.#options.ports, { protocol: "sluice", address: client.address }))
      return refuse(socket, 503, "The server is full");
    this.#sluice.handleUpgrade(request, socket, head, (webSocket) => {
      countBadFrames(webSocket, this.#options.ports.meter);
      this.#options.sluice.open(webSocket, socket, client);
    });
  }

  async #openFlv(request: IncomingMessage, socket: Socket, head: Buffer): Promise<void> {
    const { ports } = this.#options;
    const answer = await admitFlvViewer(request, { ports, protocol: "ws-flv", mayWait: true });
    if (answer.answer === "allowed") return this.#openViewer(request, { socket, head, viewer: answer.viewer });
    if (answer.answer === "gone") return;
    const { status, message, headers } = httpRefusal(answer);
    refuse(socket, status, message, headers);
  }

  #openViewer(
    request: IncomingMessage,
    { socket, head, viewer }: { readonly socket: Socket; readonly head: Buffer; readonly viewer: Viewer },
  ): void {
    const { ports } = this.#options;
    if (refusesSessions(ports, { protocol: "ws-flv", address: viewer.facts.address })) {
      viewer.end("limit");
      return refuse(socket, 503, "The server is full");
    }
    let isUpgraded = false;
    try {
      this.#viewers.handleUpgrade(request, socket, head, (webSocket) => {
        isUpgraded = true;
        countBadFrames(webSocket, ports.meter);
        webSocket.on("error", () => endSocket(socket));
        webSocket.on("message", () => {}); // nothing a viewer says means anything
        const farewell = (reason: SessionEnd): void => webSocket.close(CLOSE_CODES[reason] ?? 1000, reason);
        new FlvSession({ viewer, socket, form: FORM, ports, farewell });
      });
    } finally {
      if (!isUpgraded) viewer.end("no-web-socket");
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
  const body = refusalBody(status, message);
  const lines = [
    `HTTP/1.1 ${status} ${REASONS[status] ?? ""}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    "Content-Type: application/json; charset=utf-8",
    `Content-Length: ${Buffer.byteLength(body)}`,
    "Connection: close",
  ];
  socket.write(`${lines.join("\r\n")}\r\n\r\n${body}`);
  endSocket(socket);
}
