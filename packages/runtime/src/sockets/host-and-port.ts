/** `host:port` as people write it. */
import { isIP } from "node:net";
import { isLoopback as isLoopbackAddress } from "./ip-address.ts";

export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

/** Undefined when it is none. IPv6 stands in brackets. */
export function parseAddress(text: string): HostAndPort | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:\s[\]]+)):(\d{1,5})$/.exec(text);
  if (match === null) return undefined;
  const host = (match[1] ?? match[2]) as string;
  const port = Number(match[3]);
  return port > 65_535 || (match[1] !== undefined && isIP(host) !== 6) ? undefined : { host, port };
}

/** Of an address that was checked when it came in. */
export function splitAddress(text: string): HostAndPort {
  return parseAddress(text) ?? { host: "127.0.0.1", port: 0 };
}

export function isLoopback(host: string): boolean {
  return host === "localhost" || isLoopbackAddress(host);
}

/**
 * The one rule of what a member without a secret may stand with, at start, in the member list and at the door: an
 * address of this machine, written as a number or as `localhost`.
 */
export function needsSecret(address: string, secret: Uint8Array | undefined): boolean {
  return (secret === undefined || secret.length === 0) && !isLoopback(splitAddress(address).host);
}

export const NEEDS_SECRET = "members beyond this machine need a secret (--secret-file)";

export function formatAddress({ host, port }: HostAndPort): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** Listens on all addresses, so it names none that others could dial. */
export function isUnspecified(host: string): boolean {
  return host === "0.0.0.0" || host === "::";
}
