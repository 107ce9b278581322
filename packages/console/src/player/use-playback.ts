// Opens a playback while there is something to play, retries it after losses, and closes it on leaving.
import { useEffect, useRef, useState } from "preact/hooks";
import { retryDelay } from "../base/retry-delay.ts";
import { FlvPlayback, jumpToLive, type PlaybackState } from "./flv-playback.ts";
import { type PlaybackStats, StatsReader } from "./playback-stats.ts";

export interface PlaybackWish {
  /** `undefined`: nothing to play, or the person pressed stop. */
  readonly url: string | undefined;
  readonly hasVideo: boolean;
  readonly hasAudio: boolean;
  /** Other codecs start a new playback; another publisher does not, as the server goes on with the time of the first. */
  readonly codecs: string;
}

const RETRY = { first: 700, longest: 8_000 };
const STATS_INTERVAL = 500;

export interface Playback {
  readonly state: PlaybackState;
  readonly stats: PlaybackStats | undefined;
  readonly video: { readonly current: HTMLVideoElement | null };
  /** After a failure, or when the browser wanted a click. */
  readonly playAgain: () => void;
}

export function usePlayback({ url, hasVideo, hasAudio, codecs }: PlaybackWish): Playback {
  const video = useRef<HTMLVideoElement>(null);
  const playback = useRef<FlvPlayback>(undefined);
  const [state, setState] = useState<PlaybackState>({ at: "connecting" });
  const [stats, setStats] = useState<PlaybackStats>();
  const [attempt, setAttempt] = useState(0);
  const failures = useRef(0);
  const opened = useRef<string>(undefined);

  useEffect(() => {
    const element = video.current;
    setStats(undefined);
    if (url === undefined) opened.current = undefined;
    if (!element || url === undefined) return;
    const leave = new AbortController();
    // A retry by itself leaves the failure on screen: alternating with "connecting" would only flicker.
    if (opened.current !== url) setState({ at: "connecting" });
    opened.current = url;
    void open(element, { url, hasVideo, hasAudio }, leave.signal, { setState, setStats, holder: playback });
    return () => leave.abort();
  }, [url, hasVideo, hasAudio, codecs, attempt]);

  useEffect(() => {
    if (state.at === "playing") failures.current = 0;
    if (url === undefined || !isWorthRetrying(state)) return;
    const delay = retryDelay(RETRY, failures.current++, Math.random());
    const timer = setTimeout(() => setAttempt((count) => count + 1), delay);
    return () => clearTimeout(timer);
  }, [state, url]);

  const playAgain = () => {
    if (state.at === "blocked") return void playback.current?.play();
    setState({ at: "connecting" });
    setAttempt((count) => count + 1);
  };
  return { state, stats, video, playAgain };
}

function isWorthRetrying(state: PlaybackState): boolean {
  return state.at === "ended" || (state.at === "failed" && state.canRetry);
}

interface Outlets {
  readonly setState: (state: PlaybackState) => void;
  readonly setStats: (stats: PlaybackStats | undefined) => void;
  readonly holder: { current: FlvPlayback | undefined };
}

async function open(
  video: HTMLVideoElement,
  track: { readonly url: string; readonly hasVideo: boolean; readonly hasAudio: boolean },
  signal: AbortSignal,
  { setState, setStats, holder }: Outlets,
): Promise<void> {
  // Loaded here, so that the rest of the console does not wait for it.
  const { default: mpegts } = await import("mpegts.js");
  if (signal.aborted) return;
  const playback = new FlvPlayback(mpegts, { video, ...track });
  holder.current = playback;
  const stop = playback.state.subscribe(() => setState(playback.state.get()));
  const reader = new StatsReader(video);
  const timer = setInterval(() => {
    if (!document.hidden) jumpToLive(video);
    setStats(reader.read(performance.now(), playback.receiveRate));
  }, STATS_INTERVAL);
  signal.addEventListener("abort", () => {
    clearInterval(timer);
    stop();
    playback.close();
    if (holder.current === playback) holder.current = undefined;
  });
}
