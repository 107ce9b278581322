// Home: all streams with their plots, or how to get a first one.
import { useState } from "preact/hooks";
import { useObservable } from "../base/use-observable.ts";
import { useConsole } from "../console-context.ts";
import type { NodeView } from "../live/live-feed.ts";
import { OpenWarning } from "../shell/open-warning.tsx";
import { Unreachable } from "../shell/unreachable.tsx";
import { FilterField } from "../ui/filter-field.tsx";
import { Notice } from "../ui/notice.tsx";
import { EmptyStreams } from "./empty-streams.tsx";
import { PublishDialog } from "./publish-dialog.tsx";
import { StreamRowLink } from "./stream-row-link.tsx";
import { StreamSkeleton } from "./stream-skeleton.tsx";

export function StreamsPage() {
  const { feed } = useConsole();
  const view = useObservable(feed.view);
  const connection = useObservable(feed.connection);
  if (!view) {
    return connection.at === "lost" ? <Unreachable connection={connection} /> : <StreamSkeleton />;
  }
  return (
    <>
      <OpenWarning open={view.node.open} />
      {view.streams.length === 0 ? <EmptyStreams node={view.node} /> : <StreamList view={view} />}
    </>
  );
}

function StreamList({ view }: { readonly view: NodeView }) {
  const { history } = useConsole();
  const [filter, setFilter] = useState("");
  const [isPublishing, setPublishing] = useState(false);
  const wanted = filter.trim().toLowerCase();
  // By key and not by state or rate: rows must not jump under the pointer.
  const rows = view.streams
    .filter((row) => row.key.toLowerCase().includes(wanted))
    .toSorted((a, b) => a.key.localeCompare(b.key));
  return (
    <section aria-labelledby="streams-title">
      <header class="page-head">
        <h1 id="streams-title">Streams</h1>
        <span class="page-count">{view.streams.length}</span>
        <FilterField label="Filter streams" value={filter} onChange={setFilter} />
        <button type="button" class="button" onClick={() => setPublishing(true)}>
          How to publish
        </button>
      </header>
      {rows.length === 0 && <Notice icon="search" title={`No stream matches “${filter.trim()}”`} />}
      {rows.length > 0 && (
        <div class="stream-list">
          <div class="stream-heads" aria-hidden="true">
            <span>Stream</span>
            <span>Media</span>
            <span>Bitrate</span>
            <span>Frame rate</span>
            <span>Viewers</span>
            <span>Uptime</span>
          </div>
          <ul>
            {rows.map((row) => (
              <li key={row.key}>
                <StreamRowLink row={row} ring={history.ofStream(row.key)} now={view.at} />
              </li>
            ))}
          </ul>
        </div>
      )}
      {isPublishing && <PublishDialog node={view.node} onClose={() => setPublishing(false)} />}
    </section>
  );
}
