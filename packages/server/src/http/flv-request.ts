/** One request for an FLV stream, over HTTP or WebSocket: its key, and whether it may play. */
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { CLAIM_LIMITS, cutText } from "@sluice/base/claimed-text";
import type { Protocol } from "@sluice/client/admin-contract";
import { applicationOf, findStreamKeyOfUrl, type StreamKey } from "@sluice/media/stream-key";
import type { Grant } from "../auth/access.ts";
import { type Credentials, readCredentials } from "../auth/credentials.ts";
import { peerAddress } from "../sessions/peer-address.ts";
import { askedFor, notePlayRefusal, type PlayRefusal, type Refused, STOPPING } from "../sessions/refusals.ts";
import type { SessionPorts } from "../sessions/session-ports.ts";

export interface FlvRequest {
  readonly key: StreamKey;
  readonly credentials: Credentials;
  readonly address: string;
  readonly agent: string;
  readonly pageUrl: string;
  readonly origin: string | undefined;
}

export type FlvVerdict =
  /** Whoever takes it ends the grant. */
  | { readonly answer: "play"; readonly grant: Grant }
  | { readonly answer: "refuse"; readonly status: 401 | 403 | 404 | 503; readonly reason: string }
  | { readonly answer: "redirect"; readonly location: string };

const SUFFIX = ".flv";
/** First parts of paths that belong to the admin side, whatever they end in. */
const ADMIN_PARTS: ReadonlySet<string> = new Set(["api", "console", "metrics", "healthz", "readyz"]);
/** Proxies and some programs send the whole URL. RFC 9112 §3.2.2 */
const ORIGIN = /^https?:\/\/[^/?]*/i;

/** `undefined` when the path is not one of an FLV stream. */
export function readFlvRequest(request: IncomingMessage): FlvRequest | undefined {
  const [path, query] = splitUrl(request.url ?? "");
  if (!path.endsWith(SUFFIX)) return undefined;
  const key = findStreamKeyOfUrl(path.slice(0, -SUFFIX.length));
  if (key === undefined) return undefined;
  return {
    key,
    credentials: readCredentials([query], request.headersDistinct["authorization"]),
    address: peerAddress(request.socket),
    agent: agentOf(request.headers),
    pageUrl: cutText(request.headers.referer ?? request.headers.origin ?? "", CLAIM_LIMITS.urlCharacters),
    origin: boundedOrigin(request.headers.origin),
  };
}

function boundedOrigin(origin: string | undefined): string | undefined {
  return origin === undefined ? undefined : cutText(origin, CLAIM_LIMITS.urlCharacters);
}

/** Whether a URL names an FLV stream at all, legal or not. */
export function isFlvPath(url: string | undefined): boolean {
  const [path] = splitUrl(url ?? "");
  return path.endsWith(SUFFIX) && !ADMIN_PARTS.has(path.split("/", 2)[1] ?? "");
}

/** The facts of a refusal of it. */
export function refusedViewer(
  { key, address, agent }: Pick<FlvRequest, "key" | "address" | "agent">,
  of: Pick<Refused, "session" | "protocol" | "detail">,
): Refused {
  return { ...of, address, agent, key };
}

/** The same for a request that names no legal key. */
export function refusedRequest(
  { url, socket, headers }: IncomingMessage,
  of: Pick<Refused, "protocol" | "detail">,
): Refused {
  const key = askedFor(splitUrl(url ?? "")[0]).replace(/^\/+/, "");
  return { ...of, session: "", address: peerAddress(socket), agent: agentOf(headers), key };
}

function agentOf(headers: IncomingHttpHeaders): string {
  return cutText(headers["user-agent"] ?? "", CLAIM_LIMITS.agentCharacters);
}

export async function judgeFlvRequest(
  request: FlvRequest,
  options: {
    readonly protocol: Protocol;
    readonly sessionId: string;
    readonly ports: SessionPorts;
    readonly signal: AbortSignal;
  },
): Promise<FlvVerdict> {
  const { ports, protocol, sessionId, signal } = options;
  const { key, credentials, address, agent, pageUrl, origin } = request;
  const app = applicationOf(key);
  const note = (why: PlayRefusal, detail: string): void =>
    notePlayRefusal(ports, why, refusedViewer(request, { protocol, session: sessionId, detail }));
  const refused = (status: 401 | 403 | 404 | 503, why: PlayRefusal, reason: string): FlvVerdict => {
    note(why, reason);
    return { answer: "refuse", status, reason };
  };
  if (ports.draining.aborted) return refused(503, "stopping", STOPPING);
  const page = origin === undefined ? {} : { origin };
  const verdict = await ports.guard.decide(
    { action: "play", protocol, app, key, address, credentials, sessionId, agent, pageUrl, ...page },
    signal,
  );
  if (verdict.allow) {
    const { grant } = verdict;
    if (ports.policyOf(app).playWait.http !== 0 || ports.streams.isPublished(key)) return { answer: "play", grant };
    grant.end("not-found");
    return refused(404, "not-found", `Nobody publishes "${key}"`);
  }
  if (verdict.code !== "redirected")
    return refused(verdict.code === "token-missing" ? 401 : 403, "guard", verdict.reason);
  note("redirected", verdict.reason);
  return { answer: "redirect", location: verdict.redirect };
}

function splitUrl(whole: string): readonly [path: string, query: string] {
  const url = whole.startsWith("/") ? whole : whole.replace(ORIGIN, "");
  const mark = url.indexOf("?");
  return mark < 0 ? [url, ""] : [url.slice(0, mark), url.slice(mark + 1)];
}
