// All shared objects of the cluster, live.
import type { ObjectRow, ObjectsAnswer } from "@sluice/client/admin-objects";
import { useEffect, useState } from "preact/hooks";
import { useObservable } from "../base/use-observable.ts";
import { useConsole } from "../console-context.ts";
import { FilterField } from "../ui/filter-field.tsx";
import { Notice } from "../ui/notice.tsx";
import { ObjectTable } from "./object-table.tsx";

export function ObjectsPage() {
  const { objects } = useConsole();
  useEffect(() => objects.watch(), [objects]);
  const state = useObservable(objects.state);
  const [filter, setFilter] = useState("");
  return (
    <section aria-labelledby="objects-title" aria-busy={state.at === "loading"}>
      <header class="page-head">
        <h1 id="objects-title">Objects</h1>
        {state.at === "ready" && <span class="page-count">{state.value.total}</span>}
        <FilterField label="Filter objects" value={filter} onChange={setFilter} />
      </header>
      {state.at === "loading" && <div class="panel table-loading" />}
      {state.at === "failed" && (
        <Notice icon="warning" title="The objects could not be read">
          <p>{state.reason}. The console keeps trying.</p>
        </Notice>
      )}
      {state.at === "ready" && <Listed answer={state.value} filter={filter.trim().toLowerCase()} />}
    </section>
  );
}

function Listed({ answer, filter }: { readonly answer: ObjectsAnswer; readonly filter: string }) {
  const { objects, more, silent } = answer;
  const shown = objects.filter((row) => matches(row, filter));
  return (
    <>
      {silent.length > 0 && (
        <p class="section-lead stale-mark">No answer in time from {silent.join(", ")}: the list may lack theirs.</p>
      )}
      {more && <p class="section-lead">The first {objects.length} are listed, in the order of their paths.</p>}
      {objects.length === 0 && <NoObjects />}
      {objects.length > 0 && shown.length === 0 && <Notice icon="search" title={`No object matches “${filter}”`} />}
      {shown.length > 0 && <ObjectTable rows={shown} />}
    </>
  );
}

function NoObjects() {
  return (
    <Notice icon="objects" title="No shared objects">
      <p>An object appears here as soon as a client opens it, and goes a few seconds after the last one has left.</p>
      <a class="button" href="/demo/ball" target="_blank" rel="noreferrer">
        Open the ball
      </a>
    </Notice>
  );
}

function matches({ path, home, standby, lastWriter }: ObjectRow, wanted: string): boolean {
  return [path, home, standby, lastWriter?.who].join("\n").toLowerCase().includes(wanted);
}
