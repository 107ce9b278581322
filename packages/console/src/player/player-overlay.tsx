// Overlay while there is no picture: waiting, connecting, stopped, failed.
import { Icon } from "../ui/icon.tsx";
import { Spinner } from "../ui/spinner.tsx";
import type { PlaybackState } from "./flv-playback.ts";
import type { PlayPlan } from "./play-plan.ts";

export interface PlayerOverlayProps {
  readonly plan: PlayPlan;
  readonly state: PlaybackState;
  readonly isStopped: boolean;
  readonly onStart: () => void;
}

export function PlayerOverlay(props: PlayerOverlayProps) {
  const content = overlayContent(props);
  if (!content) return null;
  return (
    <div class="player-overlay" role="status">
      {content}
    </div>
  );
}

function overlayContent({ plan, state, isStopped, onStart }: PlayerOverlayProps) {
  if (plan.at === "wait") return <Waiting text={plan.text} />;
  if (plan.at === "refuse") return <Failure text={plan.text} detail={plan.detail} />;
  if (isStopped) return <PlayButton label="Play" onClick={onStart} />;
  switch (state.at) {
    case "playing":
      return undefined;
    case "connecting":
      return <Waiting text={plan.idle || "Connecting"} />;
    case "stalled":
      return <Waiting text={plan.idle || "Waiting for frames"} />;
    case "ended":
      return <Waiting text="The stream ended, trying again" />;
    case "blocked":
      return <PlayButton label="The browser requires a click to play" onClick={onStart} />;
    case "failed":
      return <Failure text={state.text} detail={state.detail} onRetry={onStart} />;
  }
}

function Waiting({ text }: { readonly text: string }) {
  return (
    <>
      <Spinner />
      <p>{text}</p>
    </>
  );
}

function PlayButton({ label, onClick }: { readonly label: string; readonly onClick: () => void }) {
  return (
    <button type="button" class="player-big-button" aria-label={label} onClick={onClick}>
      <Icon name="play" size={28} />
    </button>
  );
}

interface FailureProps {
  readonly text: string;
  readonly detail: string;
  readonly onRetry?: () => void;
}

function Failure({ text, detail, onRetry }: FailureProps) {
  return (
    <>
      <Icon name="warning" size={24} />
      <p class="player-failure">{text}</p>
      <p class="player-failure-detail">{detail}</p>
      {onRetry && (
        <button type="button" class="button on-dark" onClick={onRetry}>
          Try again
        </button>
      )}
    </>
  );
}
