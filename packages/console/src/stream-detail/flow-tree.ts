// The way of a stream as a tree: from the node with the publisher through relays to every node with viewers.
import type { StreamCopyRow, StreamRow } from "@sluice/client/admin-contract";

export interface FlowNode {
  readonly copy: StreamCopyRow;
  readonly isHome: boolean;
  /** The most watched first. */
  readonly next: readonly FlowNode[];
  /** Behind this node and not drawn. */
  readonly rest: { readonly nodes: number; readonly viewers: number };
}

/** Drawn behind one node; the others are counted. */
export const MOST_DRAWN = 8;

/** @returns the nodes that have it from nobody: the publisher's, and those without a source yet */
export function flowOf({ copies, home }: Pick<StreamRow, "copies" | "home">): readonly FlowNode[] {
  const known = new Map(copies.map((copy) => [copy.node, copy]));
  const behind = new Map<string, StreamCopyRow[]>();
  const roots: StreamCopyRow[] = [];
  for (const copy of copies) {
    // A node on the way that is not listed, as it did not answer, is passed over.
    const before = copy.path.slice(1).find((node) => known.has(node) && node !== copy.node);
    if (before === undefined) roots.push(copy);
    else behind.set(before, [...(behind.get(before) ?? []), copy]);
  }
  const drawn = new Set<string>();
  const draw = (copy: StreamCopyRow): FlowNode => {
    drawn.add(copy.node);
    const next = (behind.get(copy.node) ?? []).filter(({ node }) => !drawn.has(node)).sort(byViewers);
    const rest = next.slice(MOST_DRAWN);
    return {
      copy,
      isHome: copy.node === home,
      next: next.slice(0, MOST_DRAWN).map(draw),
      rest: { nodes: rest.length, viewers: rest.reduce((sum, { viewers }) => sum + (viewers ?? 0), 0) },
    };
  };
  return roots.map(draw);
}

/** What has further nodes behind it comes before what has none. */
function byViewers(a: StreamCopyRow, b: StreamCopyRow): number {
  return (b.viewers ?? 0) - (a.viewers ?? 0) || (a.node < b.node ? -1 : 1);
}
