// The last five minutes of a stream, three plots under one pointer.
import { useConsole } from "../console-context.ts";
import { formatBitrate, formatCount, formatFps } from "../format/numbers.ts";
import { STREAM_COLUMNS } from "../live/history.ts";
import { TimePlot } from "../plots/time-plot.tsx";

export interface StreamPlotsProps {
  readonly streamKey: string;
  readonly revision: number;
}

export function StreamPlots({ streamKey, revision }: StreamPlotsProps) {
  const { history } = useConsole();
  const shared = { ring: history.ofStream(streamKey), revision, syncKey: streamKey };
  return (
    <section class="panel stream-plots" aria-label="Last five minutes">
      <TimePlot
        {...shared}
        title="Bitrate"
        column={STREAM_COLUMNS.bitrate}
        tone="accent"
        floor={100_000}
        format={formatBitrate}
      />
      <TimePlot {...shared} title="Frame rate" column={STREAM_COLUMNS.fps} tone="live" floor={10} format={fps} />
      <TimePlot {...shared} title="Viewers" column={STREAM_COLUMNS.viewers} tone="violet" floor={4} format={viewers} />
    </section>
  );
}

function fps(value: number): string {
  return `${formatFps(value)} fps`;
}

/** The axis proposes halves for small numbers; the number of viewers is whole. */
function viewers(value: number): string {
  return Number.isInteger(value) ? formatCount(value) : "";
}
