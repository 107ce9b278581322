// The sessions of one stream, on its page.
import { useObservable } from "../base/use-observable.ts";
import { useConsole } from "../console-context.ts";
import { SessionTable } from "./session-table.tsx";
import { useSessions } from "./use-sessions.ts";

export function SessionSection({ streamKey }: { readonly streamKey: string }) {
  const state = useSessions(streamKey);
  const now = useObservable(useConsole().feed.view)?.at ?? Date.now();
  const rows = state.at === "ready" ? state.rows.filter((row) => row.key === streamKey) : [];
  return (
    <section class="section-bare" aria-labelledby="stream-sessions-title">
      <h2 id="stream-sessions-title">
        Sessions <span class="page-count">{state.at === "ready" ? state.total : 0}</span>
      </h2>
      {rows.length > 0 && <SessionTable rows={rows} now={now} columns="without-stream" />}
      {rows.length === 0 && (
        <p class="panel none-line">{state.at === "failed" ? state.reason : "This stream has no sessions."}</p>
      )}
    </section>
  );
}
