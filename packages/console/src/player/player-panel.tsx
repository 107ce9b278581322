// The player beside a stream's plots: picture, controls and measurements.
import type { StreamRow } from "@sluice/client/admin-contract";
import { useEffect, useState } from "preact/hooks";
import type { PlayAddresses } from "../format/addresses.ts";
import { IconButton } from "../ui/icon-button.tsx";
import { PlayerOverlay } from "./player-overlay.tsx";
import { PlayerStats } from "./player-stats.tsx";
import { planPlayback } from "./play-plan.ts";
import { type Transport, TransportSwitch } from "./transport-switch.tsx";
import { usePlayback } from "./use-playback.ts";

export interface PlayerPanelProps {
  readonly streamKey: string;
  readonly row: StreamRow | undefined;
  readonly addresses: PlayAddresses;
}

export function PlayerPanel({ streamKey, row, addresses }: PlayerPanelProps) {
  const [transport, setTransport] = useState<Transport>("ws");
  const [isStopped, setStopped] = useState(false);
  const [isMuted, setMuted] = useState(true);
  const plan = planPlayback(row);
  const isPlaying = plan.at === "play" && !isStopped;
  const { state, stats, video, playAgain } = usePlayback({
    streamKey,
    url: isPlaying ? (transport === "ws" ? addresses.wsFlv : addresses.httpFlv) : undefined,
    hasVideo: plan.at === "play" && plan.hasVideo,
    hasAudio: plan.at === "play" && plan.hasAudio,
    codecs: plan.at === "play" ? plan.codecs : "",
  });

  useEffect(() => {
    if (video.current) video.current.muted = isMuted;
  }, [isMuted, video]);

  const start = () => (isStopped ? setStopped(false) : playAgain());
  return (
    <section class="panel player" aria-label="Player">
      <div class="player-stage">
        <video ref={video} class="player-video" playsInline muted disableRemotePlayback tabIndex={-1} />
        <PlayerOverlay plan={plan} state={state} isStopped={isStopped} onStart={start} />
      </div>
      <div class="player-controls">
        <IconButton
          icon={isStopped ? "play" : "stop"}
          label={isStopped ? "Play" : "Stop"}
          disabled={plan.at === "refuse"}
          onClick={() => setStopped(!isStopped)}
        />
        <IconButton
          icon={isMuted ? "sound-off" : "sound"}
          label={isMuted ? "Unmute" : "Mute"}
          disabled={plan.at === "refuse"}
          onClick={() => setMuted(!isMuted)}
        />
        <span class="player-note">{plan.at === "play" ? plan.note : ""}</span>
        <TransportSwitch value={transport} onChange={setTransport} />
        <IconButton
          icon="fullscreen"
          label="Full screen"
          disabled={plan.at === "refuse"}
          onClick={() => fillScreen(video.current)}
        />
      </div>
      <PlayerStats stats={isPlaying ? stats : undefined} />
    </section>
  );
}

/** Apple phones allow only the video element to fill the screen, with their own method. */
function fillScreen(video: (HTMLVideoElement & { webkitEnterFullscreen?: () => void }) | null): void {
  if (typeof video?.requestFullscreen === "function") void video.requestFullscreen();
  else video?.webkitEnterFullscreen?.();
}
