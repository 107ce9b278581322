/** HTTP-FLV: answers GET, HEAD and OPTIONS of `/<StreamKey>.flv`, then leaves the socket to its session. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { refusesSessions } from "../sessions/refusals.ts";
import type { SessionPorts } from "../sessions/session-ports.ts";
import type { Viewer } from "../sessions/viewer.ts";
import { OPEN_FILTER } from "../streams/viewer-filter.ts";
import type { CorsRules } from "./cors.ts";
import { flvForm } from "./flv-form.ts";
import { admitFlvViewer, httpRefusal, refusalBody } from "./flv-request.ts";
import { FlvSession } from "./flv-session.ts";

export interface HttpFlvOptions {
  readonly ports: SessionPorts;
  readonly cors: () => CorsRules;
}

const protocol = "http-flv";
const METHODS = "GET, HEAD, OPTIONS";
const PREFLIGHT = {
  Allow: METHODS,
  "Access-Control-Allow-Methods": METHODS,
  "Access-Control-Allow-Headers": "Authorization, Range",
  "Access-Control-Max-Age": "86400",
};
/** Every HTTP viewer takes everything: players over HTTP have no words to say otherwise. */
const FORM = flvForm(OPEN_FILTER);

export class HttpFlv {
  readonly #options: HttpFlvOptions;

  constructor(options: HttpFlvOptions) {
    this.#options = options;
  }

  /** Answers; never rejects. */
  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      await this.#answer(request, response);
    } catch (err) {
      this.#options.ports.log.error({ err }, "HTTP-FLV request failed");
      request.socket.destroy();
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const cors = this.#options.cors().headersFor(request.headers.origin);
    for (const [name, value] of Object.entries(cors)) response.setHeader(name, value);
    if (request.method === "OPTIONS") return void response.writeHead(204, PREFLIGHT).end();
    if (request.method !== "GET" && request.method !== "HEAD")
      return refuse(response, 405, `Only ${METHODS}`, { Allow: METHODS });
    const isHead = request.method === "HEAD";
    const answer = await admitFlvViewer(request, { ports: this.#options.ports, protocol, mayWait: !isHead });
    if (answer.answer === "gone") return;
    if (answer.answer === "refused") {
      const { status, message, headers } = httpRefusal(answer);
      return refuse(response, status, message, headers);
    }
    const { viewer } = answer;
    try {
      if (!isHead) return this.#open(viewer, response);
      viewer.end("head");
      response.writeHead(200, FLV_HEAD).end();
    } catch (error) {
      viewer.end("fault");
      throw error;
    }
  }

  #open(viewer: Viewer, response: ServerResponse): void {
    const { ports } = this.#options;
    const { socket } = response;
    if (socket === null) {
      viewer.end("limit");
      return refuse(response, 503, "A stream needs a connection of its own: an earlier answer is still due");
    }
    if (refusesSessions(ports, { protocol, address: viewer.facts.address })) {
      viewer.end("limit");
      return refuse(response, 503, "The server is full");
    }
    socket.write(headOf(response));
    takeSocket(response, socket);
    new FlvSession({ viewer, socket, form: FORM, ports });
  }
}

/** Nothing the viewer still says on this connection is a request: the HTTP side must not answer into the stream. */
function takeSocket(response: ServerResponse, socket: Socket): void {
  response.detachSocket(socket);
  socket.removeAllListeners("data");
  socket.on("data", ignore); // also takes the socket back from Node's native HTTP parser
  socket.setTimeout(0);
  socket.resume();
}

function ignore(): void {}

const FLV_HEAD = { "Content-Type": "video/x-flv", "Cache-Control": "no-store", Connection: "close" };

/** Without length and without chunks: the body ends with the connection. RFC 9112 §6.3 */
function headOf(response: ServerResponse): string {
  const lines = ["HTTP/1.1 200 OK", `Date: ${new Date().toUTCString()}`];
  for (const [name, value] of Object.entries({ ...response.getHeaders(), ...FLV_HEAD }))
    lines.push(`${name}: ${String(value)}`);
  return `${lines.join("\r\n")}\r\n\r\n`;
}

function refuse(
  response: ServerResponse,
  status: number,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  const body = refusalBody(status, message);
  response
    .writeHead(status, {
      ...headers,
      "Content-Type": "application/json; charset=utf-8",
      "Content-Length": Buffer.byteLength(body),
      Connection: "close",
    })
    .end(body);
}
