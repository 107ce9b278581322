/** Who may use the admin side: a token's bearer; without a configured token, a program or page of this machine that plainly speaks for itself. */
import type { IncomingMessage } from "node:http";
import { isSameSecret } from "@sluice/runtime/secret-compare";
import { isLoopback } from "@sluice/runtime/sockets/ip-address";
import type { FastifyReply, FastifyRequest } from "fastify";
import { BEARER_CHALLENGE, bearerOf } from "../auth/credentials.ts";
import { isLoopbackHost, isSameOrigin } from "../auth/web-origin.ts";
import { sendApiError } from "./api-error.ts";

export interface AdminCaller {
  /** As the socket gives it; `undefined` once it is gone. */
  readonly remoteAddress: string | undefined;
  /** Such as `1.1`. */
  readonly httpVersion: string;
  /** The request's target as it came, such as `/api/v1/streams`. */
  readonly target: string;
  /** Names and values in turn, as they came: only here a second Host is seen. */
  readonly rawHeaders: readonly string[];
  /** As shown, by whatever way the route allows; not checked yet. */
  readonly token: string | undefined;
}

export type AdminVerdict = "allowed" | AdminRefusal;

export interface AdminRefusal {
  readonly status: 401 | 403;
  readonly message: string;
}

export const ADMIN_REFUSALS = {
  "token-required": { status: 401, message: "The admin token is needed (the configured admin.token)" },
  "token-wrong": { status: 401, message: "The token is wrong" },
  remote: {
    status: 403,
    message: "Only calls from this machine itself are allowed, because no admin.token is configured",
  },
  indirect: {
    status: 403,
    message:
      "Only direct calls of this machine's own programs and pages are allowed, because no admin.token is configured; this one came through a proxy, or from a page of another site",
  },
} as const satisfies Readonly<Record<string, AdminRefusal>>;

export type AdminAccess = (caller: AdminCaller) => AdminVerdict | Promise<AdminVerdict>;

/** @param configured  the token that holds now; it is then needed from everywhere */
export function adminAccess(configured: () => string | undefined): (caller: AdminCaller) => AdminVerdict {
  return (caller) => {
    const token = configured();
    if (token === undefined) return localAccess(caller);
    if (caller.token === undefined) return ADMIN_REFUSALS["token-required"];
    return isSameSecret(caller.token, token) ? "allowed" : ADMIN_REFUSALS["token-wrong"];
  };
}

/**
 * A loopback connection alone proves little: a proxy on this machine forwards strangers, and a web page makes its visitor's
 * browser call, under a name of its own that it lets point to 127.0.0.1 or with a foreign Origin. Each leaves signs.
 */
function localAccess(caller: AdminCaller): AdminVerdict {
  if (caller.remoteAddress === undefined || !isLoopback(caller.remoteAddress)) return ADMIN_REFUSALS.remote;
  const headers = headersOf(caller.rawHeaders);
  return isDirect(caller, headers) && isOfNoForeignPage(headers) ? "allowed" : ADMIN_REFUSALS.indirect;
}

type Headers = ReadonlyMap<string, readonly string[]>;

function headersOf(raw: readonly string[]): Headers {
  const headers = new Map<string, string[]>();
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = (raw[i] as string).toLowerCase();
    headers.set(name, [...(headers.get(name) ?? []), raw[i + 1] as string]);
  }
  return headers;
}

/** Proxies speak HTTP/1.0 or send whole URLs to what is behind them, rename the Host, and add headers of their own. */
function isDirect({ httpVersion, target }: AdminCaller, headers: Headers): boolean {
  const [host, ...otherHosts] = headers.get("host") ?? [];
  if (httpVersion !== "1.1" || !target.startsWith("/")) return false;
  if (host === undefined || otherHosts.length > 0 || !isLoopbackHost(host)) return false;
  return ![...headers.keys()].some(isForwardingHeader);
}

/** Browsers tell where a request began. A page of this server, and what a person typed, are at home. */
function isOfNoForeignPage(headers: Headers): boolean {
  const host = headers.get("host")?.[0] ?? "";
  const sites = headers.get("sec-fetch-site") ?? [];
  if (!sites.every((site) => site === "same-origin" || site === "none")) return false;
  const pages = [...(headers.get("origin") ?? []), ...(headers.get("referer") ?? [])];
  return pages.every((page) => isSameOrigin(page, host));
}

