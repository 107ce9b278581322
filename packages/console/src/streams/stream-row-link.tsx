// One stream in the list: a row on wide screens, a card on phones, a link on both.
import type { StreamRow } from "@sluice/client/admin-contract";
import { codecName, frameSize } from "../format/codecs.ts";
import { formatBitrate, formatCount, formatFps } from "../format/numbers.ts";
import { formatSince } from "../format/times.ts";
import { STREAM_COLUMNS } from "../live/history.ts";
import type { SampleRing } from "../live/sample-ring.ts";
import { Sparkline } from "../plots/sparkline.tsx";
import { formatRoute } from "../routes.ts";
import { Icon } from "../ui/icon.tsx";
import { StateBadge } from "../ui/state-badge.tsx";

export interface StreamRowLinkProps {
  readonly row: StreamRow;
  readonly ring: SampleRing;
  /** Milliseconds since 1970 by the server's clock; also the revision of the plots. */
  readonly now: number;
}

export function StreamRowLink({ row, ring, now }: StreamRowLinkProps) {
  return (
    <a class={`stream-row stream-${row.state}`} href={formatRoute({ at: "stream", key: row.key })} data-key={row.key}>
      <span class="stream-name">
        <span class="stream-key">{row.key}</span>
        <StateBadge state={row.state} />
      </span>
      <MediaSummary row={row} />
      <span class="stream-plot">
        <span class="stream-number">{formatBitrate(row.bitrate)}</span>
        <Sparkline
          ring={ring}
          column={STREAM_COLUMNS.bitrate}
          revision={now}
          tone="accent"
          floor={100_000}
          label={`Bitrate of ${row.key}, last two minutes`}
        />
      </span>
      <span class="stream-plot">
        <span class="stream-number">{formatFps(row.fps)} fps</span>
        <Sparkline
          ring={ring}
          column={STREAM_COLUMNS.fps}
          revision={now}
          tone="live"
          floor={10}
          label={`Frame rate of ${row.key}, last two minutes`}
        />
      </span>
      <span class="stream-viewers" title={`${row.viewers.here} on this node, ${row.viewers.all} in all`}>
        <Icon name="viewers" size={16} />
        {formatCount(row.viewers.all)}
        <span class="unit"> {row.viewers.all === 1 ? "viewer" : "viewers"}</span>
      </span>
      <span class="stream-uptime">{formatSince(row.since, now)}</span>
      <span class="stream-arrow">
        <Icon name="forward" size={16} />
      </span>
    </a>
  );
}

function MediaSummary({ row: { video, audio } }: { readonly row: StreamRow }) {
  if (!video && !audio) return <span class="stream-media is-empty">No media yet</span>;
  const names = [video && codecName(video.codec), audio && codecName(audio.codec)].filter(Boolean).join(" + ");
  const details = [video && frameSize(video), video?.codecString, audio?.codecString].filter(Boolean).join(" · ");
  return (
    <span class="stream-media">
      <span>{names}</span>
      <span class="stream-codec" title={details}>
        {details}
      </span>
    </span>
  );
}
