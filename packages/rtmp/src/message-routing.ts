/** Messages of a connected client that are no commands, to events. */
import { decodeAggregate } from "./aggregate-message.ts";
import { withoutAmf3Prefix } from "./command-message.ts";
import { readDataBody } from "./data-message.ts";
import type { RtmpLimits } from "./limits.ts";
import { MESSAGE_TYPE, type Message } from "./message.ts";
import type { ServerDialogue } from "./server-dialogue.ts";
import { decodeUserControl } from "./user-control.ts";

/** Types that nobody has told us of pass silently. @throws {WireError | LimitError} */
export function routeMessage(dialogue: ServerDialogue, message: Message, limits: RtmpLimits): void {
  switch (message.typeId) {
    case MESSAGE_TYPE.AUDIO:
    case MESSAGE_TYPE.VIDEO:
    case MESSAGE_TYPE.DATA_AMF0:
    case MESSAGE_TYPE.DATA_AMF3:
      return routeMedia(dialogue, message);
    case MESSAGE_TYPE.AGGREGATE:
      for (const part of decodeAggregate(message.payload, message.timestamp, limits))
        routeMedia(dialogue, { ...part, messageStreamId: message.messageStreamId });
      return;
    case MESSAGE_TYPE.SHARED_OBJECT_AMF0:
    case MESSAGE_TYPE.SHARED_OBJECT_AMF3:
      return routeSharedObject(dialogue, message);
    case MESSAGE_TYPE.ACKNOWLEDGEMENT:
      return dialogue.tell({ type: "acknowledgement", bytes: dialogue.exchange.acknowledgedBytes });
    case MESSAGE_TYPE.USER_CONTROL:
      return routeUserControl(dialogue, message);
  }
}

/** Media counts only where a publish was asked for; it may come before the verdict. */
function routeMedia(dialogue: ServerDialogue, message: Message): void {
  const messageStreamId = dialogue.streams.findPublishing(message.messageStreamId);
  if (messageStreamId === undefined) return;
  const { typeId, timestamp, payload } = message;
  if (typeId === MESSAGE_TYPE.AUDIO || typeId === MESSAGE_TYPE.VIDEO) {
    const kind = typeId === MESSAGE_TYPE.AUDIO ? "audio" : "video";
    dialogue.tell({ type: "media", kind, messageStreamId, timestamp, payload });
  } else if (typeId === MESSAGE_TYPE.DATA_AMF0 || typeId === MESSAGE_TYPE.DATA_AMF3) {
    const body = readDataBody(withoutAmf3Prefix(payload, typeId));
    dialogue.tell({
      type: "media",
      kind: "data",
      messageStreamId,
      timestamp,
      payload: body.payload,
      data: body.purpose,
    });
  }
}

function routeSharedObject(dialogue: ServerDialogue, message: Message): void {
  const { messageStreamId, timestamp, payload } = message;
  const encoding = message.typeId === MESSAGE_TYPE.SHARED_OBJECT_AMF3 ? "amf3" : "amf0";
  dialogue.tell({ type: "shared-object", messageStreamId, encoding, timestamp, payload });
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