const FORWARDING: ReadonlySet<string> = new Set([
  "forwarded",
  "via",
  "x-real-ip",
  "x-client-ip",
  "x-remote-ip",
  "x-remote-addr",
  "x-cluster-client-ip",
  "x-request-id",
  "true-client-ip",
  "client-ip",
  "fastly-client-ip",
  "fastly-ssl",
  "cdn-loop",
  "proxy-connection",
  "front-end-https",
]);
const FORWARDING_PREFIXES = [
  "x-forwarded",
  "x-original-",
  "x-proxy",
  "x-envoy-",
  "x-amzn-",
  "x-amz-cf-",
  "x-azure-",
  "x-appengine-",
  "x-arr-",
  "x-varnish",
  "x-haproxy",
  "x-traefik",
  "x-nginx",
  "x-vercel-",
  "x-ngrok-",
  "cf-",
  "fly-",
  "akamai-",
  "tailscale-",
];

/** Some programs behind gateways read `_` and `-` alike. */
function isForwardingHeader(spelling: string): boolean {
  const name = spelling.replaceAll("_", "-");
  return FORWARDING.has(name) || FORWARDING_PREFIXES.some((prefix) => name.startsWith(prefix));
}

const COOKIE = "sluice_admin";
/** What no token equals. */
const NO_TOKEN = "";

export function callerOf({ raw }: FastifyRequest, token = headerToken(raw) ?? cookieToken(raw)): AdminCaller {
  const { socket, httpVersion, url = "", rawHeaders } = raw;
  return { remoteAddress: socket.remoteAddress, httpVersion, target: url, rawHeaders, token };
}

/** Two of them are refused, whatever they hold: what forwarded the request may have read the other. */
function headerToken({ headers, rawHeaders }: IncomingMessage): string | undefined {
  const isRepeated = rawHeaders.filter((name, i) => i % 2 === 0 && name.toLowerCase() === "authorization").length > 1;
  return isRepeated ? NO_TOKEN : bearerOf(headers.authorization);
}

/** Browsers send the cookie with requests of other sites' pages as well: from those it counts only for opening a page here. */
function cookieToken({ headers }: IncomingMessage): string | undefined {
  const site = headers["sec-fetch-site"] ?? "none";
  if (site !== "same-origin" && site !== "none" && headers["sec-fetch-mode"] !== "navigate") return undefined;
  for (const pair of (headers.cookie ?? "").split(";")) {
    const [name, value] = pair.trim().split("=", 2);
    if (name === COOKIE && value) return decodedOrUndefined(value);
  }
  return undefined;
}

function decodedOrUndefined(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** For the browser session only; scripts cannot read it, other sites cannot send it. */
export function tokenCookie(token: string, request: FastifyRequest): string {
  const secure = isEncrypted(request) ? "; Secure" : "";
  return `${COOKIE}=${encodeURIComponent(token)}; Path=/; HttpOnly; SameSite=Strict${secure}`;
}

/** A proxy that ended TLS says so; a false claim only keeps the cookie from its own sender. RFC 7239 §5.4 */
function isEncrypted({ protocol, headers }: FastifyRequest): boolean {
  const [forwarded = ""] = (headers.forwarded ?? "").split(",");
  const [first = ""] = [headers["x-forwarded-proto"] ?? ""].flat().join().split(",");
  return (
    protocol === "https" || /(?:^|;) *proto="?https"?(?:;|$)/i.test(forwarded.trim()) || /^ *https *$/i.test(first)
  );
}

export const FORGET_TOKEN_COOKIE = `${COOKIE}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0`;

/** Refuses with the API's error answer; `undefined` lets the request on. */
export async function refuseUnlessAllowed(
  access: AdminAccess,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply | undefined> {
  if (request.method === "OPTIONS") return undefined; // preflights carry no credentials, and learn only the methods
  const verdict = await access(callerOf(request));
  return verdict === "allowed" ? undefined : sendRefusal(reply, verdict);
}

export function sendRefusal(reply: FastifyReply, verdict: AdminRefusal): FastifyReply {
  if (verdict.status === 403) return sendApiError(reply, "ADMIN_FORBIDDEN", verdict.message);
  return sendApiError(reply.header("www-authenticate", BEARER_CHALLENGE), "ADMIN_UNAUTHORIZED", verdict.message);
}
