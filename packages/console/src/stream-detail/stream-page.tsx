// One stream: player and plots, then its details, where to play it, and its sessions.
import type { StreamRow } from "@sluice/client/admin-contract";
import { useObservable } from "../base/use-observable.ts";
import { useConsole } from "../console-context.ts";
import { playAddresses } from "../format/addresses.ts";
import { PlayerPanel } from "../player/player-panel.tsx";
import { SessionSection } from "../sessions/session-section.tsx";
import { Unreachable } from "../shell/unreachable.tsx";
import { PublishGuide } from "../streams/publish-guide.tsx";
import { PlaySection } from "./play-section.tsx";
import { StreamFacts } from "./stream-facts.tsx";
import { StreamFlow } from "./stream-flow.tsx";
import { StreamHead } from "./stream-head.tsx";
import { StreamPlots } from "./stream-plots.tsx";

export function StreamPage({ streamKey }: { readonly streamKey: string }) {
  const { feed } = useConsole();
  const view = useObservable(feed.view);
  const connection = useObservable(feed.connection);
  if (!view && connection.at === "lost") return <Unreachable connection={connection} />;
  const row: StreamRow | undefined = view?.streams.find((known) => known.key === streamKey);
  const addresses = playAddresses(location, view?.node.addresses ?? {}, streamKey);
  return (
    <article class="stream-page">
      <StreamHead streamKey={streamKey} row={row} now={view?.at ?? 0} isLoading={!view} />
      <div class="stage-grid">
        <PlayerPanel streamKey={streamKey} row={row} addresses={addresses} />
        <StreamPlots streamKey={streamKey} revision={view?.at ?? 0} />
      </div>
      {view && !row && (
        <section class="panel section">
          <h2>Nobody publishes here yet</h2>
          <p class="section-lead">The player starts by itself as soon as a publisher comes.</p>
          <PublishGuide node={view.node} streamKey={streamKey} />
        </section>
      )}
      {row && row.copies.length > 0 && <StreamFlow row={row} />}
      {row && <StreamFacts row={row} />}
      <PlaySection addresses={addresses} />
      <SessionSection streamKey={streamKey} />
    </article>
  );
}
