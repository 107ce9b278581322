// Texts for the states and roles of nodes.
import type { ClusterAdvice } from "@sluice/client/cluster-advice";
import type { EngineRole, NodeState } from "@sluice/client/admin-contract";
import type { ClusterView } from "../live/cluster-view.ts";
import { counted } from "./picture.ts";

export const STATE_MEANINGS: Readonly<Record<NodeState, string>> = {
  starting: "It is coming up",
  ready: "It takes clients",
  draining: "Nothing new begins on it; what runs goes on until it ends",
  suspect: "No node hears it: dead, frozen, or cut off from here",
  left: "It said goodbye: stopped in order, or started again under its id",
  dead: "It was silent until what it owned ran out",
};

export const ENGINE_MEANINGS: Readonly<Record<EngineRole, string>> = {
  leader: "It leads the state engine",
  voter: "It has a replica of the state and votes",
  learner: "It fetches a replica and does not vote yet",
  client: "It uses the state engine of others",
  off: "It has no state engine",
};

/** The state of the cluster in one line. */
export function headline({ nodes }: ClusterView): string {
  const present = nodes.filter(({ state }) => state !== "left" && state !== "dead");
  const leaders = present.filter(({ engine }) => engine === "leader").map(({ id }) => id);
  const linked = present.filter(({ linked: isLinked }) => isLinked).length;
  const parts = [
    counted(present.length, "node"),
    present.length === 1 ? "" : linked === present.length ? "all linked" : `${linked - 1} linked with this one`,
    leaders.length > 1 ? "engines of their own" : leaders.map((id) => `${id} leads the engine`).join(),
  ];
  return parts.filter((part) => part !== "").join(", ");
}

/** Sentences about this node first, then those about the cluster. */
export function adviceFor(advice: readonly ClusterAdvice[], id: string): readonly ClusterAdvice[] {
  return advice.filter(({ nodes }) => nodes.includes(id));
}
