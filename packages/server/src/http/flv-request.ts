/** One request for an FLV stream, over HTTP or WebSocket, or for a `sluice.v1` connection: what it asks for, and what a refusal of it answers. */
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { TLSSocket } from "node:tls";
import { CLAIM_LIMITS, cutText } from "@sluice/base/claimed-text";
import type { Protocol } from "@sluice/client/admin-contract";
import { findStreamKeyOfUrl } from "@sluice/media/stream-key";
import { BEARER_CHALLENGE, readCredentials } from "../auth/credentials.ts";
import { peerAddress } from "../sessions/peer-address.ts";
import { askedFor, type PlayRefusal, type Refused } from "../sessions/refusals.ts";
import type { SessionPorts } from "../sessions/session-ports.ts";
import { isAdminPath } from "../streams/reserved-names.ts";
import type { NetClient } from "../ws/net-client.ts";
import { admitViewer, type PlayAnswer, type PlayRefused } from "../sessions/viewer.ts";

const SUFFIX = ".flv";
/** Proxies and some programs send the whole URL. RFC 9112 §3.2.2 */
const ORIGIN = /^https?:\/\/[^/?]*/i;

/** Whether a URL names an FLV stream at all, legal or not. */
export function isFlvPath(url: string | undefined): boolean {
  const [path] = splitUrl(url ?? "");
  return path.endsWith(SUFFIX) && !isAdminPath(path);
}

/** Decides on a request whose path is one of an FLV stream; a viewer that leaves meanwhile is gone. */
export async function admitFlvViewer(
  request: IncomingMessage,
  options: { readonly ports: SessionPorts; readonly protocol: Protocol; readonly mayWait: boolean },
): Promise<PlayAnswer> {
  const { ports, protocol, mayWait } = options;
  const { socket, headers } = request;
  const [path] = splitUrl(request.url ?? "");
  const left = new AbortController();
  const leave = (): void => left.abort(new Error("Session ended"));
  socket.once("close", leave);
  const answer = await admitViewer(ports, {
    access: {
      protocol,
      address: peerAddress(socket),
      sessionId: ports.registry.nextId(),
      agent: agentOf(headers),
      ...shownBy(request),
    },
    key: findStreamKeyOfUrl(path.slice(0, -SUFFIX.length)),
    asked: askedPath(path),
    signal: left.signal,
    isOver: () => socket.destroyed,
    mayPlay: true, // pages were judged before; over HTTP their browsers do it
    mayWait,
    others: () => [],
  });
  socket.off("close", leave);
  return answer;
}

/** Who asks for a `sluice.v1` connection; undefined where the path can be no application's or room's. */
export function netClientOf(request: IncomingMessage): NetClient | undefined {
  const [path] = splitUrl(request.url ?? "");
  const base = findStreamKeyOfUrl(path);
  if (base === undefined || isAdminPath(base)) return undefined;
  const { socket, headers } = request;
  const isSecure = socket instanceof TLSSocket;
  return { base, isSecure, address: peerAddress(socket), agent: agentOf(headers), access: shownBy(request) };
}

/** What the guard is shown. */
function shownBy({ url, headers, headersDistinct }: IncomingMessage): NetClient["access"] {
  const { origin, referer } = headers;
  const [, query] = splitUrl(url ?? "");
  return {
    credentials: readCredentials([query], headersDistinct["authorization"]),
    pageUrl: cutText(referer ?? origin ?? "", CLAIM_LIMITS.urlCharacters),
    ...(origin === undefined ? {} : { origin: cutText(origin, CLAIM_LIMITS.urlCharacters) }),
  };
}

/** The facts of a refusal before anybody was asked. */
export function refusedRequest(request: IncomingMessage, of: Pick<Refused, "protocol" | "detail">): Refused {
  const { url, socket, headers } = request;
  const key = askedPath(splitUrl(url ?? "")[0]);
  return { ...of, session: "", address: peerAddress(socket), agent: agentOf(headers), key };
}

export interface HttpRefusal {
  readonly status: number;
  readonly message: string;
  readonly headers: Readonly<Record<string, string>>;
}

const STATUSES: Readonly<Record<PlayRefusal, number>> = {
  name: 404,
  "not-found": 404,
  guard: 403,
  origin: 403,
  redirected: 307,
  limit: 503,
  stopping: 503,
};

export function httpRefusal({ reason, detail, code, redirect }: PlayRefused): HttpRefusal {
  if (redirect !== undefined) return { status: 307, message: "Play elsewhere", headers: { Location: redirect } };
  if (code === "token-missing")
    return { status: 401, message: detail, headers: { "WWW-Authenticate": BEARER_CHALLENGE } };
  return { status: STATUSES[reason], message: detail, headers: {} };
}

/** Of every refusal, so that programs can read it. */
export function refusalBody(status: number, message: string): string {
  return JSON.stringify({ error: { code: `http-${status}`, message } });
}

function askedPath(path: string): string {
  return askedFor(path).replace(/^\/+/, "");
}

function agentOf(headers: IncomingHttpHeaders): string {
  return cutText(headers["user-agent"] ?? "", CLAIM_LIMITS.agentCharacters);
}

function splitUrl(whole: string): readonly [path: string, query: string] {
  const url = whole.startsWith("/") ? whole : whole.replace(ORIGIN, "");
  const mark = url.indexOf("?");
  return mark < 0 ? [url, ""] : [url.slice(0, mark), url.slice(mark + 1)];
}
