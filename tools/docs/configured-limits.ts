/** Checks limits set by a configuration key: the key must take its default from the limit, without a second copy. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Finding, refused } from "../house/finding.ts";
import type { KeyDefault, Limit } from "./limit-table.ts";
import type { SourceText } from "./source-text.ts";

interface BuiltKey {
  readonly kind: { read(raw: unknown, base: string): { readonly value?: unknown } };
  readonly fallback: string | undefined;
}

const KEYS_FILE = "packages/server/dist/config/keys.js";
const KEYS_FOLDER = "packages/server/src/config/keys/";

/** By dotted path; empty if the server is not built. */
export async function readKeyDefaults(
  root: string,
  sources: readonly SourceText[],
): Promise<ReadonlyMap<string, KeyDefault>> {
  const file = join(root, KEYS_FILE);
  if (!existsSync(file)) return new Map();
  const { KEYS } = (await import(pathToFileURL(file).href)) as { readonly KEYS: ReadonlyMap<string, BuiltKey> };
  const texts = sources.filter(({ path }) => path.startsWith(KEYS_FOLDER)).map(({ text }) => text);
  return new Map(
    [...KEYS].map(([path, { kind, fallback }]) => {
      const value = fallback === undefined ? undefined : kind.read(fallback, root).value;
      const scale = path.endsWith("Seconds") ? 1_000 : 1;
      const declaration = texts.map((text) => declarationOf(path, text)).join("");
      return [path, { value: typeof value === "number" ? value * scale : value, declaration }];
    }),
  );
}

/** From the key's name to that of the next key. */
function declarationOf(path: string, text: string): string {
  const start = text.indexOf(`\n  "${path}":`);
  if (start < 0) return "";
  const end = text.slice(start + 1).search(/\n {2}"|\n\}/);
  return end < 0 ? text.slice(start) : text.slice(start, start + 1 + end);
}

export function checkConfiguredLimits(
  limits: readonly Limit[],
  keys: ReadonlyMap<string, KeyDefault>,
): readonly Finding[] {
  return limits.flatMap((limit) => {
    const problem = limit.key === undefined ? namelessKey(limit, keys) : problemOf(limit, keys.get(limit.key));
    return problem === undefined ? [] : [refused(limit.path, `${limit.owner}.${limit.field} ${problem}`)];
  });
}

/** A key takes its default from a limit that does not name the key. */
function namelessKey({ field, constant }: Limit, keys: ReadonlyMap<string, KeyDefault>): string | undefined {
  if (constant === undefined) return undefined;
  const users = [...keys].filter(([, { declaration }]) => new RegExp(`\\b${constant}\\.${field}\\b`).test(declaration));
  return users.length === 0 ? undefined : `does not say "Configured by \`${users[0]?.[0]}\`"`;
}

function problemOf({ field, key, value, constant }: Limit, set: KeyDefault | undefined): string | undefined {
  if (set === undefined) return `is configured by \`${key}\`, which is no configuration key`;
  if (constant === undefined || value === undefined) return undefined;
  const [ours, used] = [JSON.stringify(value), JSON.stringify(set.value)];
  if (ours !== used) return `is ${ours} in ${constant}, and the server uses ${used}, the default of \`${key}\``;
  if (set.declaration.includes(`${constant}.${field}`)) return undefined;
  return `has a second default at \`${key}\`: take it from ${constant}.${field}`;
}
