// Decides from a stream row whether and what the player should play.
import type { StreamRow } from "@sluice/client/admin-contract";
import { codecName } from "../format/codecs.ts";
import { audioSupport, hasMediaSource, videoSupport } from "./codec-support.ts";

export type PlayPlan =
  /** Nothing to play yet; a publisher may come. */
  | { readonly at: "wait"; readonly text: string }
  | { readonly at: "refuse"; readonly text: string; readonly detail: string }
  | {
      readonly at: "play";
      readonly hasVideo: boolean;
      readonly hasAudio: boolean;
      readonly note: string;
      /** Identifies the decoder configuration: a change needs a new playback. */
      readonly codecs: string;
      /** Why no frames arrive, if known. */
      readonly idle: string;
    };

export function planPlayback(row: StreamRow | undefined): PlayPlan {
  if (!row || row.state === "waiting") return { at: "wait", text: "Waiting for a publisher" };
  const idle = row.state === "grace" ? "The publisher is gone and may return" : "";
  if (!row.video && !row.audio) return { at: "wait", text: idle || "Waiting for the first frames" };
  if (!hasMediaSource()) {
    return { at: "refuse", text: "This browser cannot play live streams", detail: "It lacks Media Source Extensions." };
  }
  return planTracks(row, idle);
}

function planTracks({ video, audio }: StreamRow, idle: string): PlayPlan {
  if (video && videoSupport(video) === "no") {
    return {
      at: "refuse",
      text: `This browser cannot decode ${codecName(video.codec)}`,
      detail: `The video track is ${video.codecString}. Try another browser, or ffplay with the command below.`,
    };
  }
  const isAudioLost = audio !== null && audioSupport(audio) === "no";
  if (!video && isAudioLost) {
    return {
      at: "refuse",
      text: `This browser cannot decode ${codecName(audio.codec)}`,
      detail: `The audio track is ${audio.codecString}.`,
    };
  }
  const lost = isAudioLost ? `No sound: this browser cannot decode ${codecName(audio.codec)}` : "";
  const note = video ? lost : "Sound only";
  const codecs = `${video?.codec ?? ""}+${audio?.codec ?? ""}`;
  return { at: "play", hasVideo: video !== null, hasAudio: audio !== null && !isAudioLost, note, codecs, idle };
}
