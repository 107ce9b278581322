/** The address of a peer as people and hooks see it. */
import { isIPv4, type Socket } from "node:net";
import { normaliseAddress } from "@sluice/runtime/sockets/ip-address";

/** IPv4 as such, even where the listener speaks IPv6; IPv6 as short as it came, without zone; empty when it is gone. */
export function peerAddress({ remoteAddress }: Pick<Socket, "remoteAddress">): string {
  if (remoteAddress === undefined) return "";
  const plain = normaliseAddress(remoteAddress);
  return plain !== undefined && isIPv4(plain) ? plain : (remoteAddress.split("%", 1)[0] ?? "");
}
