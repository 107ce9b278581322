// Events of nodes and links since this page was opened, newest first.
import { TimelineLine } from "../activity/activity-page.tsx";
import { useObservable } from "../base/use-observable.ts";
import { useConsole } from "../console-context.ts";

/** The log has more. */
const SHOWN = 12;

export function ClusterEvents() {
  const { clusterTimeline } = useConsole();
  const entries = useObservable(clusterTimeline.entries);
  return (
    <section class="panel cluster-events" aria-labelledby="cluster-events-title">
      <h2 id="cluster-events-title">Lately</h2>
      {entries.length === 0 && <p class="faint">Nodes that come, go or fall silent are told here as it happens.</p>}
      <ol class="timeline">
        {entries.slice(0, SHOWN).map((entry) => (
          <TimelineLine key={entry.id} entry={entry} />
        ))}
      </ol>
    </section>
  );
}
