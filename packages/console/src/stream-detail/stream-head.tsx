// The title of a stream's page: key, state, and actions.
import type { StreamRow } from "@sluice/client/admin-contract";
import { formatCount } from "../format/numbers.ts";
import { formatSince } from "../format/times.ts";
import { Icon } from "../ui/icon.tsx";
import { StateBadge } from "../ui/state-badge.tsx";
import { StopPatternButton } from "./stop-pattern-button.tsx";

export interface StreamHeadProps {
  readonly streamKey: string;
  readonly row: StreamRow | undefined;
  /** Milliseconds since 1970 by the server's clock. */
  readonly now: number;
  readonly isLoading: boolean;
}

export function StreamHead({ streamKey, row, now, isLoading }: StreamHeadProps) {
  return (
    <header class="stream-head">
      <a class="icon-button" href="#/" aria-label="Back to streams" title="Back to streams">
        <Icon name="back" />
      </a>
      <h1 class="stream-head-key">{streamKey}</h1>
      {!isLoading && <StateBadge state={row?.state} />}
      {row && isTestPattern(row) && <StopPatternButton key={row.publication} streamKey={streamKey} />}
      <p class="stream-head-facts">
        {row && (
          <>
            <span>
              {row.state === "waiting" ? "first viewer" : "up"} {formatSince(row.since, now)}
            </span>
            <span>
              {formatCount(row.viewers.all)} {row.viewers.all === 1 ? "viewer" : "viewers"}
            </span>
            <span>home {row.home}</span>
          </>
        )}
      </p>
    </header>
  );
}

/** Only the server itself publishes by this protocol. */
function isTestPattern({ publisher }: StreamRow): boolean {
  return publisher?.protocol === "internal" && publisher.agent === "test pattern";
}
