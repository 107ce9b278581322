/** Keys that the design names and this version cannot serve: refused, unless they say what a single node does anyway. */

/** Path → values (lower case, as text) that change nothing. */
export const LATER_KEYS: ReadonlyMap<string, readonly string[]> = new Map([
  ["node.workers", ["1"]],
  ["engine.strategy", []],
  ["apps.dir", []],
]);
