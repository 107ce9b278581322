/** NetStream on the server: its commands, and the answers to publish and play in the order that players rely on. RTMP 1.0 §7.2.2. */
import { encodeAmf0Values } from "@sluice/amf/amf0-encode";
import { type AmfValue, entriesOf } from "@sluice/amf/value";
import { RtmpMessageError } from "./errors.ts";
import type { MessageStreamId } from "./ids.ts";
import { readPlayRange } from "./play-request.ts";
import type { PublishType, StreamClosedBy } from "./server-event.ts";
import type { ReceivedCommand, ServerDialogue } from "./server-dialogue.ts";
import { boundedName, splitStreamName } from "./stream-name.ts";

export interface Refusal {
  readonly code: string;
  readonly description: string;
}

export interface PlayAcceptance {
  /** As the player asked: it is sent Play.Reset first. */
  readonly reset: boolean;
  readonly isRecorded?: boolean;
}

type Follow = (dialogue: ServerDialogue, command: ReceivedCommand) => void;

export const STREAM_COMMANDS: ReadonlyMap<string, Follow> = new Map<string, Follow>([
  ["publish", publish],
  ["play", play],
  ["play2", play2],
  ["closeStream", (dialogue, command) => closeStream(dialogue, command.messageStreamId, "closeStream")],
  ["pause", pause],
  ["pauseRaw", pause],
  ["seek", seek],
  ["receiveAudio", (dialogue, command) => receive(dialogue, command, "receive-audio")],
  ["receiveVideo", (dialogue, command) => receive(dialogue, command, "receive-video")],
]);

/** Leaves the stream idle, with an event if it was published or played. A publisher is sent Unpublish.Success. */
export function closeStream(dialogue: ServerDialogue, messageStreamId: MessageStreamId, by: StreamClosedBy): void {
  const state = dialogue.streams.stateOf(messageStreamId);
  if (state.at === "idle") return;
  dialogue.streams.setState(messageStreamId, { at: "idle" });
  const { streamName } = state;
  const was = state.at === "publishing" || state.at === "publish-pending" ? "publish" : "play";
  if (state.at === "publishing") {
    const code = "NetStream.Unpublish.Success";
    dialogue.sendStatus(messageStreamId, {
      level: "status",
      code,
      description: "Stopped publishing",
      details: streamName,
    });
  }
  dialogue.tell({ type: "stream-closed", messageStreamId, by, was, streamName });
}

function publish(dialogue: ServerDialogue, command: ReceivedCommand): void {
  const { messageStreamId } = command;
  const [sent, publishType] = command.args;
  if (sent === false) return closeStream(dialogue, messageStreamId, "closeStream"); // Flash's NetStream.publish(false)
  const name = splitStreamName(requireName(dialogue, command));
  if (dialogue.streams.stateOf(messageStreamId).at !== "idle") {
    const description = "Message stream is in use";
    return dialogue.sendStatus(messageStreamId, { level: "error", code: "NetStream.Publish.BadName", description });
  }
  dialogue.streams.setState(messageStreamId, { at: "publish-pending", streamName: name.streamName });
  dialogue.tell({ type: "publish", messageStreamId, ...name, publishType: toPublishType(publishType) });
}

function play(dialogue: ServerDialogue, command: ReceivedCommand): void {
  const { messageStreamId } = command;
  const [sent, ...range] = command.args;
  if (sent === false) return closeStream(dialogue, messageStreamId, "closeStream");
  const name = splitStreamName(requireName(dialogue, command));
  const { at } = dialogue.streams.stateOf(messageStreamId);
  if (at === "publishing" || at === "publish-pending") {
    const description = "Message stream is in use";
    return dialogue.sendStatus(messageStreamId, { level: "error", code: "NetStream.Play.Failed", description });
  }
  closeStream(dialogue, messageStreamId, "play");
  dialogue.streams.setState(messageStreamId, { at: "play-pending", streamName: name.streamName });
  dialogue.tell({ type: "play", messageStreamId, ...name, ...readPlayRange(range) });
}

function play2(dialogue: ServerDialogue, command: ReceivedCommand): void {
  const parameters = entriesOf(command.args[0]);
  if (parameters === undefined) throw new RtmpMessageError({ message: "play2", detail: "it has no parameter object" });
  dialogue.tell({ type: "play2", messageStreamId: command.messageStreamId, parameters });
}

function pause(dialogue: ServerDialogue, command: ReceivedCommand): void {
  const [isPaused, milliseconds] = command.args;
  const { messageStreamId } = command;
  dialogue.tell({ type: "pause", messageStreamId, isPaused: isPaused === true, milliseconds: toMillis(milliseconds) });
}

function seek(dialogue: ServerDialogue, command: ReceivedCommand): void {
  const { messageStreamId } = command;
  dialogue.tell({ type: "seek", messageStreamId, milliseconds: toMillis(command.args[0]) });
}

function receive(dialogue: ServerDialogue, command: ReceivedCommand, type: "receive-audio" | "receive-video"): void {
  dialogue.tell({ type, messageStreamId: command.messageStreamId, enabled: command.args[0] !== false });
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

function requireName({ limits }: ServerDialogue, command: ReceivedCommand): string {
  const name = command.args[0];
  if (typeof name === "string") return boundedName(name, limits);
  throw new RtmpMessageError({ message: command.name, detail: "its stream name is not a string" });
}

function toPublishType(value: AmfValue): PublishType {
  return value === "record" || value === "append" ? value : "live";
}

function toMillis(value: AmfValue): number {
  return typeof value === "number" && value > 0 && Number.isFinite(value) ? value : 0;
}
