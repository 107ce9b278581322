/** Paths of keys that one application has of its own: `applications.<name>.<key>`. */
import type { Key } from "./key.ts";
import { environmentName, KEYS, ONE_APPLICATION, PER_APPLICATION } from "./keys.ts";

export interface ApplicationPath {
  readonly name: string;
  /** The key it overrides, such as `grace.windowMs`. */
  readonly key: string;
}

const PREFIX = "applications.";

/** An application's name may hold dots; the key at the end decides where it stops. */
export function findApplicationPath(path: string): ApplicationPath | undefined {
  if (!path.startsWith(PREFIX)) return undefined;
  const rest = path.slice(PREFIX.length);
  for (const key of PER_APPLICATION) {
    if (rest.endsWith(`.${key}`) && rest.length > key.length + 1) return { name: rest.slice(0, -key.length - 1), key };
  }
  return undefined;
}

/** The declaration of a key, of the node or of one application. */
export function findKey(path: string): Key<unknown> | undefined {
  const { key = path } = findApplicationPath(path) ?? {};
  return KEYS.get(key) ?? (key === path ? undefined : ONE_APPLICATION.get(key));
}

/** Variables know no case: they reach applications whose name is lower case, `_` included. */
export function findApplicationVariable(variable: string): string | undefined {
  const prefix = environmentName(PREFIX);
  if (!variable.startsWith(prefix)) return undefined;
  const rest = variable.slice(prefix.length);
  for (const key of PER_APPLICATION) {
    const suffix = environmentName(key).slice("SLUICE".length);
    if (rest.endsWith(suffix) && rest.length > suffix.length)
      return `${PREFIX}${rest.slice(0, -suffix.length).toLowerCase()}.${key}`;
  }
  return undefined;
}
