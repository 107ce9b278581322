// Events since this page was opened, newest first.
import { useObservable } from "../base/use-observable.ts";
import { useConsole } from "../console-context.ts";
import { formatClock } from "../format/times.ts";
import type { TimelineEntry } from "../live/timeline.ts";
import { Notice } from "../ui/notice.tsx";
import { EventText } from "./event-text.tsx";

export function ActivityPage() {
  const { timeline } = useConsole();
  const entries = useObservable(timeline.entries);
  return (
    <section aria-labelledby="activity-title">
      <header class="page-head">
        <h1 id="activity-title">Activity</h1>
        <span class="page-hint">since this page was opened</span>
      </header>
      {entries.length === 0 && (
        <Notice icon="activity" title="Quiet so far">
          <p>Streams, sessions and nodes that come and go are listed here.</p>
        </Notice>
      )}
      {entries.length > 0 && (
        <ol class="panel timeline">
          {entries.map((entry) => (
            <TimelineLine key={entry.id} entry={entry} />
          ))}
        </ol>
      )}
    </section>
  );
}

export function TimelineLine({ entry: { event } }: { readonly entry: TimelineEntry }) {
  return (
    <li class={`timeline-line event-${event.type}`}>
      <time dateTime={event.at}>{formatClock(event.at)}</time>
      <span class="timeline-mark" />
      <span class="timeline-text">
        <EventText event={event} />
      </span>
    </li>
  );
}
