/** Makes docs/limits.md from the exported `…Limits` interfaces: each field, its words and its default. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Finding, refused } from "../house/finding.ts";
import { cell, commentBefore } from "./doc-comment.ts";
import type { SourceText } from "./source-text.ts";

const INTERFACE = /^export interface (\w*Limits)\b[^{]*\{\n([^]*?)^\}/gm;
const FIELD = /^ {2}readonly (\w+)\??: [^;\n]+;/gm;

export interface Limit {
  readonly owner: string;
  readonly field: string;
  readonly meaning: string;
  /** As text for people; empty when nothing says it. */
  readonly standard: string;
  readonly room: string;
  readonly path: string;
}

/** Defaults come from the built file, so that a sum in the source is shown as its value. */
export async function readLimits(root: string, sources: readonly SourceText[]): Promise<Limit[]> {
  const limits: Limit[] = [];
  for (const source of sources.filter(({ text }) => text.search(INTERFACE) >= 0)) {
    const built = await loadBuilt(root, source.path);
    for (const match of source.text.matchAll(INTERFACE)) {
      limits.push(
        ...readInterface(
          source,
          match[1] as string,
          match[2] as string,
          defaultsOf(source.text, match[1] as string, built),
        ),
      );
    }
  }
  return limits;
}

function readInterface(
  source: SourceText,
  owner: string,
  body: string,
  defaults: Readonly<Record<string, unknown>>,
): Limit[] {
  return [...body.matchAll(FIELD)].map((match) => {
    const field = match[1] as string;
    const meaning = commentBefore(body, match.index) ?? "";
    return { owner, field, meaning, standard: describe(field, defaults[field]), room: source.room, path: source.path };
  });
}

async function loadBuilt(root: string, path: string): Promise<Readonly<Record<string, unknown>>> {
  const file = join(root, path.replace("/src/", "/dist/").replace(/\.tsx?$/, ".js"));
  return existsSync(file) ? ((await import(pathToFileURL(file).href)) as Record<string, unknown>) : {};
}

/** The first exported constant of that type, with or without DEFAULT in its name. */
function defaultsOf(
  text: string,
  owner: string,
  built: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const name = new RegExp(`^export const (\\w+)\\s*:\\s*${owner}\\b`, "m").exec(text)?.[1];
  const value = name === undefined ? undefined : built[name];
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
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
  return `# Limits\n\nMade from the source by \`npm run docs:fix\`; do not edit. Each is a ceiling on memory or work; configuration may move some of them (see config.md).\n\n${sections.join("\n")}`;
}
