// Shows whether the page is connected and its data current.
import { useObservable } from "../base/use-observable.ts";
import { useConsole } from "../console-context.ts";
import type { Connection } from "../live/live-feed.ts";

const LABELS: Readonly<Record<Connection["at"], string>> = {
  connecting: "Connecting",
  open: "Connected",
  lost: "Stale",
  refused: "Locked",
};

export function ConnectionBadge() {
  const { feed } = useConsole();
  const { at } = useObservable(feed.connection);
  const isViewKnown = useObservable(feed.view) !== undefined;
  return (
    <span class={`connection connection-${at}`}>
      <span class="connection-dot" />
      {at === "lost" && !isViewKnown ? "Offline" : LABELS[at]}
    </span>
  );
}
