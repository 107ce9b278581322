/** The address at which other nodes can dial this one. */
import { isIPv4 } from "node:net";
import {
  formatAddress,
  isLoopback,
  isUnspecified,
  parseAddress,
  splitAddress,
} from "@sluice/runtime/sockets/host-and-port";
import type { Interfaces } from "@sluice/runtime/sockets/reach";

export interface AdvertisedFrom {
  /** `host:port` as configured for others. */
  readonly configured: string | undefined;
  /** `host:port` as bound; undefined without a listener. */
  readonly bound: string | undefined;
  /** Whether a seed is on another machine. */
  readonly hasFarSeed: boolean;
  readonly interfaces: Interfaces;
}

/** An address of a listener for others: if bound to all addresses, with `host`, without brackets. */
export function reachableAt(address: string, host: string): string {
  const bound = parseAddress(address);
  return bound !== undefined && isUnspecified(bound.host) ? formatAddress({ host, port: bound.port }) : address;
}

/** `onlyDials`: why others cannot dial it. */
export type Advertised = { readonly address: string } | { readonly onlyDials: string };

export function advertisedAddress({ configured, bound, hasFarSeed, interfaces }: AdvertisedFrom): Advertised {
  if (configured !== undefined) return { address: configured };
  if (bound === undefined) return { onlyDials: "it has no port for other nodes" };
  const { host, port } = splitAddress(bound);
  if (isLoopback(host) && hasFarSeed)
    return { onlyDials: "cluster.host is this machine alone, and seeds are beyond it" };
  if (!isUnspecified(host)) return { address: bound };
  const own = Object.values(interfaces)
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, address }) => !internal && isIPv4(address));
  const [first, second] = own;
  if (first === undefined)
    return hasFarSeed ? { onlyDials: "this machine has no address" } : { address: `127.0.0.1:${port}` };
  if (second !== undefined) {
    return {
      onlyDials: `cluster.host is all addresses, of which there are ${own.length}: set node.public.cluster to one`,
    };
  }
  return { address: formatAddress({ host: first.address, port }) };
}
