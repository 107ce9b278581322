// The state of a stream as a word with a dot.
import type { StreamState } from "@sluice/client/admin-contract";
import { stateName } from "../format/codecs.ts";

const MEANINGS: Readonly<Record<StreamState | "absent", string>> = {
  live: "A publisher feeds this stream",
  grace: "The publisher is gone and may return",
  waiting: "Viewers wait for a publisher",
  absent: "Nobody publishes or plays this stream",
};

export function StateBadge({ state }: { readonly state: StreamState | undefined }) {
  return (
    <span class={`badge badge-${state ?? "absent"}`} title={MEANINGS[state ?? "absent"]}>
      <span class="badge-dot" />
      {state ? stateName(state) : "Offline"}
    </span>
  );
}
