/** Every configuration key: the one table that parsing, printing, documents and types come from. */
import type { Key, Tree } from "./key.ts";
import { APPLICATION_KEYS, ONE_APPLICATION_KEYS } from "./keys/application-keys.ts";
import { AUTH_KEYS } from "./keys/auth-keys.ts";
import { CLUSTER_KEYS } from "./keys/cluster-keys.ts";
import { DELIVERY_KEYS } from "./keys/delivery-keys.ts";
import { ENGINE_KEYS } from "./keys/engine-keys.ts";
import { LIMIT_KEYS } from "./keys/limit-keys.ts";
import { LISTENER_KEYS } from "./keys/listener-keys.ts";
import { NODE_KEYS } from "./keys/node-keys.ts";

const DECLARED = {
  ...NODE_KEYS,
  ...LISTENER_KEYS,
  ...APPLICATION_KEYS,
  ...DELIVERY_KEYS,
  ...AUTH_KEYS,
  ...CLUSTER_KEYS,
  ...ENGINE_KEYS,
  ...LIMIT_KEYS,
};

export type Values = Tree<typeof DECLARED>;

/** What one application can have of its own. */
export type ApplicationValues = Tree<typeof APPLICATION_KEYS & typeof ONE_APPLICATION_KEYS>;

export const KEYS: ReadonlyMap<string, Key<unknown>> = new Map(
  Object.entries(DECLARED as unknown as Record<string, Key<unknown>>),
);
/** Keys that only an application has, by what follows its name. */
export const ONE_APPLICATION: ReadonlyMap<string, Key<unknown>> = new Map(Object.entries(ONE_APPLICATION_KEYS));
export const PER_APPLICATION: ReadonlySet<string> = new Set([
  ...Object.keys(APPLICATION_KEYS),
  ...ONE_APPLICATION.keys(),
]);

/** `grace.windowMs` → `SLUICE_GRACE_WINDOWMS` */
export const environmentName = (path: string): string => `SLUICE_${path.replaceAll(".", "_").toUpperCase()}`;
