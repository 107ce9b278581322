/** Networks of both address families, and whether an address is in one of them. */
import { BlockList, isIPv4 } from "node:net";
import { normaliseAddress } from "./ip-address.ts";

/** A set of networks of both families. */
export class NetworkSet {
  readonly #list = new BlockList();
  readonly isEmpty: boolean;

  constructor(networks: readonly string[]) {
    this.isEmpty = networks.length === 0;
    for (const network of networks) this.#add(network);
  }

  #add(network: string): void {
    const [text = "", prefix] = network.split("/");
    const address = normaliseAddress(text) ?? text;
    const isMapped = text.includes(":") && isIPv4(address);
    const family = isIPv4(address) ? "ipv4" : "ipv6";
    const bits = family === "ipv4" ? 32 : 128;
    this.#list.addSubnet(
      address,
      prefix === undefined ? bits : Math.max(0, Number(prefix) - (isMapped ? 96 : 0)),
      family,
    );
  }

  /** False for text that is not an IP address. */
  has(text: string): boolean {
    const address = normaliseAddress(text);
    return address !== undefined && this.#list.check(address, isIPv4(address) ? "ipv4" : "ipv6");
  }
}
