/** User control messages: what happens to a message stream's buffer, and pings. RTMP 1.0 §7.1.7. */
import { ByteReader } from "@sluice/bytes/byte-reader";
import { ByteWriter } from "@sluice/bytes/byte-writer";
import { unreachable } from "@sluice/base/unreachable";
import type { MessageStreamId } from "./ids.ts";

const STREAM_EVENT_TYPES = {
  "stream-begin": 0,
  "stream-eof": 1,
  "stream-dry": 2,
  "stream-is-recorded": 4,
  "buffer-empty": 31,
  "buffer-ready": 32,
} as const;
const SET_BUFFER_LENGTH = 3;
const PING_REQUEST = 6;
const PING_RESPONSE = 7;

type StreamEvent = keyof typeof STREAM_EVENT_TYPES;

export type UserControl =
  | { readonly type: StreamEvent; readonly messageStreamId: MessageStreamId }
  | { readonly type: "set-buffer-length"; readonly messageStreamId: MessageStreamId; readonly milliseconds: number }
  /** `timestamp` means something to the asker only. */
  | { readonly type: "ping-request" | "ping-response"; readonly timestamp: number };

/** A 16-bit event type and its fields; `undefined` for unknown types. */
export function decodeUserControl(bytes: Uint8Array): UserControl | undefined {
  const r = new ByteReader(bytes);
  const eventType = r.u16();
  if (eventType === PING_REQUEST) return { type: "ping-request", timestamp: r.u32() };
  if (eventType === PING_RESPONSE) return { type: "ping-response", timestamp: r.u32() };
  if (eventType === SET_BUFFER_LENGTH)
    return { type: "set-buffer-length", messageStreamId: r.u32() as MessageStreamId, milliseconds: r.u32() };
  for (const type of Object.keys(STREAM_EVENT_TYPES) as StreamEvent[]) {
    if (STREAM_EVENT_TYPES[type] === eventType) return { type, messageStreamId: r.u32() as MessageStreamId };
  }
  return undefined;
}

export function encodeUserControl(event: UserControl): Uint8Array {
  const w = new ByteWriter(10);
  switch (event.type) {
    case "ping-request":
    case "ping-response":
      return w
        .u16(event.type === "ping-request" ? PING_REQUEST : PING_RESPONSE)
        .u32(event.timestamp)
        .finish();
    case "set-buffer-length":
      return w.u16(SET_BUFFER_LENGTH).u32(event.messageStreamId).u32(event.milliseconds).finish();
    case "stream-begin":
    case "stream-eof":
    case "stream-dry":
    case "stream-is-recorded":
    case "buffer-empty":
    case "buffer-ready":
      return w.u16(STREAM_EVENT_TYPES[event.type]).u32(event.messageStreamId).finish();
    default:
      return unreachable(event);
  }
}
