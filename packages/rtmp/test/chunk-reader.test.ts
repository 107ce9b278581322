/** Chunks to messages: the golden table, splits, chunk sizes under way. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { SlabAllocator } from "@sluice/bytes/allocator";
import { LimitError, WireError } from "@sluice/bytes/wire-error";
import { ChunkReader } from "@sluice/rtmp/chunk-reader";
import { RtmpLimitError } from "@sluice/rtmp/errors";
import type { Message } from "@sluice/rtmp/message";
import { everySplitGives } from "@sluice/testkit/byte-splitter";
import { fuzz } from "@sluice/testkit/fuzz";
import { goldenSeeds } from "@sluice/testkit/golden";
import { hex } from "@sluice/testkit/hex";
import { CHUNK_GOLDEN, type Expected } from "./chunk-golden.ts";
import { join, limitsWith } from "./ports.ts";

const ROOMY = limitsWith({});

function createReader(chunkSize = 128, limits = ROOMY): ChunkReader {
  const reader = new ChunkReader({ limits, allocator: new SlabAllocator() });
  reader.setChunkSize(chunkSize);
  return reader;
}

function feed(reader: ChunkReader, pieces: readonly Uint8Array[]): Expected[] {
  const messages: Expected[] = [];
  for (const piece of pieces) {
    reader.offer(piece);
    for (let message = reader.takeMessage(); message; message = reader.takeMessage()) messages.push(brief(message));
  }
  return messages;
}

function brief(message: Message): Expected {
  const { typeId, timestamp, messageStreamId, payload } = message;
  return [typeId, timestamp, messageStreamId, Buffer.from(payload).toString("hex")];
}

for (const { rule, says, bytes, messages, chunkSize } of CHUNK_GOLDEN) {
  test(`[${rule}] [CHK13] chunks: ${says}`, () => {
    const run = (pieces: readonly Uint8Array[]): Expected[] => feed(createReader(chunkSize), pieces);
    assert.deepEqual(everySplitGives(hex(bytes), run, { runs: 40 }), messages);
  });
}

test("[CHK3] a new chunk size holds from the next chunk on, inside messages under way", () => {
  const reader = createReader(2);
  assert.deepEqual(feed(reader, [hex("04 000001 000006 08 00000000 aabb")]), []);
  reader.setChunkSize(3);
  assert.deepEqual(feed(reader, [hex("06 000002 000004 09 00000000 112233 c4 ccddee c6 44 c4 ff")]), [
    [9, 2, 0, "11223344"],
    [8, 1, 0, "aabbccddeeff"],
  ]);
});

test("[CHK3] a chunk cut by the transport keeps the size it began with", () => {
  const reader = createReader(4);
  feed(reader, [hex("04 000001 000006 08 00000000 aabb")]);
  reader.setChunkSize(1);
  assert.deepEqual(feed(reader, [hex("ccdd c4 ee c4 ff")]), [[8, 1, 0, "aabbccddeeff"]]);
});

test("[CHK10] Abort drops the unfinished message, and the stream goes on", () => {
  const reader = createReader(2);
  feed(reader, [hex("04 000001 000003 08 00000000 aabb")]);
  assert.equal(reader.reservedBytes, 3);
  reader.abort(4);
  reader.abort(5);
  assert.equal(reader.reservedBytes, 0);
  assert.deepEqual(feed(reader, [hex("84 000002 1122 c4 33")]), [[8, 3, 0, "112233"]]);
});

test("[RLM2] a lying length reserves eagerBytes, and grows as bytes come", () => {
  const limits = limitsWith({ eagerBytes: 16, messageBytes: 1_000_000, partialBytes: 1_000_000 });
  const reader = createReader(100, limits);
  feed(reader, [hex("04 000001 0c3500 08 00000000 aa")]);
  assert.equal(reader.reservedBytes, 16);
  feed(reader, [new Uint8Array(40)]);
  assert.ok(reader.reservedBytes >= 41 && reader.reservedBytes <= 82, `${reader.reservedBytes}`);
});

test("[RLM2] a grown message keeps its bytes and reserves nothing once delivered", () => {
  const limits = limitsWith({ eagerBytes: 4 });
  const reader = createReader(3, limits);
  const [message] = feed(reader, [hex("04 000001 00000a 08 00000000 010203 c4 040506 c4 070809 c4 0a")]);
  assert.equal(message?.[3], "0102030405060708090a");
  assert.equal(reader.reservedBytes, 0);
});

for (const { limit, limits, bytes } of [
  { limit: "chunkStreams", limits: { chunkStreams: 2 }, bytes: "c2 c3 c4" },
  { limit: "messageBytes", limits: { messageBytes: 9 }, bytes: "04 000001 00000a 08 00000000" },
  {
    limit: "partialBytes",
    limits: { partialBytes: 9 },
    bytes: "04 000001 000005 08 00000000 aa 05 000001 000005 08 00000000",
  },
] as const) {
  test(`[RLM1] ${limit} ends the session`, () => {
    const reader = createReader(1, limitsWith(limits));
    assert.throws(
      () => feed(reader, [hex(bytes)]),
      (error) => error instanceof RtmpLimitError && error.code === "LIMIT_RTMP" && error.context.limit === limit,
    );
  });
}

test("[RLM1] 65,000 chunk streams are refused long before memory feels them", () => {
  const reader = createReader();
  const bytes = new Uint8Array(65_000 * 3);
  for (let i = 0; i < 65_000; i++) bytes.set([0xc1, i & 0xff, i >> 8], 3 * i);
  assert.throws(() => feed(reader, [bytes]), LimitError);
});

const seeds = goldenSeeds(CHUNK_GOLDEN);
fuzz("[RLM3] chunk-reader", (bytes) => feed(createReader(2), [bytes]), { seeds, allowed: [WireError, LimitError] });

fuzz(
  "[CHK13] chunk-reader, cut in two",
  (bytes) => {
    const cut = (bytes[0] ?? 0) % (bytes.length + 1);
    const run = (pieces: readonly Uint8Array[]): unknown => {
      try {
        return feed(createReader(3), pieces);
      } catch (error) {
        return (error as Error).name;
      }
    };
    assert.deepEqual(run([bytes.subarray(0, cut), bytes.subarray(cut)]), run([bytes]));
  },
  { seeds: [...seeds, join(...seeds)], allowed: [] },
);
