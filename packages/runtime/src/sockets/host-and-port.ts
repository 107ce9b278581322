/** Parses and prints `host:port`. */
import { isIP } from "node:net";
import { isLoopback as isLoopbackAddress } from "./ip-address.ts";

export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

/** Undefined for invalid text. IPv6 needs brackets. */
export function parseAddress(text: string): HostAndPort | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:\s[\]]+)):(\d{1,5})$/.exec(text);
  if (match === null) return undefined;
  const host = (match[1] ?? match[2]) as string;
  const port = Number(match[3]);
  return port > 65_535 || (match[1] !== undefined && isIP(host) !== 6) ? undefined : { host, port };
}

/** For an address that was validated before. */
export function splitAddress(text: string): HostAndPort {
  return parseAddress(text) ?? { host: "127.0.0.1", port: 0 };
}

export function isLoopback(host: string): boolean {
  return host === "localhost" || isLoopbackAddress(host);
}

/**
 * The one rule for members without a secret, applied at start, in the member list and on accept: their address must be
 * on this machine, written as a number or as `localhost`.
 */
export function needsSecret(address: string, secret: Uint8Array | undefined): boolean {
  return (secret === undefined || secret.length === 0) && !isLoopback(splitAddress(address).host);
}

export const NEEDS_SECRET = "members on other machines need a secret (--secret-file)";

export function formatAddress({ host, port }: HostAndPort): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** Listens on all addresses, so it is no address that others can dial. */
export function isUnspecified(host: string): boolean {
  return host === "0.0.0.0" || host === "::";
}
