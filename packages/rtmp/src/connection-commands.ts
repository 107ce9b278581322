/** NetConnection's commands on the server, in whatever order encoders and players send them. RTMP 1.0 §7.2.1. */
import { errorOf, callOf } from "./replies.ts";
import type { MessageStreamId } from "./ids.ts";
import type { ReceivedCommand, ServerDialogue } from "./server-dialogue.ts";
import { closeStream } from "./stream-commands.ts";
import { boundedName } from "./stream-name.ts";

type Follow = (dialogue: ServerDialogue, command: ReceivedCommand) => void;

/** Encoders wait for an answer to some of these, so each gets the one that is customary, once. */
export const CONNECTION_COMMANDS: ReadonlyMap<string, Follow> = new Map<string, Follow>([
  ["createStream", createStream],
  ["deleteStream", deleteStream],
  ["releaseStream", (dialogue, command) => dialogue.answer(command.transactionId, [undefined])],
  ["FCPublish", publishStarted],
  ["FCUnpublish", unpublish],
  ["FCSubscribe", subscribe],
  ["FCUnsubscribe", (dialogue, command) => dialogue.answer(command.transactionId, [undefined])],
  ["_checkbw", (dialogue, command) => dialogue.answer(command.transactionId, [undefined])],
  ["getStreamLength", (dialogue, command) => dialogue.answer(command.transactionId, [0])],
]);

function createStream(dialogue: ServerDialogue, command: ReceivedCommand): void {
  const id = dialogue.streams.create();
  if (id !== undefined) dialogue.answer(command.transactionId, [id]);
  else if (command.transactionId !== 0) {
    const description = "Too many message streams on this connection";
    const refusal = { level: "error", code: "NetConnection.Call.Failed", description };
    dialogue.exchange.sendCommand(errorOf(command.transactionId, refusal));
  }
}

/** The id is the first argument; some clients send none and mean the stream that the command came on. */
function deleteStream(dialogue: ServerDialogue, command: ReceivedCommand): void {
  const named = command.args[0];
  const id = (typeof named === "number" ? named : command.messageStreamId) as MessageStreamId;
  closeStream(dialogue, id, "deleteStream");
  dialogue.streams.delete(id);
}

function publishStarted(dialogue: ServerDialogue, command: ReceivedCommand): void {
  dialogue.answer(command.transactionId, [undefined]);
  const status = { level: "status", code: "NetStream.Publish.Start", description: nameOf(dialogue, command) };
  dialogue.exchange.sendCommand(callOf("onFCPublish", [status]));
}

function unpublish(dialogue: ServerDialogue, command: ReceivedCommand): void {
  dialogue.answer(command.transactionId, [undefined]);
  const status = { level: "status", code: "NetStream.Unpublish.Success", description: nameOf(dialogue, command) };
  dialogue.exchange.sendCommand(callOf("onFCUnpublish", [status]));
  const id = dialogue.streams.findPublishingName(nameOf(dialogue, command)) ?? dialogue.streams.findOnlyPublishing();
  if (id !== undefined) closeStream(dialogue, id, "FCUnpublish");
}

function subscribe(dialogue: ServerDialogue, command: ReceivedCommand): void {
  dialogue.answer(command.transactionId, [undefined]);
  const status = { level: "status", code: "NetStream.Play.Start", description: nameOf(dialogue, command) };
  dialogue.exchange.sendCommand(callOf("onFCSubscribe", [status]));
}

function nameOf({ limits }: ServerDialogue, command: ReceivedCommand): string {
  const name = command.args[0];
  return typeof name === "string" ? boundedName(name, limits) : "";
}
