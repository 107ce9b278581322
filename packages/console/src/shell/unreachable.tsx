// Shown instead of a page while the server has never answered since the console opened.
import { useConsole } from "../console-context.ts";
import type { Connection } from "../live/live-feed.ts";
import { Notice } from "../ui/notice.tsx";

export function Unreachable({ connection }: { readonly connection: Extract<Connection, { at: "lost" }> }) {
  const { feed } = useConsole();
  const isRetrying = connection.retryAt === undefined;
  return (
    <Notice icon="unplugged" title="The server does not answer">
      <p>{connection.reason}. The console keeps trying.</p>
      <button type="button" class="button primary" disabled={isRetrying} onClick={() => feed.retryNow()}>
        {isRetrying ? "Trying" : "Try now"}
      </button>
    </Notice>
  );
}
