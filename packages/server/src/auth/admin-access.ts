/** Who may use the admin interface: a token's bearer; without a configured token, a program or page of this machine that plainly speaks for itself. */
import { isSameSecret } from "@sluice/runtime/secret-compare";
import { isLoopback } from "@sluice/runtime/sockets/ip-address";
import { isLoopbackHost, isSameOrigin } from "./web-origin.ts";

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

export type AdminAccess =
  | "allowed"
  /** A token would open; none was shown. */
  | "token-required"
  | "token-wrong"
  /** No token is configured, and the call comes from another machine. */
  | "forbidden"
  /** No token is configured, and the call came through a proxy, or from a page of another site. */
  | "indirect";

/** @param configured  the token of the configuration, which is then needed from everywhere */
export function decideAdminAccess(caller: AdminCaller, configured: string | undefined): AdminAccess {
  if (configured === undefined) return localAccess(caller);
  if (caller.token === undefined) return "token-required";
  return isSameSecret(caller.token, configured) ? "allowed" : "token-wrong";
}

/**
 * A loopback connection alone proves little: a proxy on this machine forwards strangers, and a web page makes its visitor's
 * browser call, under a name of its own that it lets point to 127.0.0.1 or with a foreign Origin. Each leaves signs.
 */
function localAccess(caller: AdminCaller): AdminAccess {
  if (caller.remoteAddress === undefined || !isLoopback(caller.remoteAddress)) return "forbidden";
  const headers = headersOf(caller.rawHeaders);
  return isDirect(caller, headers) && isOfNoForeignPage(headers) ? "allowed" : "indirect";
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
