/** Web pages as their browsers announce them: whether a page is one of this server's own. RFC 6454 */
import { isIP, isIPv4 } from "node:net";
import { isLoopback } from "@sluice/runtime/sockets/ip-address";

/** The page that opened a connection, and what pages of its origin may do. */
export interface WebPage {
  /** As the browser says. */
  readonly origin: string;
  readonly mayPublish: boolean;
  readonly mayPlay: boolean;
}

/** The scheme is the origin's own: a proxy may have ended TLS. */
export function isSameOrigin(origin: string, host: string): boolean {
  const from = URL.parse(origin);
  if (from === null || !/^https?:$/.test(from.protocol)) return false;
  return URL.parse(`${from.protocol}//${host}`)?.origin === from.origin;
}

/**
 * Whether a page could only have come from where it now sends a request to. A page of a foreign name that its owner lets
 * point to this machine (DNS rebinding) has the same Origin and Host; it has no certificate, and no plain address.
 *
 * @param names  hosts that are known to be this server's, with or without port
 */
export function isOwnPage(origin: string, host: string, names: readonly string[]): boolean {
  if (!isSameOrigin(origin, host)) return false;
  const { protocol, hostname, host: withPort } = new URL(origin);
  if (protocol === "https:" || isLoopbackHost(hostname) || isIP(hostname.replace(/^\[|\]$/g, "")) !== 0) return true;
  return names.some((name) => name.toLowerCase() === hostname || name.toLowerCase() === withPort);
}

/** Only the plain forms: `localhost`, `localhost.`, 127.0.0.0/8 in dotted form, `[::1]`, each with or without port. */
export function isLoopbackHost(host: string): boolean {
  const name = /^(\[[0-9a-f:.]+\]|[^:@/[\]\s]+)(?::\d{1,5})?$/i.exec(host)?.[1]?.toLowerCase();
  if (name === undefined) return false;
  if (name === "localhost" || name === "localhost.") return true;
  return name.startsWith("[") ? isLoopback(name.slice(1, -1)) : isIPv4(name) && isLoopback(name);
}
