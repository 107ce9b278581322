// Measurements of playback, read from the video element twice a second.

export interface PlaybackStats {
  /** Seconds between the picture shown and the newest frame received. */
  readonly behind: number;
  /** Bits per second received. */
  readonly receiveRate: number;
  /** Frames shown per second. */
  readonly fps: number;
  readonly shownFrames: number;
  readonly droppedFrames: number;
  readonly width: number;
  readonly height: number;
}

export class StatsReader {
  readonly #video: HTMLVideoElement;
  #last: { readonly at: number; readonly frames: number } | undefined;
  #fps = 0;

  constructor(video: HTMLVideoElement) {
    this.#video = video;
  }

  /** @param now milliseconds of `performance.now()` */
  read(now: number, receiveRate: number): PlaybackStats {
    const video = this.#video;
    const quality = video.getVideoPlaybackQuality();
    this.#measureRate(now, quality.totalVideoFrames - quality.droppedVideoFrames);
    return {
      behind: secondsBehind(video),
      receiveRate,
      fps: this.#fps,
      shownFrames: quality.totalVideoFrames - quality.droppedVideoFrames,
      droppedFrames: quality.droppedVideoFrames,
      width: video.videoWidth,
      height: video.videoHeight,
    };
  }

  /** Smoothed over about two seconds: half a second of 30 frames would otherwise flicker between 28 and 32. */
  #measureRate(now: number, frames: number): void {
    const last = this.#last;
    this.#last = { at: now, frames };
    if (!last || frames < last.frames) return;
    const rate = ((frames - last.frames) * 1000) / Math.max(1, now - last.at);
    this.#fps = this.#fps === 0 ? rate : this.#fps * 0.75 + rate * 0.25;
  }
}

function secondsBehind(video: HTMLVideoElement): number {
  const { buffered } = video;
  return buffered.length === 0 ? 0 : Math.max(0, buffered.end(buffered.length - 1) - video.currentTime);
}
