// Opens a playback while there is something to play, retries it after losses, and closes it on leaving.
import { useEffect, useRef, useState } from "preact/hooks";
import { messageOf } from "../api/api-errors.ts";
import { retryDelay } from "../base/retry-delay.ts";
import { useObservable } from "../base/use-observable.ts";
import { useConsole } from "../console-context.ts";
import { wordsOfStatus } from "./failure-words.ts";
import { askStatus, openAddress } from "./stream-address.ts";
import { FlvPlayback, jumpToLive, type PlaybackState } from "./flv-playback.ts";
import { type PlaybackStats, StatsReader } from "./playback-stats.ts";

export interface PlaybackWish {
  readonly streamKey: string;
  /** `undefined`: nothing to play, or stopped by the user. */
  readonly url: string | undefined;
  readonly hasVideo: boolean;
  readonly hasAudio: boolean;
  /** Other codecs start a new playback; another publisher does not, as the server continues its timeline. */
  readonly codecs: string;
}

const RETRY = { first: 700, longest: 8_000 };
const STATS_INTERVAL = 500;

export interface Playback {
  readonly state: PlaybackState;
  readonly stats: PlaybackStats | undefined;
  readonly video: { readonly current: HTMLVideoElement | null };
  /** After a failure, or when the browser requires a click. */
  readonly playAgain: () => void;
}

export function usePlayback({ streamKey, url, hasVideo, hasAudio, codecs }: PlaybackWish): Playback {
  const { api, feed } = useConsole();
  const isServerThere = useObservable(feed.connection).at === "open";
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
    // An automatic retry keeps showing the failure: alternating with "connecting" would flicker.
    if (opened.current !== url) setState({ at: "connecting" });
    opened.current = url;
    const track = { address: () => openAddress(api, streamKey, url), hasVideo, hasAudio };
    void open(element, track, leave.signal, { setState, setStats, holder: playback });
    return () => leave.abort();
  }, [api, streamKey, url, hasVideo, hasAudio, codecs, attempt]);

  useEffect(() => {
    if (state.at === "playing" || !isServerThere) failures.current = 0;
    // The live feed notices when the server is back: requests meanwhile would only fail.
    if (url === undefined || !isServerThere || !isWorthRetrying(state)) return;
    const delay = retryDelay(RETRY, failures.current++, Math.random());
    const timer = setTimeout(() => setAttempt((count) => count + 1), delay);
    return () => clearTimeout(timer);
  }, [state, url, isServerThere]);

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

interface Track {
  /** Called once, just before opening. */
  readonly address: () => Promise<string>;
  readonly hasVideo: boolean;
  readonly hasAudio: boolean;
}

async function open(
  video: HTMLVideoElement,
  { address, hasVideo, hasAudio }: Track,
  signal: AbortSignal,
  outlets: Outlets,
): Promise<void> {
  try {
    // Loaded here, so that the rest of the console does not wait for it.
    const [{ default: mpegts }, url] = await Promise.all([import("mpegts.js"), address()]);
    if (!signal.aborted)
      follow(new FlvPlayback(mpegts, { video, url, hasVideo, hasAudio }), { video, url }, signal, outlets);
  } catch (error) {
    const words = { text: "The stream could not be fetched", detail: messageOf(error) };
    if (!signal.aborted) outlets.setState({ at: "failed", ...words, canRetry: true, isUnexplained: false });
  }
}

function follow(
  playback: FlvPlayback,
  { video, url }: { readonly video: HTMLVideoElement; readonly url: string },
  signal: AbortSignal,
  { setState, setStats, holder }: Outlets,
): void {
  holder.current = playback;
  const show = async () => {
    const state = await explained(playback.state.get(), url);
    if (!signal.aborted) setState(state);
  };
  const stop = playback.state.subscribe(() => void show());
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

async function explained(state: PlaybackState, url: string): Promise<PlaybackState> {
  if (state.at !== "failed" || !state.isUnexplained) return state;
  const status = await askStatus(url);
  return status === undefined ? state : { ...state, ...wordsOfStatus(status) };
}
