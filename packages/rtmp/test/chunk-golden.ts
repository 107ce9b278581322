/** Chunks by hand and the messages they hold. */

/** Type, time, message stream id, body in hexadecimal. */
export type Expected = readonly [typeId: number, timestamp: number, messageStreamId: number, body: string];

export interface ChunkRow {
  readonly rule: string;
  readonly says: string;
  readonly bytes: string;
  readonly messages: readonly Expected[];
  /** Chunk size in force from the start; 128 when left out. */
  readonly chunkSize?: number;
}

export const CHUNK_GOLDEN: readonly ChunkRow[] = [
  { rule: "CHK1", says: "one-byte id", bytes: "04 000001 000001 08 00000000 aa", messages: [[8, 1, 0, "aa"]] },
  { rule: "CHK1", says: "two-byte id 64", bytes: "00 00 000001 000001 08 00000000 aa", messages: [[8, 1, 0, "aa"]] },
  {
    rule: "CHK1",
    says: "three-byte id, low byte first, is the two-byte one",
    bytes: "00 0a 000005 000001 08 01000000 aa  c1 0a 00 bb",
    messages: [
      [8, 5, 1, "aa"],
      [8, 10, 1, "bb"],
    ],
  },
  {
    rule: "CHK1",
    says: "the largest id, 65599",
    bytes: "01 ff ff 000000 000001 09 00000000 aa  c1 ff ff bb",
    messages: [
      [9, 0, 0, "aa"],
      [9, 0, 0, "bb"],
    ],
  },
  {
    rule: "CHK1",
    says: "3 in one byte and 67 in two bytes are two streams",
    bytes: "03 000001 000001 08 00000000 aa  00 03 000002 000001 09 00000000 bb",
    messages: [
      [8, 1, 0, "aa"],
      [9, 2, 0, "bb"],
    ],
  },
  {
    rule: "CHK2",
    says: "message stream id little-endian",
    bytes: "04 010203 000002 08 01020304 aabb",
    messages: [[8, 0x010203, 0x04030201, "aabb"]],
  },
  {
    rule: "CHK3",
    says: "long body in chunks of 2",
    bytes: "04 000001 000005 08 00000000 aabb c4 ccdd c4 ee",
    chunkSize: 2,
    messages: [[8, 1, 0, "aabbccddee"]],
  },
  {
    rule: "CHK5",
    says: "extended absolute time, on each chunk",
    bytes: "04 ffffff 000003 08 00000000 01000000 aabb c4 01000000 cc",
    chunkSize: 2,
    messages: [[8, 0x01000000, 0, "aabbcc"]],
  },
  {
    rule: "CHK5",
    says: "extended field of exactly 16,777,215",
    bytes: "04 ffffff 000001 08 00000000 00ffffff aa",
    messages: [[8, 0xffffff, 0, "aa"]],
  },
  {
    rule: "CHK5",
    says: "extended delta",
    bytes: "04 000005 000001 08 00000000 aa  44 ffffff 000003 08 01000000 bbcc c4 01000000 dd",
    chunkSize: 2,
    messages: [
      [8, 5, 0, "aa"],
      [8, 0x01000005, 0, "bbccdd"],
    ],
  },
  {
    rule: "CHK6",
    says: "extended time left out of format 3",
    bytes: "04 ffffff 000005 08 00000000 01000000 aabb c4 ccdd c4 ee",
    chunkSize: 2,
    messages: [[8, 0x01000000, 0, "aabbccddee"]],
  },
  {
    rule: "CHK6",
    says: "left out, and the body begins like the time",
    bytes: "04 ffffff 000006 08 00000000 01000000 aabb c4 0100 c4 eeff",
    chunkSize: 2,
    messages: [[8, 0x01000000, 0, "aabb0100eeff"]],
  },
  {
    rule: "CHK6",
    says: "format 3 that repeats the full time behind an extended delta",
    bytes: "04 000005 000001 08 00000000 aa  44 ffffff 000003 08 01000000 bbcc c4 01000005 dd",
    chunkSize: 2,
    messages: [
      [8, 5, 0, "aa"],
      [8, 0x01000005, 0, "bbccdd"],
    ],
  },
  {
    rule: "CHK7",
    says: "format 3 opens: the delta of format 2 once more",
    bytes: "04 000064 000001 08 00000000 aa  84 000017 bb  c4 cc  c4 dd",
    messages: [
      [8, 100, 0, "aa"],
      [8, 123, 0, "bb"],
      [8, 146, 0, "cc"],
      [8, 169, 0, "dd"],
    ],
  },
  {
    rule: "CHK7",
    says: "after format 0 its time counts as the delta",
    bytes: "04 000064 000001 08 00000000 aa  c4 bb",
    messages: [
      [8, 100, 0, "aa"],
      [8, 200, 0, "bb"],
    ],
  },
  {
    rule: "CHK8",
    says: "a delta over 16,777,215",
    bytes: "04 fffff0 000001 08 00000000 aa  84 000020 bb  c4 cc",
    messages: [
      [8, 0xfffff0, 0, "aa"],
      [8, 0x1000010, 0, "bb"],
      [8, 0x1000030, 0, "cc"],
    ],
  },
  {
    rule: "CHK8",
    says: "a delta over 2³² − 1",
    bytes: "04 ffffff 000001 08 00000000 fffffff0 aa  84 000020 bb  c4 cc",
    messages: [
      [8, 0xfffffff0, 0, "aa"],
      [8, 0x10, 0, "bb"],
      [8, 0x30, 0, "cc"],
    ],
  },
  {
    rule: "CHK8",
    says: "a delta over 2³¹",
    bytes: "04 ffffff 000001 08 00000000 7ffffff0 aa  84 000020 bb",
    messages: [
      [8, 0x7ffffff0, 0, "aa"],
      [8, 0x80000010, 0, "bb"],
    ],
  },
  {
    rule: "CHK8",
    says: "a full header whose time goes back",
    bytes: "04 000064 000001 08 00000000 aa  04 000005 000001 08 00000000 bb",
    messages: [
      [8, 100, 0, "aa"],
      [8, 5, 0, "bb"],
    ],
  },
  {
    rule: "CHK9",
    says: "first chunk of format 1, as librtmp pings",
    bytes: "42 000000 000006 04 0006 00000001",
    messages: [[4, 0, 0, "000600000001"]],
  },
  { rule: "CHK9", says: "first chunk of format 2", bytes: "84 000007", messages: [[0, 7, 0, ""]] },
  {
    rule: "CHK9",
    says: "first chunk of format 3",
    bytes: "c4 04 000007 000001 08 00000000 aa",
    messages: [
      [0, 0, 0, ""],
      [8, 7, 0, "aa"],
    ],
  },
  {
    rule: "CHK10",
    says: "two messages interleaved",
    bytes: "04 000001 000003 08 00000000 aabb  06 000002 000003 09 00000000 1122  c4 cc  c6 33",
    chunkSize: 2,
    messages: [
      [8, 1, 0, "aabbcc"],
      [9, 2, 0, "112233"],
    ],
  },
  {
    rule: "CHK11",
    says: "a new header in the middle",
    bytes: "04 000001 000003 08 00000000 aabb  04 000002 000002 08 00000000 1122",
    chunkSize: 2,
    messages: [[8, 2, 0, "1122"]],
  },
  {
    rule: "CHK11",
    says: "a short header in the middle",
    bytes: "04 000001 000003 08 00000000 aabb  44 000002 000002 08 1122",
    chunkSize: 2,
    messages: [[8, 3, 0, "1122"]],
  },
  {
    rule: "CHK12",
    says: "zero length, then format 3 repeats it",
    bytes: "04 00000a 000000 08 01000000  c4  06 000001 000001 09 01000000 aa",
    messages: [
      [8, 10, 1, ""],
      [8, 20, 1, ""],
      [9, 1, 1, "aa"],
    ],
  },
];
