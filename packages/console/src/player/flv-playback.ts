// One run of mpegts.js on one video element, from connecting to its end.
import type Mpegts from "mpegts.js";
import { Observable, type Readable } from "../base/observable.ts";
import { type ErrorFacts, type FailureWords, wordsOfError } from "./failure-words.ts";

export type PlaybackState =
  | { readonly at: "connecting" }
  | { readonly at: "playing" }
  /** Connected, but nothing to show: the network or the publisher is too slow. */
  | { readonly at: "stalled" }
  /** The browser requires a click before it plays. */
  | { readonly at: "blocked" }
  /** The server closed the stream in order. */
  | { readonly at: "ended" }
  | (FailureWords & {
      readonly at: "failed";
      readonly canRetry: boolean;
      /** The library has no reason, as with a refused WebSocket. */
      readonly isUnexplained: boolean;
    });

export interface PlaybackSource {
  readonly video: HTMLVideoElement;
  readonly url: string;
  readonly hasVideo: boolean;
  readonly hasAudio: boolean;
}

/** Seconds behind the newest frame: above the first mpegts.js plays slightly faster until it reaches the second. */
const LATENCY_MOST = 1.2;
const LATENCY_AIM = 0.6;

export class FlvPlayback {
  readonly #state = new Observable<PlaybackState>({ at: "connecting" });
  readonly #source: PlaybackSource;
  readonly #library: typeof Mpegts;
  readonly #player: Mpegts.Player;
  readonly #detach = new AbortController();
  /** In units of 1024 bytes, as the library counts. */
  #kilobytesPerSecond = 0;

  constructor(library: typeof Mpegts, source: PlaybackSource) {
    this.#library = library;
    this.#source = source;
    // Errors arrive as events; the library's own console lines would only repeat them.
    library.LoggingControl.enableAll = false;
    const { url, hasAudio, hasVideo } = source;
    this.#player = library.createPlayer({ type: "flv", isLive: true, url, hasAudio, hasVideo }, CONFIG);
    this.#listen();
    this.#player.attachMediaElement(source.video);
    this.#player.load();
    void this.play();
  }

  get state(): Readable<PlaybackState> {
    return this.#state;
  }

  /** Bits per second that arrive. */
  get receiveRate(): number {
    return this.#kilobytesPerSecond * 8 * 1024;
  }

  async play(): Promise<void> {
    try {
      await this.#player.play();
    } catch (error) {
      if (error instanceof DOMException && error.name === "NotAllowedError") this.#turn({ at: "blocked" });
      // Any other rejection comes from a play() interrupted by a later load or close.
    }
  }

  /** Closes the connection and frees the element; may be called twice. */
  close(): void {
    if (this.#detach.signal.aborted) return;
    this.#detach.abort();
    this.#player.destroy();
  }

  #listen(): void {
    const { Events } = this.#library;
    this.#player.on(Events.ERROR, (type: string, detail: string, facts: ErrorFacts) => this.#fail(type, detail, facts));
    this.#player.on(Events.LOADING_COMPLETE, () => this.#turn({ at: "ended" }));
    this.#player.on(Events.STATISTICS_INFO, (statistics: Mpegts.MSEPlayerReportStatisticsInfo) => {
      this.#kilobytesPerSecond = statistics.speed ?? 0;
    });
    const { video } = this.#source;
    const on = { signal: this.#detach.signal };
    video.addEventListener("playing", () => this.#turn({ at: "playing" }), on);
    video.addEventListener("waiting", () => this.#stall(), on);
    // A background tab is throttled; when it becomes visible again, jump to the live edge.
    document.addEventListener("visibilitychange", () => this.#catchUp(), on);
  }

  /** `ended` and `failed` are final: a WebSocket closes after its error, and the element plays what it has. */
  #turn(state: PlaybackState): void {
    const { at } = this.#state.get();
    if (at !== "ended" && at !== "failed") this.#state.set(state);
  }

  #stall(): void {
    if (this.#state.get().at === "playing") this.#state.set({ at: "stalled" });
  }

  #catchUp(): void {
    if (!document.hidden) jumpToLive(this.#source.video);
  }

  #fail(type: string, detail: string, facts: ErrorFacts): void {
    if (this.#detach.signal.aborted) return;
    const { ErrorTypes } = this.#library;
    const canRetry = type === ErrorTypes.NETWORK_ERROR;
    const isUnexplained = canRetry && detail === "Exception" && this.#source.url.startsWith("ws");
    const words = wordsOfError(canRetry ? "network" : "media", detail, facts);
    this.#turn({ at: "failed", ...words, canRetry, isUnexplained });
  }
}

/** Jumps when playback is far behind; closer to the live edge, faster playback is less visible. */
export function jumpToLive(video: HTMLVideoElement): void {
  const { buffered } = video;
  if (buffered.length === 0) return;
  const newest = buffered.end(buffered.length - 1);
  if (newest - video.currentTime > 2 * LATENCY_MOST) video.currentTime = newest - LATENCY_AIM;
}

const CONFIG: Mpegts.Config = {
  enableStashBuffer: false,
  lazyLoad: false,
  liveSync: true,
  liveSyncMaxLatency: LATENCY_MOST,
  liveSyncTargetLatency: LATENCY_AIM,
  liveSyncPlaybackRate: 1.2,
  autoCleanupSourceBuffer: true,
  autoCleanupMaxBackwardDuration: 30,
  autoCleanupMinBackwardDuration: 10,
  // Started in a background tab, a player should still connect.
  deferLoadAfterSourceOpen: false,
};
