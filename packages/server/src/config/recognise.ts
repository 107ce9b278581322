/** Tells keys of this version from those of a later one, those of an application, and mistakes. */
import { findApplicationPath, findApplicationVariable } from "./application-paths.ts";
import type { Problem } from "./config-error.ts";
import { environmentName, KEYS, PER_APPLICATION } from "./keys.ts";
import { textOf } from "./kind.ts";
import { unknownName, type Written } from "./sources.ts";

/**
 * Keys of the design that this version does not support yet: path → values (lower case, as text) that are accepted
 * because they mean what a single node does anyway.
 */
export const LATER_KEYS: ReadonlyMap<string, readonly string[]> = new Map([
  ["node.workers", ["1"]],
  ["engine.strategy", []],
  ["apps.dir", []],
]);

/** The key that an environment variable names. */
export function findVariablePath(variable: string): string | undefined {
  for (const path of KEYS.keys()) if (environmentName(path) === variable) return path;
  for (const path of LATER_KEYS.keys()) if (environmentName(path) === variable) return path;
  return findApplicationVariable(variable);
}

/** Drops what is unknown, belongs to a later version or says nothing, with a problem where that misleads. */
export function isUsable({ path, raw, where }: Written, problems: Problem[]): boolean {
  const harmless = LATER_KEYS.get(path);
  if (harmless !== undefined) {
    const text = Array.isArray(raw) ? raw.join(",") : textOf(raw);
    if (!harmless.includes(text?.toLowerCase() ?? ""))
      problems.push({ path, where, message: "is not available in this version" });
    return false;
  }
  if (KEYS.has(path) || findApplicationPath(path) !== undefined) return true;
  if (raw === null && isGroup(path)) return false;
  const [, name = "", key = ""] = /^applications\.([^.]+)\.(.+)$/.exec(path) ?? [];
  const known = name === "" ? KEYS.keys() : [...PER_APPLICATION].map((one) => `applications.${name}.${one}`);
  const message = KEYS.has(key)
    ? "cannot be set for one application"
    : isGroup(path)
      ? "is a group of keys, not a key"
      : unknownName(path, known);
  problems.push({ path, where, message });
  return false;
}

function isGroup(path: string): boolean {
  if (/^applications(\.[^.]+)?$/.test(path)) return true;
  const inner = path.replace(/^applications\.[^.]+\./, "");
  return [...KEYS.keys(), ...LATER_KEYS.keys()].some((key) => key.startsWith(`${inner}.`));
}
