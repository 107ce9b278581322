/** Who may use the admin interface: a token's bearer, or a program on this machine that plainly speaks for itself. */
import { isIPv4 } from "node:net";
import { isSameSecret } from "../crypto/secret-compare.ts";
import { isLoopback } from "./address.ts";

export interface AdminRequest {
  /** As the socket gives it; `undefined` once it is gone. */
  readonly remoteAddress: string | undefined;
  /** Names in lower case, as Node gives them. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** The configured token. */
  readonly token: string | undefined;
  /** A token shown otherwise than by Authorization, where a route allows that. */
  readonly shown?: string | undefined;
}

export type AdminAccess =
  | "allowed"
  /** A token would open; none was shown. */
  | "token-required"
  | "token-wrong"
  /** No token is configured, so that nothing but a local call could open. */
  | "forbidden";

export function decideAdminAccess(request: AdminRequest): AdminAccess {
  if (isPlainlyLocal(request)) return "allowed";
  if (request.token === undefined) return "forbidden";
  const shown = request.shown ?? bearerOf(request.headers["authorization"]);
  if (shown === undefined) return "token-required";
  return isSameSecret(shown, request.token) ? "allowed" : "token-wrong";
}

/** The token of an `Authorization: Bearer` header. */
export function bearerOf(header: string | readonly string[] | undefined): string | undefined {
  return typeof header === "string" ? /^Bearer +([^\s]+) *$/i.exec(header)?.[1] : undefined;
}

/**
 * A loopback connection alone proves little: a proxy on this machine forwards strangers, and a web page that rebinds its
 * name to 127.0.0.1 makes the user's browser call. A proxy tells by its headers, a rebound page by Host, another page by Origin.
 */
function isPlainlyLocal({ remoteAddress, headers }: AdminRequest): boolean {
  if (remoteAddress === undefined || !isLoopback(remoteAddress)) return false;
  const { host, origin } = headers;
  if (typeof host !== "string" || !isLoopbackHost(host)) return false;
  if (Object.keys(headers).some(isForwardingHeader)) return false;
  return origin === undefined || (typeof origin === "string" && isSameOrigin(origin, host));
}

/** The scheme is the origin's own: one port speaks HTTP or HTTPS, never both. */
function isSameOrigin(origin: string, host: string): boolean {
  const from = URL.parse(origin);
  if (from === null || !/^https?:$/.test(from.protocol)) return false;
  return URL.parse(`${from.protocol}//${host}`)?.origin === from.origin;
}

/** Only the plain forms: `localhost`, `localhost.`, 127.0.0.0/8 in dotted form, `[::1]`, each with or without port. */
function isLoopbackHost(host: string): boolean {
  const name = /^(\[[0-9a-f:.]+\]|[^:@/[\]\s]+)(?::\d{1,5})?$/i.exec(host)?.[1]?.toLowerCase();
  if (name === undefined) return false;
  if (name === "localhost" || name === "localhost.") return true;
  return name.startsWith("[") ? isLoopback(name.slice(1, -1)) : isIPv4(name) && isLoopback(name);
}

const FORWARDING = new Set([
  "forwarded",
  "via",
  "x-real-ip",
  "x-client-ip",
  "x-cluster-client-ip",
  "x-original-host",
  "true-client-ip",
  "cf-connecting-ip",
  "fastly-client-ip",
]);

const isForwardingHeader = (name: string): boolean =>
  name.startsWith("x-forwarded") || name.startsWith("x-envoy-") || FORWARDING.has(name);
