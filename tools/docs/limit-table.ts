/** Generates docs/limits.md from the exported `…Limits` interfaces: each field, its comment and its default. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Finding, refused } from "../house/finding.ts";
import { cell, commentBefore } from "./doc-comment.ts";
import type { SourceText } from "./source-text.ts";

const INTERFACE = /^export interface (\w*Limits)\b[^{]*\{\n([^]*?)^\}/gm;
/** How the comment of a limit names its configuration key. */
const CONFIGURED = /\bConfigured by `([\w.]+)`/;
const FIELD = /^ {2}readonly (\w+)\??: [^;\n]+;/gm;

/** The default of a configuration key. */
export interface KeyDefault {
  /** In the limit's unit: milliseconds, bytes, a count. */
  readonly value: unknown;
  /** Its declaration, as source text. */
  readonly declaration: string;
}

export interface Limit {
  readonly owner: string;
  readonly field: string;
  readonly meaning: string;
  /** Text for people; empty without a default. */
  readonly standard: string;
  /** Value of the constant; `undefined` without one. */
  readonly value: unknown;
  /** Name of the constant with the defaults of its interface. */
  readonly constant: string | undefined;
  /** The configuration key that sets it. */
  readonly key: string | undefined;
  readonly room: string;
  readonly path: string;
}

/** Defaults come from the built file, so that a computed value is shown as a number; else from the key. */
export async function readLimits(
  root: string,
  sources: readonly SourceText[],
  keys: ReadonlyMap<string, KeyDefault> = new Map(),
): Promise<Limit[]> {
  const limits: Limit[] = [];
  for (const source of sources.filter(({ text }) => text.search(INTERFACE) >= 0)) {
    const built = await loadBuilt(root, source.path);
    for (const match of source.text.matchAll(INTERFACE)) {
      const [, owner, body] = match as unknown as [string, string, string];
      limits.push(...readInterface(source, { owner, body, ...defaultsOf(source.text, owner, built) }, keys));
    }
  }
  return limits;
}

interface Defaults {
  readonly constant: string | undefined;
  readonly values: Readonly<Record<string, unknown>>;
}

function readInterface(
  { room, path }: SourceText,
  found: Defaults & { readonly owner: string; readonly body: string },
  keys: ReadonlyMap<string, KeyDefault>,
): Limit[] {
  const { owner, body, constant, values } = found;
  return [...body.matchAll(FIELD)].map((match) => {
    const field = match[1] as string;
    const meaning = commentBefore(body, match.index) ?? "";
    const key = CONFIGURED.exec(meaning)?.[1];
    const value = values[field];
    const standard = describe(field, value ?? keys.get(key ?? "")?.value);
    return { owner, field, meaning, standard, value, constant, key, room, path };
  });
}

async function loadBuilt(root: string, path: string): Promise<Readonly<Record<string, unknown>>> {
  const file = join(root, path.replace("/src/", "/dist/").replace(/\.tsx?$/, ".js"));
  return existsSync(file) ? ((await import(pathToFileURL(file).href)) as Record<string, unknown>) : {};
}

/** The first exported constant of that type, with or without DEFAULT in its name. */
function defaultsOf(text: string, owner: string, built: Readonly<Record<string, unknown>>): Defaults {
  const constant = new RegExp(`^export const (\\w+)\\s*:\\s*${owner}\\b`, "m").exec(text)?.[1];
  const value = constant === undefined ? undefined : built[constant];
  return { constant, values: typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {} };
}

function describe(field: string, value: unknown): string {
  if (typeof value !== "number") return value === undefined ? "" : JSON.stringify(value);
  const text = value.toLocaleString("en-US");
  if (/bytes$/i.test(field)) {
    if (value > 0 && value % 2 ** 20 === 0) return `${value / 2 ** 20} MiB`;
    if (value > 0 && value % 2 ** 10 === 0) return `${value / 2 ** 10} KiB`;
    return text;
  }
  return /(millis|duration|timeout|age|delay|time|window|interval)$/i.test(field) ? `${text} ms` : text;
}

export function checkLimits(limits: readonly Limit[]): Finding[] {
  return limits.flatMap(({ owner, field, meaning, path }) =>
    meaning === "" ? [refused(path, `${owner}.${field} has no doc comment: say what it bounds`)] : [],
  );
}

export function renderLimits(limits: readonly Limit[]): string {
  const owners = [...new Set(limits.map(({ room, owner }) => `${room}: ${owner}`))];
  const sections = owners.map((title) => {
    const rows = limits.filter(({ room, owner }) => `${room}: ${owner}` === title);
    const table = rows.map(({ field, standard, meaning }) => `| \`${field}\` | ${standard} | ${cell(meaning)} |`);
    return `## ${title}\n\n| limit | default | what it bounds |\n| --- | --- | --- |\n${table.join("\n")}\n`;
  });
  return `# Limits\n\nMade from the source by \`npm run docs:fix\`; do not edit. Each is a ceiling on memory or work; where a configuration key sets it, the default is the key's (see config.md).\n\n${sections.join("\n")}`;
}
