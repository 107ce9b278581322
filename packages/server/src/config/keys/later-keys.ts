/** Keys that the design names and this version cannot serve: refused, unless they say what a single node does anyway. */

/** Path → values (lower case, as text) that change nothing. */
export const LATER_KEYS: ReadonlyMap<string, readonly string[]> = new Map([
  ["node.roles", ["origin,edge", "edge,origin"]],
  ["node.workers", ["1"]],
  ["node.public.ws", []],
  ["node.public.cluster", []],
  ["cluster.host", []],
  ["cluster.port", []],
  ["cluster.seeds", [""]],
  ["cluster.secret", []],
  ["cluster.voters", []],
  ["cluster.bootstrap", ["false"]],
  ["engine.strategy", []],
  ["apps.dir", []],
]);
