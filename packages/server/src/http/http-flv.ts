/** HTTP-FLV: answers GET, HEAD and OPTIONS of `/<StreamKey>.flv`, then leaves the socket to its session. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Grant } from "../auth/access.ts";
import { flvForm } from "./flv-form.ts";
import { OPEN_FILTER } from "../streams/viewer-filter.ts";
import { type FlvRequest, judgeFlvRequest, readFlvRequest, refusedRequest, refusedViewer } from "./flv-request.ts";
import { FlvSession } from "./flv-session.ts";
import type { SessionPorts } from "../sessions/session-ports.ts";
import { notePlayRefusal, refusesSessions } from "../sessions/refusals.ts";
import { CHALLENGE } from "./challenge.ts";
import type { CorsRules } from "./cors.ts";

export interface HttpFlvOptions {
  readonly ports: SessionPorts;
  readonly cors: () => CorsRules;
}

interface Allowed {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly sessionId: string;
  /** The viewer left before the verdict. */
  readonly isGone: boolean;
  readonly grant: Grant;
}

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
      await this.#judge(request, response);
    } catch (err) {
      this.#options.ports.log.error({ err }, "HTTP-FLV request failed");
      request.socket.destroy();
    }
  }

  async #judge(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const cors = this.#options.cors().headersFor(request.headers.origin);
    for (const [name, value] of Object.entries(cors)) response.setHeader(name, value);
    if (request.method === "OPTIONS") return void response.writeHead(204, PREFLIGHT).end();
    if (request.method !== "GET" && request.method !== "HEAD")
      return refuse(response, 405, `Only ${METHODS}`, { Allow: METHODS });
    const wanted = readFlvRequest(request);
    if (wanted === undefined) {
      const detail = "No stream can have this name";
      notePlayRefusal(this.#options.ports, "name", refusedRequest(request, { protocol: "http-flv", detail }));
      return refuse(response, 404, detail);
    }
    await this.#play(wanted, request, response);
  }

  async #play(wanted: FlvRequest, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { ports } = this.#options;
    const closed = new AbortController();
    const onClose = (): void => closed.abort(new Error("Session ended"));
    request.socket.once("close", onClose);
    const sessionId = ports.registry.nextId();
    const verdict = await judgeFlvRequest(wanted, { protocol: "http-flv", sessionId, ports, signal: closed.signal });
    request.socket.off("close", onClose);
    const isGone = closed.signal.aborted || request.socket.destroyed;
    if (verdict.answer === "play") return this.#admit(wanted, { request, response, sessionId, isGone, ...verdict });
    if (isGone) return;
    if (verdict.answer === "redirect") return refuse(response, 307, "Play elsewhere", { Location: verdict.location });
    refuse(response, verdict.status, verdict.reason);
  }

  #admit(wanted: FlvRequest, allowed: Allowed): void {
    const { request, grant } = allowed;
    try {
      if (allowed.isGone) grant.end("peer-closed");
      else if (request.method === "HEAD") this.#answerHead(wanted, allowed);
      else this.#open(wanted, allowed);
    } catch (error) {
      grant.end("fault");
      throw error;
    }
  }

  #answerHead(wanted: FlvRequest, { response, sessionId: session, grant }: Allowed): void {
    const { ports } = this.#options;
    grant.end("head");
    if (!ports.streams.isPublished(wanted.key)) {
      const detail = `Nobody publishes "${wanted.key}"`;
      notePlayRefusal(ports, "not-found", refusedViewer(wanted, { protocol: "http-flv", session, detail }));
      return refuse(response, 404, detail);
    }
    response.writeHead(200, FLV_HEAD).end();
  }

  #open(wanted: FlvRequest, { response, sessionId: id, grant }: Allowed): void {
    const { ports } = this.#options;
    const { socket } = response;
    if (socket === null) {
      grant.end("limit");
      return refuse(response, 503, "A stream needs a connection of its own: an earlier answer is still due");
    }
    if (refusesSessions(ports, { protocol: "http-flv", address: wanted.address })) {
      grant.end("limit");
      return refuse(response, 503, "The server is full");
    }
    const stream = ports.streams.acquire(wanted.key);
    if (stream === undefined) {
      grant.end("limit");
      const detail = "As many streams are waited for as may be";
      notePlayRefusal(ports, "limit", refusedViewer(wanted, { protocol: "http-flv", session: id, detail }));
      return refuse(response, 503, detail);
    }
    socket.write(headOf(response));
    takeSocket(response, socket);
    new FlvSession({ id, protocol: "http-flv", request: wanted, stream, socket, form: FORM, ports, grant });
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
  const body = JSON.stringify({ error: { code: `http-${status}`, message } });
  const challenge = status === 401 ? CHALLENGE : {};
  response
    .writeHead(status, {
      ...challenge,
      ...headers,
      "Content-Type": "application/json; charset=utf-8",
      "Content-Length": Buffer.byteLength(body),
      Connection: "close",
    })
    .end(body);
}
