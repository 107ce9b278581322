/** Bodies of control messages and what they say. */

export const SET_CHUNK_SIZE = [
  { rule: "CHK4", says: "smallest legal size", bytes: "00 00 00 01", value: 1 },
  { rule: "CHK4", says: "largest useful size", bytes: "00 ff ff ff", value: 0xffffff },
] as const;

export const SET_PEER_BANDWIDTH = [
  { rule: "CTL3", says: "hard", bytes: "00 26 25 a0 00", value: { windowAckSize: 2_500_000, limit: "hard" } },
  { rule: "CTL3", says: "soft", bytes: "00 00 00 01 01", value: { windowAckSize: 1, limit: "soft" } },
  { rule: "CTL3", says: "dynamic", bytes: "ff ff ff ff 02", value: { windowAckSize: 0xffffffff, limit: "dynamic" } },
] as const;

export const USER_CONTROL = [
  { rule: "CTL5", says: "stream begin", bytes: "0000 00000001", value: { type: "stream-begin", messageStreamId: 1 } },
  { rule: "CTL5", says: "stream EOF", bytes: "0001 00000001", value: { type: "stream-eof", messageStreamId: 1 } },
  { rule: "CTL5", says: "stream dry", bytes: "0002 00000001", value: { type: "stream-dry", messageStreamId: 1 } },
  {
    rule: "CTL5",
    says: "set buffer length, with a big-endian stream id",
    bytes: "0003 00000001 00000bb8",
    value: { type: "set-buffer-length", messageStreamId: 1, milliseconds: 3000 },
  },
  { rule: "CTL5", says: "recorded", bytes: "0004 00000002", value: { type: "stream-is-recorded", messageStreamId: 2 } },
  {
    rule: "CTL4",
    says: "ping request",
    bytes: "0006 ffffffff",
    value: { type: "ping-request", timestamp: 0xffffffff },
  },
  { rule: "CTL4", says: "ping response", bytes: "0007 00000001", value: { type: "ping-response", timestamp: 1 } },
  { rule: "CTL5", says: "buffer empty", bytes: "001f 00000001", value: { type: "buffer-empty", messageStreamId: 1 } },
  { rule: "CTL5", says: "buffer ready", bytes: "0020 00000001", value: { type: "buffer-ready", messageStreamId: 1 } },
] as const;

/** Body of an aggregate, and its parts when the aggregate stands at the time of its first part. */
export const AGGREGATE = [
  {
    rule: "MSG3",
    says: "audio then video, with time over 24 bits",
    bytes: "08 000002 000010 01 000000 af01 0000000d  09 000001 000020 01 000000 17 0000000c",
    value: [
      { typeId: 8, timestamp: 0x01000010, payload: "af01" },
      { typeId: 9, timestamp: 0x01000020, payload: "17" },
    ],
  },
  { rule: "MSG3", says: "nothing", bytes: "", value: [] },
] as const;
