/** Messages of a connected client that are no commands, to events. */
import type { RtmpLimits } from "./limits.ts";
import { readMedia, readSharedObject } from "./message-events.ts";
import { MESSAGE_TYPE, type Message } from "./message.ts";
import type { ServerDialogue } from "./server-dialogue.ts";
import { decodeUserControl } from "./user-control.ts";

/** Types that nobody has told us of pass silently. @throws {WireError | LimitError} */
export function routeMessage(dialogue: ServerDialogue, message: Message, limits: RtmpLimits): void {
  switch (message.typeId) {
    case MESSAGE_TYPE.ACKNOWLEDGEMENT:
      return dialogue.tell({ type: "acknowledgement", bytes: dialogue.exchange.acknowledgedBytes });
    case MESSAGE_TYPE.USER_CONTROL:
      return routeUserControl(dialogue, message);
    case MESSAGE_TYPE.SHARED_OBJECT_AMF0:
    case MESSAGE_TYPE.SHARED_OBJECT_AMF3: {
      const event = readSharedObject(message);
      if (event !== undefined) dialogue.tell(event);
      return;
    }
    default:
      return routeMedia(dialogue, message, limits);
  }
}

/** Media counts only where a publish was asked for; it may come before the verdict. */
function routeMedia(dialogue: ServerDialogue, message: Message, limits: RtmpLimits): void {
  const messageStreamId = dialogue.streams.findPublishing(message.messageStreamId);
  if (messageStreamId === undefined) return;
  for (const event of readMedia(message, messageStreamId, limits)) dialogue.tell(event);
}

function routeUserControl(dialogue: ServerDialogue, message: Message): void {
  const event = decodeUserControl(message.payload);
  if (event?.type === "set-buffer-length") {
    const { messageStreamId, milliseconds } = event;
    dialogue.peerBufferMillis = milliseconds;
    dialogue.tell({ type: "buffer-length", messageStreamId, milliseconds });
  } else if (event?.type === "ping-response") {
    dialogue.tell({ type: "ping-response", timestamp: event.timestamp });
  }
}
