// The state of a node as a word with a dot.
import type { NodeState } from "@sluice/client/admin-contract";
import { STATE_MEANINGS } from "./cluster-words.ts";

const TONES: Readonly<Record<NodeState, string>> = {
  starting: "waiting",
  ready: "live",
  draining: "grace",
  suspect: "grace",
  left: "absent",
  dead: "bad",
};

export function NodeBadge({ state }: { readonly state: NodeState }) {
  return (
    <span class={`badge badge-${TONES[state]}`} title={STATE_MEANINGS[state]}>
      <span class="badge-dot" />
      {state}
    </span>
  );
}
