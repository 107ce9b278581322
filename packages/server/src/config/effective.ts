/** The effective configuration as text: YAML that can be used again, secrets masked, each value with its source. */
import { stringify } from "yaml";
import { findKey } from "./application-paths.ts";
import type { Entry, SluiceConfig } from "./load-config.ts";

export function printEffective(config: SluiceConfig): string {
  const lines = config.entries.map(lineOf);
  const width = Math.min(60, Math.max(...lines.map(({ setting }) => setting.length)));
  return lines.map(({ setting, source }) => `${setting.padEnd(width)}  # ${source}\n`).join("");
}

function lineOf({ path, value, source, where }: Entry): { readonly setting: string; readonly source: string } {
  const key = findKey(path);
  if (key === undefined) throw new TypeError(`Cannot print ${path}: no such key`);
  const from = source === "env" ? `environment ${where}` : where;
  if (value === undefined) return { setting: `# ${path}: (none)`, source: from };
  if (key.secret) return { setting: `# ${path}: (secret)`, source: from };
  const text = key.kind.print(value);
  const shown = key.kind.shown?.(value) ?? text;
  if (shown !== text) return { setting: `# ${path}: ${scalar(shown)} (partly hidden)`, source: from };
  const isBare = typeof value === "boolean" || (typeof value === "number" && String(value) === text);
  return { setting: `${scalar(path)}: ${isBare ? text : scalar(text)}`, source: from };
}

/** One line, quoted where YAML needs it. */
const scalar = (text: string): string =>
  stringify(text, { lineWidth: 0, defaultStringType: "PLAIN", blockQuote: false }).trimEnd();
