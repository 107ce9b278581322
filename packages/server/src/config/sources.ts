/** Gathers what was written, before anybody asks what it means: from the file, the environment, and `--set`. */
import { parseDocument } from "yaml";
import type { Problem } from "./config-error.ts";
import { findNearest } from "./suggest.ts";

export type SourceName = "default" | "file" | "env" | "set";

/** One value as written. */
export interface Written {
  readonly path: string;
  readonly raw: unknown;
  readonly source: SourceName;
  /** For messages: `sluice.yaml`, `SLUICE_RTMP_PORT`, `--set`. */
  readonly where: string;
  /** Folder that relative paths start from. */
  readonly base: string;
}

export interface Gathered {
  readonly written: readonly Written[];
  readonly problems: readonly Problem[];
}

/** @param place  the file's name for messages, and its folder */
export function gatherYaml(text: string, place: { readonly where: string; readonly base: string }): Gathered {
  const document = parseDocument(text, { prettyErrors: true, uniqueKeys: true });
  const faults = [...document.errors, ...document.warnings];
  if (faults.length > 0) {
    return {
      written: [],
      problems: faults.map((fault) => ({ path: "", where: place.where, message: firstLine(fault.message) })),
    };
  }
  const root: unknown = toPlain(document);
  if (root === null) return { written: [], problems: [] };
  if (!isMap(root))
    return { written: [], problems: [{ path: "", where: place.where, message: "must be a map of keys" }] };
  return { written: flatten(root, "").map(([path, raw]) => ({ path, raw, source: "file", ...place })), problems: [] };
}

/** Aliases are bounded, so that a small file cannot unfold into a huge one. */
function toPlain(document: ReturnType<typeof parseDocument>): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    return [error];
  }
}

const firstLine = (message: string): string => message.split("\n", 1)[0]?.replace(/:$/, "") ?? message;

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A group without members says nothing; it often remains when all its keys are commented out. */
function flatten(map: Record<string, unknown>, prefix: string): [string, unknown][] {
  return Object.entries(map).flatMap(([name, value]): [string, unknown][] =>
    isMap(value) ? flatten(value, `${prefix}${name}.`) : [[`${prefix}${name}`, value]],
  );
}

/** Variables that are about starting, or set by a container scheduler for a service called sluice. */
const FOREIGN = /^SLUICE_(CONFIG|INSTANCE|PORT|PORT_\d+_.*|SERVICE_.*)$/;

/** @param pathOf  finds the key that a variable names */
export function gatherEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  names: { readonly pathOf: (variable: string) => string | undefined; readonly known: () => Iterable<string> },
  base: string,
): Gathered {
  const written: Written[] = [];
  const problems: Problem[] = [];
  for (const [variable, raw] of Object.entries(environment)) {
    if (raw === undefined || !variable.startsWith("SLUICE_") || FOREIGN.test(variable)) continue;
    const path = names.pathOf(variable);
    if (path !== undefined) written.push({ path, raw, source: "env", where: variable, base });
    else problems.push({ path: variable, where: "environment", message: unknownName(variable, names.known()) });
  }
  return { written, problems };
}

export function unknownName(name: string, known: Iterable<string>): string {
  const nearest = findNearest(name, known);
  return nearest === undefined ? "is no known key" : `is no known key; did you mean ${nearest}?`;
}

/** @param sets  texts such as `rtmp.port=1936`; a later one wins */
export function gatherSets(sets: readonly string[], base: string): Gathered {
  const written: Written[] = [];
  const problems: Problem[] = [];
  for (const text of sets) {
    const at = text.indexOf("=");
    if (at > 0)
      written.push({ path: text.slice(0, at).trim(), raw: text.slice(at + 1), source: "set", where: "--set", base });
    else problems.push({ path: text, where: "--set", message: "must have the form key=value" });
  }
  return { written, problems };
}
