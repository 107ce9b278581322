/** Internet addresses in canonical form: IPv4 even when mapped into IPv6, zones dropped. */
import { isIP, isIPv4 } from "node:net";

/** The eight 16-bit groups of a valid IPv6 address. */
function groupsOf(address: string): number[] {
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  const text = dotted === null ? address : `${dotted[1]}${pair(dotted[2], dotted[3])}:${pair(dotted[4], dotted[5])}`;
  const [head = "", tail] = text.split("::");
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  const middle = tail === undefined ? [] : new Array<string>(8 - left.length - right.length).fill("0");
  return [...left, ...middle, ...right].map((group) => Number.parseInt(group, 16));
}

const pair = (high: string | undefined, low: string | undefined): string =>
  (Number(high) * 256 + Number(low)).toString(16);

/** The form for comparing and showing; `undefined` for anything but an IP address. */
export function normaliseAddress(text: string): string | undefined {
  const address = text.split("%", 1)[0] ?? "";
  const family = isIP(address);
  if (family !== 6) return family === 4 ? address : undefined;
  const groups = groupsOf(address);
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    return groups
      .slice(6)
      .map((group) => `${group >> 8}.${group & 255}`)
      .join(".");
  }
  return groups.map((group) => group.toString(16)).join(":");
}

/** The unit of limits per address: an IPv4 address, or the IPv6 /64 that one customer usually has. */
export function addressGroup(text: string): string {
  const address = normaliseAddress(text);
  if (address === undefined || isIPv4(address)) return address ?? text;
  return `${address.split(":").slice(0, 4).join(":")}::/64`;
}

export function isLoopback(text: string): boolean {
  const address = normaliseAddress(text);
  return address !== undefined && (address === "0:0:0:0:0:0:0:1" || (isIPv4(address) && address.startsWith("127.")));
}
