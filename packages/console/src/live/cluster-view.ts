// The view of a cluster, and how one event changes it before the next poll.
import type { EngineAnswer, LinkRow, NodeRow, NodesAnswer, NodeState } from "@sluice/client/admin-contract";
import type { Rated } from "./byte-rates.ts";
import type { TimelineEvent } from "./timeline.ts";

export type RatedLink = Rated<LinkRow>;

export interface ClusterView extends NodesAnswer {
  /** The links of the answering node. */
  readonly links: readonly RatedLink[];
  readonly engine: EngineAnswer;
}

export type ClusterEvent = Extract<TimelineEvent, { readonly type: `node-${string}` | `link-${string}` }>;

export function isClusterEvent(event: TimelineEvent): event is ClusterEvent {
  return event.type.startsWith("node-") || event.type.startsWith("link-");
}

export function changedBy(view: ClusterView, event: ClusterEvent): ClusterView {
  switch (event.type) {
    case "node-joined":
      return view; // its row is not known yet, or newer than the event
    case "node-suspect":
      return withState(view, event, "suspect");
    case "node-back":
      return withState(view, event, "ready");
    case "node-left":
      return withState(view, event, "left");
    case "node-dead":
      return withState(view, event, "dead");
    case "link-up":
      return { ...view, nodes: withNode(view.nodes, event.peer, { linked: true }) };
    case "link-down":
      return {
        ...view,
        nodes: withNode(view.nodes, event.peer, { linked: false }),
        links: view.links.filter(({ peer }) => peer !== event.peer),
      };
  }
}

/** Ignores events of an earlier incarnation. */
function withState(
  view: ClusterView,
  { id, incarnation }: { readonly id: string; readonly incarnation: number },
  state: NodeState,
): ClusterView {
  const known = view.nodes.find((row) => row.id === id);
  if (known === undefined || known.incarnation !== incarnation) return view;
  return { ...view, nodes: withNode(view.nodes, id, { state }) };
}

function withNode(nodes: readonly NodeRow[], id: string, change: Partial<NodeRow>): readonly NodeRow[] {
  return nodes.map((row) => (row.id === id && !row.self ? { ...row, ...change } : row));
}
