/** Media and shared-object messages as events, alike for both sides. */
import { decodeAggregate } from "./aggregate-message.ts";
import { withoutAmf3Prefix } from "./command-message.ts";
import { readDataBody } from "./data-message.ts";
import type { MessageStreamId } from "./ids.ts";
import type { RtmpLimits } from "./limits.ts";
import { MESSAGE_TYPE, type Message } from "./message.ts";
import type { MediaEvent, SharedObjectReceived } from "./server-event.ts";
import { decodeSharedObject } from "./shared-object-message.ts";

const NONE: readonly MediaEvent[] = [];

/**
 * One event for audio, video and data, several for an aggregate, none for other types.
 *
 * @param messageStreamId  the stream that the media counts for
 * @throws {WireError | LimitError}
 */
export function readMedia(
  message: Message,
  messageStreamId: MessageStreamId,
  limits: RtmpLimits,
): readonly MediaEvent[] {
  if (message.typeId === MESSAGE_TYPE.AGGREGATE)
    return decodeAggregate(message.payload, message.timestamp, limits)
      .map((part) => readOne(part, messageStreamId))
      .filter((event) => event !== undefined);
  const event = readOne(message, messageStreamId);
  return event === undefined ? NONE : [event];
}

/**
 * @param message  of one of the two types of shared objects
 * @throws {WireError | LimitError}
 */
export function readSharedObject({ typeId, payload }: Message, limits: RtmpLimits): SharedObjectReceived {
  const encoding = typeId === MESSAGE_TYPE.SHARED_OBJECT_AMF3 ? "amf3" : "amf0";
  return { type: "shared-object", message: decodeSharedObject(payload, encoding, limits) };
}

function readOne(
  message: Pick<Message, "typeId" | "timestamp" | "payload">,
  messageStreamId: MessageStreamId,
): MediaEvent | undefined {
  const { typeId, timestamp, payload } = message;
  switch (typeId) {
    case MESSAGE_TYPE.AUDIO:
      return { type: "media", kind: "audio", messageStreamId, timestamp, payload };
    case MESSAGE_TYPE.VIDEO:
      return { type: "media", kind: "video", messageStreamId, timestamp, payload };
    case MESSAGE_TYPE.DATA_AMF0:
    case MESSAGE_TYPE.DATA_AMF3: {
      const body = readDataBody(withoutAmf3Prefix(payload, typeId));
      return { type: "media", kind: "data", messageStreamId, timestamp, payload: body.payload, data: body.purpose };
    }
    default:
      return undefined;
  }
}
