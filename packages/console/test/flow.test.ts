// The way of a stream before it is drawn: a tree from rows, with nodes that are silent, wait or are too many.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { StreamCopyRow } from "@sluice/client/admin-contract";
import { type FlowNode, flowOf, MOST_DRAWN } from "../src/stream-detail/flow-tree.ts";
import { copyRow } from "./fake-rows.ts";

/** `a(b(c),d)` */
function shape(nodes: readonly FlowNode[]): string {
  return nodes.map(({ copy, next }) => copy.node + (next.length > 0 ? `(${shape(next)})` : "")).join();
}

const flow = (...copies: readonly StreamCopyRow[]): readonly FlowNode[] => flowOf({ copies, home: "b" });

test("[CON428] the way leads from the publisher's node over home and relays to the edges, the most watched first", () => {
  const edges = [copyRow(["d", "c", "b", "a"], { viewers: 1 }), copyRow(["e", "c", "b", "a"], { viewers: 9 })];
  const roots = flow(copyRow(["a"]), copyRow(["b", "a"]), copyRow(["c", "b", "a"]), ...edges);
  assert.equal(shape(roots), "a(b(c(e,d)))");
  assert.deepEqual([roots[0]?.isHome, roots[0]?.next[0]?.isHome], [false, true]);
});

test("[CON428] a node on the way that did not answer is passed over; one without a source stands for itself", () => {
  const roots = flow(copyRow(["a"]), copyRow(["d", "silent", "a"]), { ...copyRow(["w"]), path: [] });
  assert.equal(shape(roots), "a(d),w");
  assert.equal(shape(flow(copyRow(["a", "b"]), copyRow(["b", "a"]))), "", "what goes round has no beginning");
});

test("[CON428] of many nodes behind one the most watched are drawn, the rest is counted", () => {
  const edges = Array.from({ length: MOST_DRAWN + 5 }, (_, i) => copyRow([`e${i}`, "a"], { viewers: i }));
  const [root] = flow(copyRow(["a"]), ...edges);
  assert.equal(root?.next.length, MOST_DRAWN);
  assert.equal(root.next[0]?.copy.viewers, MOST_DRAWN + 4);
  assert.deepEqual(root.rest, { nodes: 5, viewers: 0 + 1 + 2 + 3 + 4 });
});
