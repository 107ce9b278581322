/** Kinds of lists: comma-separated as text, or a YAML list. */
import { isIP } from "node:net";
import { type Kind, refuse, textOf } from "./kind.ts";

/** @param least  the fewest items that make sense */
export function list<T>(item: Kind<T>, least = 0): Kind<readonly T[]> {
  return {
    accepts: `a list of: ${item.accepts}${least > 0 ? ` (at least ${least})` : ""}`,
    read(raw, base) {
      const items = itemsOf(raw);
      if (items === undefined || items.length < least) return refuse(this);
      const readings = items.map((one) => item.read(one, base));
      const values = readings.flatMap((reading) => ("value" in reading ? [reading.value] : []));
      return values.length === items.length ? { value: Object.freeze(values) } : refuse(this);
    },
    print: (values) => values.map((value) => item.print(value)).join(","),
  };
}

function itemsOf(raw: unknown): readonly unknown[] | undefined {
  if (Array.isArray(raw)) return raw;
  const written = textOf(raw);
  if (written === undefined) return undefined;
  return written === "" ? [] : written.split(",").map((item) => item.trim());
}

/** An IP address, or a network as address and prefix length. */
export const NETWORK: Kind<string> = {
  accepts: "an IP address or a network such as `10.0.0.0/8`, `2001:db8::/32`",
  read(raw) {
    const value = textOf(raw) ?? "";
    const [address = "", prefix, ...rest] = value.split("/");
    const bits = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1;
    const good =
      bits > 0 && rest.length === 0 && (prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= bits));
    return good ? { value } : refuse(this);
  },
  print: (value) => value,
};

/** What a browser sends as Origin; `*` stands for every one. */
export const ORIGIN: Kind<string> = {
  accepts: "`*` or an origin such as `https://example.org`",
  read(raw) {
    const value = textOf(raw) ?? "";
    if (value === "*") return { value };
    const url = URL.parse(value);
    return url !== null && url.origin !== "null" && url.href === `${url.origin}/`
      ? { value: url.origin }
      : refuse(this);
  },
  print: (value) => value,
};
