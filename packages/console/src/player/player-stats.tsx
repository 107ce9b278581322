// The line of numbers below the picture.
import { formatBitrate, formatCount, formatFps } from "../format/numbers.ts";
import { Stat } from "../ui/stat.tsx";
import type { PlaybackStats } from "./playback-stats.ts";

export function PlayerStats({ stats }: { readonly stats: PlaybackStats | undefined }) {
  const show = (format: (known: PlaybackStats) => string) => (stats ? format(stats) : "–");
  return (
    <dl class="player-stats">
      <Stat label="Behind live" value={show((s) => `${s.behind.toFixed(1)} s`)} />
      <Stat label="Receiving" value={show((s) => formatBitrate(s.receiveRate))} />
      <Stat label="Shown" value={show((s) => `${formatFps(s.fps)} fps`)} />
      <Stat label="Frames" value={show((s) => formatCount(s.shownFrames))} />
      <Stat label="Dropped" value={show((s) => formatCount(s.droppedFrames))} />
      <Stat label="Picture" value={show((s) => (s.width > 0 ? `${s.width} × ${s.height}` : "–"))} />
    </dl>
  );
}
