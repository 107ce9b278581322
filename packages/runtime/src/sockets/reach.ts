/** Interfaces and addresses at which a bound address can be reached. */
import { isIPv4 } from "node:net";
import type { networkInterfaces } from "node:os";
import { isLoopback } from "./ip-address.ts";

export type Interfaces = ReturnType<typeof networkInterfaces>;

/** `host:port` as bound → its host, without brackets. */
export function hostOf(bound: string): string {
  return bound.slice(0, bound.lastIndexOf(":")).replace(/^\[(.*)\]$/, "$1");
}

/** `eth0 192.0.2.5` for each interface beyond loopback on which the address listens; none for a loopback address. */
export function interfacesOf(host: string, interfaces: Interfaces): readonly string[] {
  if (isLoopback(host)) return [];
  const all = Object.entries(interfaces).flatMap(([name, addresses]) =>
    (addresses ?? []).filter(({ internal }) => !internal).map(({ address }) => ({ name, address })),
  );
  const own = isUnspecified(host)
    ? all.filter(({ address }) => host === "::" || isIPv4(address))
    : all.filter(({ address }) => address === host);
  return own.length > 0 ? own.map(({ name, address }) => `${name} ${address}`) : [host];
}

/** An address of this machine for a URL: the bound one, or the first that is not loopback. */
export function shownHost(host: string, interfaces: Interfaces): string {
  if (!isUnspecified(host)) return host.includes(":") ? `[${host}]` : host;
  const all = Object.values(interfaces).flatMap((addresses) => addresses ?? []);
  return all.find(({ internal, address }) => !internal && isIPv4(address))?.address ?? "localhost";
}

function isUnspecified(host: string): boolean {
  return host === "0.0.0.0" || host === "::";
}
