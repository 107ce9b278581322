/** NetStream's commands on the server. RTMP 1.0 §7.2.2. */
import { type AmfValue, entriesOf } from "@sluice/amf/value";
import { RtmpMessageError } from "./errors.ts";
import type { MessageStreamId } from "./ids.ts";
import { readPlayRange } from "./play-request.ts";
import type { PublishType, StreamClosedBy } from "./server-event.ts";
import type { ReceivedCommand, ServerDialogue } from "./server-dialogue.ts";
import { boundedName, splitStreamName } from "./stream-name.ts";

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

/** Leaves the stream idle and tells who it was, if anything went on there. A publisher hears Unpublish.Success. */
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
