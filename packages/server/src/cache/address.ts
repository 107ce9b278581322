/** `host:port` as people write it. */
import { isIP } from "node:net";

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
  return host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host) || host.startsWith("::ffff:127.");
}

export function formatAddress({ host, port }: HostAndPort): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** Listens on all addresses, so it names none that others could dial. */
export function isUnspecified(host: string): boolean {
  return host === "0.0.0.0" || host === "::";
}
