// A stand-in for the server: the admin API over rows that a test sets, the built console, and FLV from ffmpeg.
import { type EventEmitter, once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { extname, join, normalize } from "node:path";
import type {
  AdminEvent,
  EngineAnswer,
  LinkRow,
  NodeRow,
  NodesAnswer,
  OwnNodeRow,
  SessionRow,
  StreamRow,
} from "@sluice/client/admin-contract";
import { sendFlv, sendFlvOverWebSocket } from "./fake-flv.ts";
import { FakeObjects } from "./fake-objects.ts";
import { carried } from "./fake-nodes.ts";
import { flowed, moved, nodeRow, streamRow } from "./fake-rows.ts";

/** A response or a socket over which a viewer is served. */
type Viewing = EventEmitter & { destroy(): unknown };

export class FakeServer {
  streams: StreamRow[] = [];
  sessions: SessionRow[] = [];
  node: Partial<OwnNodeRow> = {};
  /** The other nodes of the cluster, and the links to them. */
  others: NodeRow[] = [];
  links: LinkRow[] = [];
  silent: string[] = [];
  engine: EngineAnswer = { kind: "off", leader: null, members: [] };
  isViewStale = false;
  readonly objects = new FakeObjects();
  /** While set, every call needs it, in a cookie named `token` that `/console/?token=` sets. */
  token = "";
  /** While true, every API call is cut off without an answer, as by a dead server. */
  isDown = false;
  /** While true, connections stay open and say nothing, as with a hung server. */
  isSilent = false;
  /** The transports over which FLV is being fetched right now. */
  readonly viewers: ("http" | "ws")[] = [];
  /** `METHOD path` of every call that changes something; rights to preview do not. */
  readonly changes: string[] = [];
  /** Path of every question put to the API, in order, those that got no answer included. */
  readonly asked: string[] = [];
  /** While set, streams are answered with this status unless the address carries a right of this server. */
  guardStatus: number | undefined;
  /** While true, rights that were given are not taken. */
  isPreviewVoid = false;
  readonly #listeners = new Set<ServerResponse>();
  readonly #refused = new Set<"http" | "ws">();
  readonly #viewing = new Set<Viewing>();
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  readonly #dist: string;
  readonly #ticking: NodeJS.Timeout;
  readonly #tickMillis: number;
  #tick = 0;

  constructor(dist: string, tickMillis = 1_000) {
    this.#dist = dist;
    this.#tickMillis = tickMillis;
    this.#server = createServer((request, response) => void this.#answer(request, response));
    this.#server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    });
    this.#server.on("upgrade", (request, socket) => {
      const refusal = this.#refusalOf(request.url);
      if (refusal !== undefined) this.#refused.add("ws");
      if (refusal !== undefined) return socket.end(`HTTP/1.1 ${refusal} Refused\r\nConnection: close\r\n\r\n`);
      this.#count("ws", socket);
      sendFlvOverWebSocket(request, socket);
    });
    this.#ticking = setInterval(() => this.#sendStats(), tickMillis);
  }

  async listen(): Promise<string> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    clearInterval(this.#ticking);
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }

  /** Resolves once exactly these transports are in use. */
  untilViewers(expected: readonly ("http" | "ws")[]): Promise<void> {
    return until(
      () => this.viewers.join() === expected.join(),
      () => `viewers "${expected.join()}": there are "${this.viewers.join()}"`,
    );
  }

  /** Resolves once a viewer was refused over that transport. */
  untilRefused(transport: "http" | "ws"): Promise<void> {
    return until(
      () => this.#refused.has(transport),
      () => `a refusal over ${transport}`,
    );
  }

  #refusalOf(url = "/"): number | undefined {
    const isShown = new URL(url, "http://fake").searchParams.get("preview") === PREVIEW && !this.isPreviewVoid;
    return isShown ? undefined : this.guardStatus;
  }

  dropViewers(): void {
    for (const viewing of this.#viewing) viewing.destroy();
  }

  #count(transport: "http" | "ws", viewing: Viewing): void {
    this.viewers.push(transport);
    this.#viewing.add(viewing);
    viewing.once("close", () => {
      this.viewers.splice(this.viewers.indexOf(transport), 1);
      this.#viewing.delete(viewing);
    });
  }

  goDown(): void {
    this.isDown = true;
    for (const listener of this.#listeners) listener.destroy();
  }

  send(event: AdminEvent): void {
    if (this.isSilent) return;
    for (const listener of this.#listeners) listener.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
  }

  #sendStats(): void {
    this.#tick++;
    this.sessions = this.sessions.map((row) => flowed(row, this.#tickMillis));
    this.send({
      type: "stats",
      at: new Date().toISOString(),
      node: this.#node(),
      streams: this.streams.map((row) => moved(row, this.#tick)),
      part: "whole",
    });
  }

  #node(): OwnNodeRow {
    return nodeRow(this.#tick, { sessions: this.sessions.length, streams: this.streams.length, ...this.node });
  }

  #nodes(): NodesAnswer {
    const nodes = [this.#node(), ...this.others].sort((a, b) => (a.id < b.id ? -1 : 1));
    return { nodes, silent: this.silent, stale: this.isViewStale };
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", "http://fake");
    if (url.pathname.startsWith("/console/")) return this.#sendPage(url, response);
    if (url.pathname.startsWith("/api/")) this.asked.push(url.pathname.replace("/api/v1", ""));
    if (url.pathname.endsWith(".flv")) {
      const refusal = this.#refusalOf(request.url);
      if (refusal !== undefined && request.method === "GET") this.#refused.add("http");
      if (refusal !== undefined || request.method === "HEAD") return void response.writeHead(refusal ?? 200).end();
      this.#count("http", response);
      return sendFlv(response);
    }
    if (this.isDown) return void request.socket.destroy();
    if (this.token && !request.headers.cookie?.includes(`token=${encodeURIComponent(this.token)}`)) {
      return sendJson(response, 401, { error: { code: "STATE_UNAUTHORIZED", message: "A token is needed" } });
    }
    if (url.pathname.startsWith("/api/v1/objects")) return this.#answerObjects(request, url, response);
    this.#answerApi(request.method ?? "GET", url, response);
  }

  #answerApi(method: string, url: URL, response: ServerResponse): void {
    const path = url.pathname.replace("/api/v1", "");
    if (method !== "GET" && path !== "/previews") this.changes.push(`${method} ${path}`);
    switch (`${method} ${path}`) {
      case "GET /nodes":
        return sendJson(response, 200, this.#nodes());
      case "GET /links":
        return sendJson(response, 200, { links: this.links.map((row) => carried(row, this.#tick)) });
      case "GET /cluster":
        return sendJson(response, 200, this.engine);
      case "GET /streams":
        return sendJson(response, 200, { streams: this.streams, total: this.streams.length });
      case "GET /sessions":
        return this.#listSessions(url.searchParams.get("key"), response);
      case "POST /previews":
        return sendJson(response, 201, { key: "", token: PREVIEW, expires: new Date().toISOString() });
      case "POST /test-patterns":
        return this.#startTestPattern(response);
      case "GET /events":
        return this.#listen(response);
    }
    if (method === "POST" && path.endsWith("/drain")) return sendJson(response, 202, { state: "draining" });
    if (method === "DELETE" && path.startsWith("/sessions/")) return this.#endSession(path.slice(10), response);
    if (method === "DELETE" && path.startsWith("/test-patterns/"))
      return this.#stopTestPattern(path.slice(15), response);
    sendJson(response, 404, { error: { code: "STATE_UNKNOWN_PATH", message: `Cannot find "${path}"` } });
  }

  async #answerObjects(request: IncomingMessage, url: URL, response: ServerResponse): Promise<void> {
    const body = (await request.toArray()).map(String).join("");
    sendJson(response, ...this.objects.answer(request.method ?? "GET", url, body));
  }

  #listSessions(key: string | null, response: ServerResponse): void {
    const sessions = this.sessions.filter((row) => key === null || row.key === key);
    sendJson(response, 200, { sessions, total: sessions.length });
  }

  #listen(response: ServerResponse): void {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.flushHeaders();
    this.#listeners.add(response);
    response.on("close", () => this.#listeners.delete(response));
    this.#sendStats();
  }

  #startTestPattern(response: ServerResponse): void {
    const key = "demo/test-pattern";
    const publisher = { sessionId: "internal", protocol: "internal", address: "", agent: "test pattern" } as const;
    this.streams = [
      ...this.streams,
      streamRow(key, { since: new Date().toISOString(), publisher, viewers: { here: 0, all: 0 } }),
    ];
    sendJson(response, 201, { key });
    this.send({ type: "stream-live", at: new Date().toISOString(), key });
  }

  #stopTestPattern(key: string, response: ServerResponse): void {
    this.streams = this.streams.filter((row) => row.key !== key);
    response.writeHead(204).end();
    this.send({ type: "stream-ended", at: new Date().toISOString(), key, reason: "stopped" });
  }

  #endSession(id: string, response: ServerResponse): void {
    this.sessions = this.sessions.filter((row) => row.id !== id);
    response.writeHead(204).end();
    this.send({ type: "session-closed", at: new Date().toISOString(), id, reason: "kicked" });
  }

  async #sendPage(url: URL, response: ServerResponse): Promise<void> {
    const token = url.searchParams.get("token");
    if (token !== null)
      response.setHeader("set-cookie", `token=${encodeURIComponent(token)}; Path=/; HttpOnly; SameSite=Strict`);
    const path = normalize(url.pathname.slice("/console/".length)) || "index.html";
    const file = join(this.#dist, path === "." ? "index.html" : path);
    try {
      const body = await readFile(file);
      response.setHeader("content-security-policy", POLICY);
      response.writeHead(200, { "content-type": TYPES[extname(file)] ?? "application/octet-stream" }).end(body);
    } catch {
      response.writeHead(404).end();
    }
  }
}

async function until(isSo: () => boolean, what: () => string): Promise<void> {
  for (let waited = 0; !isSo(); waited += 50) {
    if (waited > 20_000) throw new Error(`Cannot see ${what()}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** The right that opens every stream here. */
const PREVIEW = "a right";

/** As strict as a server may want to be: the console must work under it. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self' blob:; " +
  "connect-src 'self' ws: wss:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
};

function sendJson(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}
