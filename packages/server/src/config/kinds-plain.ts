/** Kinds of plain values: texts, numbers, choices, ports, files, addresses of services. */
import { resolve } from "node:path";
import { type Kind, refuse, textOf } from "./kind.ts";
import { shownUrl } from "./shown-url.ts";

interface TextRule {
  readonly accepts: string;
  readonly pattern: RegExp;
}

/** Text that matches a pattern as a whole. */
export function text(rule: TextRule): Kind<string> {
  return {
    accepts: rule.accepts,
    read(raw) {
      const value = textOf(raw);
      return value !== undefined && rule.pattern.test(value) ? { value } : refuse(this);
    },
    print: (value) => value,
  };
}

export function integer(range: { readonly min: number; readonly max: number }): Kind<number> {
  return {
    accepts: `a whole number, ${range.min} to ${range.max}`,
    read(raw) {
      const written = textOf(raw);
      const value = written !== undefined && /^\d+$/.test(written) ? Number(written) : Number.NaN;
      return value >= range.min && value <= range.max ? { value } : refuse(this);
    },
    print: String,
  };
}

export function choice<const T extends string>(...values: readonly T[]): Kind<T> {
  return {
    accepts: values.map((value) => `\`${value}\``).join(" or "),
    read(raw) {
      const value = values.find((candidate) => candidate === textOf(raw)?.toLowerCase());
      return value === undefined ? refuse(this) : { value };
    },
    print: (value) => value,
  };
}

const FLAGS: Readonly<Record<string, boolean>> = {
  true: true,
  yes: true,
  on: true,
  false: false,
  no: false,
  off: false,
};

export const FLAG: Kind<boolean> = {
  accepts: "`true` or `false`",
  read(raw) {
    const value = FLAGS[textOf(raw)?.toLowerCase() ?? ""];
    return value === undefined ? refuse(this) : { value };
  },
  print: String,
};

/** 0 asks the operating system for any free one. */
export const PORT: Kind<number> = {
  ...integer({ min: 0, max: 65_535 }),
  accepts: "a port, 0 to 65535 (0: any free one)",
};

/** A word that stands beside the values of a kind, such as `off` beside a port. */
export function wordOr<const W extends string, T>(word: W, kind: Kind<T>): Kind<W | T> {
  return {
    accepts: `\`${word}\` or ${kind.accepts}`,
    read(raw, base) {
      const written = raw === false ? "off" : textOf(raw)?.toLowerCase();
      if (written === word) return { value: word };
      const reading = kind.read(raw, base);
      return "problem" in reading ? refuse(this) : reading;
    },
    print: (value) => (value === word ? word : kind.print(value as T)),
  };
}

/** The same kind, where leaving the key out means that there is no value. */
export function optional<T>(kind: Kind<T>): Kind<T | undefined> {
  return {
    accepts: kind.accepts,
    read: (raw, base) => (raw === undefined ? { value: undefined } : kind.read(raw, base)),
    print: (value) => (value === undefined ? "" : kind.print(value)),
    ...(kind.shown && { shown: (value: T | undefined) => (value === undefined ? "" : (kind.shown?.(value) ?? "")) }),
  };
}

/** Absolute once read: relative to the configuration file that names it, else to the working folder. */
export const PATH: Kind<string> = {
  accepts: "a path",
  read(raw, base) {
    const written = textOf(raw);
    return written === undefined || written === "" ? refuse(this) : { value: resolve(base, written) };
  },
  print: (value) => value,
};

/** Credentials belong into a key of their own: fetch refuses them inside a URL. Programs that want one there get it, unshown. */
export const HTTP_URL: Kind<string> = {
  accepts: "an `http://` or `https://` URL without user and password",
  read(raw) {
    const url = URL.parse(textOf(raw) ?? "");
    if (url === null || !/^https?:$/.test(url.protocol) || url.username !== "" || url.password !== "")
      return refuse(this);
    return { value: url.href };
  },
  print: (value) => value,
  shown: shownUrl,
};
