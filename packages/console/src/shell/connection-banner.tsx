// Says that the view is stale, since when, and when the next attempt follows. It floats, so nothing below it moves.
import { useEffect, useState } from "preact/hooks";
import { useObservable } from "../base/use-observable.ts";
import { useConsole } from "../console-context.ts";
import { formatDuration } from "../format/times.ts";
import type { Connection } from "../live/live-feed.ts";
import { Icon } from "../ui/icon.tsx";

export function ConnectionBanner() {
  const { feed } = useConsole();
  const connection = useObservable(feed.connection);
  const view = useObservable(feed.view);
  return (
    <div class="banner-place" role="status">
      {connection.at === "lost" && view && <LostBanner connection={connection} onRetry={() => feed.retryNow()} />}
    </div>
  );
}

interface LostBannerProps {
  readonly connection: Extract<Connection, { at: "lost" }>;
  readonly onRetry: () => void;
}

function LostBanner({ connection, onRetry }: LostBannerProps) {
  const lostAt = useState(Date.now)[0];
  const now = useNow();
  const left = connection.retryAt === undefined ? 0 : Math.ceil((connection.retryAt - now) / 1000);
  return (
    <div class="banner">
      <Icon name="unplugged" />
      <p class="banner-text">
        <strong>Connection lost</strong>
        <span>This view is stale, last updated {formatDuration((now - lostAt) / 1000)} ago.</span>
      </p>
      <button type="button" class="button" disabled={left <= 0} onClick={onRetry}>
        {left > 0 ? `Retry now (${left})` : "Retrying"}
      </button>
    </div>
  );
}

function useNow(): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 500);
    return () => clearInterval(timer);
  }, []);
  return now;
}
