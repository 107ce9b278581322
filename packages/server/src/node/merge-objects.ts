/** The copies of shared objects that several nodes report, as one row for each object. */
import type { ObjectCopyRow, ObjectRow, ObjectsAnswer } from "@sluice/client/admin-objects";
import type { ObjectCopyFacts, ObjectList, ObjectQuery } from "../cluster/object-list.ts";

/** What one node answered. */
export interface NodeCopies {
  readonly node: string;
  readonly list: ObjectList;
}

/** Nodes that have further rows behind their last one end the page there, so that nothing is passed over. */
export function mergeObjects(
  answers: readonly NodeCopies[],
  { query, self, silent }: { readonly query: ObjectQuery; readonly self: string; readonly silent: readonly string[] },
): ObjectsAnswer {
  const ends = answers.flatMap(({ list }) => (list.more ? [list.rows.at(-1)?.path ?? query.after] : []));
  const end = ends.length === 0 ? undefined : ends.reduce((a, b) => (a < b ? a : b));
  const byPath = new Map<string, { readonly node: string; readonly facts: ObjectCopyFacts }[]>();
  for (const { node, list } of answers) {
    for (const facts of list.rows) {
      const copies = byPath.get(facts.path) ?? [];
      if (copies.length === 0) byPath.set(facts.path, copies);
      copies.push({ node, facts });
    }
  }
  const paths = [...byPath.keys()].sort().filter((path) => end === undefined || path <= end);
  const page = paths.slice(0, query.limit);
  return {
    objects: page.map((path) => mergeCopies(byPath.get(path) ?? [], self)),
    total: answers.reduce((sum, { list }) => sum + list.homes, 0),
    more: end !== undefined || paths.length > page.length,
    silent: [...silent].sort(),
  };
}

/** @param copies  at least one, all of one path */
export function mergeCopies(
  copies: readonly { readonly node: string; readonly facts: ObjectCopyFacts }[],
  self: string,
): ObjectRow {
  const newest = copies.toSorted((a, b) => rank(b.facts) - rank(a.facts) || b.facts.version - a.facts.version);
  const { facts } = newest[0] as (typeof copies)[number];
  const rows = copyRows(copies, facts);
  return {
    path: facts.path,
    scope: "cluster",
    home: facts.home,
    standby: facts.standby,
    epoch: facts.epoch,
    version: facts.version,
    durability: facts.durability,
    properties: facts.properties,
    bytes: facts.bytes,
    clients: {
      here: copies.find(({ node }) => node === self)?.facts.clients ?? 0,
      all: rows.reduce((sum, { clients }) => sum + clients, 0),
    },
    copies: rows,
    rate: facts.rate,
    lastWriter: facts.lastWriter,
  };
}

/** What the home says of an object counts. */
function rank({ isHome }: ObjectCopyFacts): number {
  return Number(isHome);
}

function copyRows(
  copies: readonly { readonly node: string; readonly facts: ObjectCopyFacts }[],
  { home, standby, elsewhere }: ObjectCopyFacts,
): readonly ObjectCopyRow[] {
  const clients = new Map(Object.entries(elsewhere));
  for (const { node, facts } of copies) clients.set(node, facts.clients);
  for (const node of [home, standby]) if (node !== null && !clients.has(node)) clients.set(node, 0);
  const roleOf = (node: string): ObjectCopyRow["role"] =>
    node === home ? "home" : node === standby ? "standby" : "replica";
  const order = ["home", "standby", "replica"];
  return [...clients]
    .map(([node, count]) => ({ node, role: roleOf(node), clients: count }))
    .sort((a, b) => order.indexOf(a.role) - order.indexOf(b.role) || (a.node < b.node ? -1 : 1));
}
