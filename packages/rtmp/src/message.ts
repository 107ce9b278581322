/** RTMP's unit after assembly, and the numbers of its types. */
import type { MessageStreamId } from "./ids.ts";

/** RTMP 1.0 §5.4 and §7.1. */
export const MESSAGE_TYPE = {
  SET_CHUNK_SIZE: 1,
  ABORT: 2,
  ACKNOWLEDGEMENT: 3,
  USER_CONTROL: 4,
  WINDOW_ACK_SIZE: 5,
  SET_PEER_BANDWIDTH: 6,
  AUDIO: 8,
  VIDEO: 9,
  DATA_AMF3: 15,
  SHARED_OBJECT_AMF3: 16,
  COMMAND_AMF3: 17,
  DATA_AMF0: 18,
  SHARED_OBJECT_AMF0: 19,
  COMMAND_AMF0: 20,
  AGGREGATE: 22,
} as const;

export interface Message {
  readonly typeId: number;
  /** Milliseconds, absolute, 0 to 2³² − 1; wraps. */
  readonly timestamp: number;
  readonly messageStreamId: MessageStreamId;
  /** The whole body, owned by whoever takes the message. */
  readonly payload: Uint8Array;
}

/** Of the types that only a publisher sends. */
export function isMedia(typeId: number): boolean {
  const { AUDIO, VIDEO, DATA_AMF0, DATA_AMF3, AGGREGATE } = MESSAGE_TYPE;
  return typeId === AUDIO || typeId === VIDEO || typeId === DATA_AMF0 || typeId === DATA_AMF3 || typeId === AGGREGATE;
}
