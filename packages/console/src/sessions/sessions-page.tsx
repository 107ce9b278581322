// All sessions of the node, with search and a way to end them.
import { useState } from "preact/hooks";
import { useObservable } from "../base/use-observable.ts";
import { useConsole } from "../console-context.ts";
import { protocolName } from "../format/codecs.ts";
import type { RatedSession } from "../live/session-list.ts";
import { FilterField } from "../ui/filter-field.tsx";
import { Notice } from "../ui/notice.tsx";
import { SessionTable } from "./session-table.tsx";
import { useSessions } from "./use-sessions.ts";

export function SessionsPage() {
  const state = useSessions();
  const [filter, setFilter] = useState("");
  return (
    <section aria-labelledby="sessions-title" aria-busy={state.at === "loading"}>
      <header class="page-head">
        <h1 id="sessions-title">Sessions</h1>
        {state.at === "ready" && <span class="page-count">{state.total}</span>}
        <FilterField label="Filter sessions" value={filter} onChange={setFilter} />
      </header>
      {state.at === "loading" && <div class="panel table-loading" />}
      {state.at === "failed" && (
        <Notice icon="warning" title="The sessions could not be read">
          <p>{state.reason}. The console keeps trying.</p>
        </Notice>
      )}
      {state.at === "ready" && state.rows.length < state.total && (
        <p class="section-lead">The first {state.rows.length} are listed. The page of a stream lists its own.</p>
      )}
      {state.at === "ready" && <FilteredSessions rows={state.rows} filter={filter.trim()} />}
    </section>
  );
}

function FilteredSessions({ rows, filter }: { readonly rows: readonly RatedSession[]; readonly filter: string }) {
  const now = useObservable(useConsole().feed.view)?.at ?? Date.now();
  const shown = rows.filter((row) => matches(row, filter.toLowerCase()));
  if (rows.length === 0) {
    return (
      <Notice icon="sessions" title="Nobody is connected">
        <p>Publishers and viewers appear here as soon as they connect.</p>
      </Notice>
    );
  }
  if (shown.length === 0) return <Notice icon="search" title={`No session matches “${filter}”`} />;
  return <SessionTable rows={shown} now={now} columns="all" />;
}

function matches(row: RatedSession, wanted: string): boolean {
  const text = [row.key, row.address, row.agent, row.role, row.protocol, protocolName(row.protocol), row.id].join("\n");
  return text.toLowerCase().includes(wanted);
}
