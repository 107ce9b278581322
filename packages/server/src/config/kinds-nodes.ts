/** Kinds of values about other nodes: their ids, roles, and how they are named as seeds. */
import { formatAddress, type HostAndPort, parseAddress } from "@sluice/runtime/sockets/host-and-port";
import { type Kind, refuse, textOf } from "./kind.ts";
import { text } from "./kinds-plain.ts";

export const NODE_ID = text({ accepts: "1 to 64 letters, digits, `.`, `_`, `-`", pattern: /^[A-Za-z0-9._-]{1,64}$/ });

/** One node that is dialled at start, and what the operator says about it. */
export interface Seed extends HostAndPort {
  /** By name; applications of this node see them, nobody else does. */
  readonly properties: Readonly<Record<string, string>>;
}

const MOST_PROPERTIES = 32;

export const SEED: Kind<Seed> = {
  accepts: "`host:port` or `host:port?key=value&key=value`",
  read(raw) {
    const [, where = "", query = ""] = /^([^?]*)(?:\?(.*))?$/s.exec(textOf(raw) ?? "") ?? [];
    const address = parseAddress(where);
    const properties = propertiesOf(query);
    if (address === undefined || address.port === 0 || properties === undefined) return refuse(this);
    return { value: Object.freeze({ ...address, properties }) };
  },
  print(seed) {
    const query = Object.entries(seed.properties).map((pair) => pair.map(encodeURIComponent).join("="));
    return `${formatAddress(seed)}${query.length > 0 ? `?${query.join("&")}` : ""}`;
  },
};

/** `undefined` where a name is missing or comes twice. */
function propertiesOf(query: string): Readonly<Record<string, string>> | undefined {
  const pairs = [...new URLSearchParams(query)];
  const names = new Set(pairs.map(([name]) => name));
  if (names.size !== pairs.length || names.has("") || pairs.length > MOST_PROPERTIES) return undefined;
  return Object.freeze(Object.fromEntries(pairs));
}
