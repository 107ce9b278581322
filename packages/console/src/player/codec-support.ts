// Whether this browser can decode what a stream carries.
import type { AudioRow, VideoRow } from "@sluice/client/admin-contract";

export type TrackSupport = "yes" | "no" | "unknown";

/** `unknown` while the server has not yet seen a sequence header. */
export function videoSupport(video: VideoRow): TrackSupport {
  return supports("video/mp4", video.codecString);
}

export function audioSupport(audio: AudioRow): TrackSupport {
  return supports("audio/mp4", audio.codecString);
}

/** Apple phones have only the managed kind. */
export function hasMediaSource(): boolean {
  return mediaSource() !== undefined;
}

function supports(container: string, codecString: string): TrackSupport {
  const source = mediaSource();
  if (!source) return "no";
  if (codecString === "") return "unknown";
  return source.isTypeSupported(`${container}; codecs="${codecString}"`) ? "yes" : "no";
}

function mediaSource(): typeof MediaSource | undefined {
  const scope = globalThis as { MediaSource?: typeof MediaSource; ManagedMediaSource?: typeof MediaSource };
  return scope.MediaSource ?? scope.ManagedMediaSource;
}
