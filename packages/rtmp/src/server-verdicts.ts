/** The answers to publish and play, in the order that players rely on. RTMP 1.0 §7.2.2. */
import { encodeAmf0Values } from "@sluice/amf/amf0-encode";
import type { MessageStreamId } from "./ids.ts";
import type { ServerDialogue } from "./server-dialogue.ts";

export interface Refusal {
  readonly code: string;
  readonly description: string;
}

export interface PlayAcceptance {
  /** As the player asked: it hears Play.Reset first. */
  readonly reset: boolean;
  readonly isRecorded?: boolean;
}

/** Does nothing when the stream was closed in the meantime. */
export function acceptPublish(dialogue: ServerDialogue, messageStreamId: MessageStreamId): void {
  const state = dialogue.streams.stateOf(messageStreamId);
  if (state.at !== "publish-pending") return;
  const { streamName } = state;
  dialogue.streams.setState(messageStreamId, { at: "publishing", streamName });
  dialogue.exchange.sendUserControl({ type: "stream-begin", messageStreamId });
  const code = "NetStream.Publish.Start";
  dialogue.sendStatus(messageStreamId, {
    level: "status",
    code,
    description: "Started publishing",
    details: streamName,
  });
}

/** Does nothing when the stream was closed in the meantime. The stream is idle afterwards: another name may be tried. */
export function rejectPublish(dialogue: ServerDialogue, messageStreamId: MessageStreamId, refusal: Refusal): void {
  refuse(dialogue, messageStreamId, "publish-pending", refusal);
}

/** Up to the point where the stream's own data begins. Does nothing when the stream was closed in the meantime. */
export function acceptPlay(
  dialogue: ServerDialogue,
  messageStreamId: MessageStreamId,
  acceptance: PlayAcceptance,
): void {
  const state = dialogue.streams.stateOf(messageStreamId);
  if (state.at !== "play-pending") return;
  const { streamName: details } = state;
  const { exchange } = dialogue;
  const level = "status";
  dialogue.streams.setState(messageStreamId, { at: "playing", streamName: details });
  if (acceptance.isRecorded) exchange.sendUserControl({ type: "stream-is-recorded", messageStreamId });
  exchange.sendUserControl({ type: "stream-begin", messageStreamId });
  if (acceptance.reset)
    dialogue.sendStatus(messageStreamId, {
      level,
      code: "NetStream.Play.Reset",
      description: "Playlist reset",
      details,
    });
  dialogue.sendStatus(messageStreamId, {
    level,
    code: "NetStream.Play.Start",
    description: "Started playing",
    details,
  });
  exchange.sendData(messageStreamId, 0, encodeAmf0Values(["|RtmpSampleAccess", true, true]));
  // A command and not, as Flash's server had it, a data message: of that FFmpeg makes a data stream in every output.
  dialogue.sendStatus(messageStreamId, { level, code: "NetStream.Data.Start", description: "Data follows", details });
}

/** As `rejectPublish`. */
export function rejectPlay(dialogue: ServerDialogue, messageStreamId: MessageStreamId, refusal: Refusal): void {
  refuse(dialogue, messageStreamId, "play-pending", refusal);
}

function refuse(
  dialogue: ServerDialogue,
  messageStreamId: MessageStreamId,
  pending: "publish-pending" | "play-pending",
  refusal: Refusal,
): void {
  const state = dialogue.streams.stateOf(messageStreamId);
  if (state.at !== pending) return;
  dialogue.streams.setState(messageStreamId, { at: "idle" });
  const { code, description } = refusal;
  dialogue.sendStatus(messageStreamId, { level: "error", code, description, details: state.streamName });
}
