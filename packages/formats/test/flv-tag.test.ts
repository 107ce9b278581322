/** FLV as a byte stream: header, tags, splits, and what is refused. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ByteQueue } from "@sluice/bytes/byte-queue";
import { LimitError, WireError } from "@sluice/bytes/wire-error";
import { FlvTagTypeError } from "@sluice/formats/flv/flv-errors";
import {
  encodeFlvTagInto,
  type FlvTag,
  type FlvTagType,
  flvTagByteCount,
  takeFlvHeader,
  takeTag,
  writeFlvHeader,
} from "@sluice/formats/flv/flv-tag";
import { fuzz } from "@sluice/testkit/fuzz";
import { goldenSeeds } from "@sluice/testkit/golden";
import { hex } from "@sluice/testkit/hex";
import fc from "fast-check";
import { readFixture } from "./fixture.ts";

const HEADER = "464c5601 05 00000009 00000000";
const TAGS = [
  {
    rule: "FLV3",
    says: "low bytes",
    type: "audio",
    timestamp: 0x010203,
    bytes: "08 000001 010203 00 000000 ff 0000000c",
  },
  {
    rule: "FLV3",
    says: "high byte",
    type: "video",
    timestamp: 0x01000000,
    bytes: "09 000001 000000 01 000000 ff 0000000c",
  },
  {
    rule: "FLV3",
    says: "last",
    type: "script",
    timestamp: 0xffffffff,
    bytes: "12 000001 ffffff ff 000000 ff 0000000c",
  },
] as const;

function queueOf(...pieces: readonly Uint8Array[]): ByteQueue {
  const queue = new ByteQueue();
  for (const piece of pieces) queue.offer(piece);
  return queue;
}

function takeAll(queue: ByteQueue): FlvTag[] {
  const tags: FlvTag[] = [];
  for (let tag = takeTag(queue); tag; tag = takeTag(queue)) tags.push(tag);
  return tags;
}

for (const { rule, says, type, timestamp, bytes } of TAGS) {
  test(`[${rule}] tag timestamp: ${says}`, () => {
    const tag = takeTag(queueOf(hex(bytes)));
    assert.deepEqual(tag, { type, timestamp, body: hex("ff"), isAmf3: false, isBackPointerRight: true });
    const written = new Uint8Array(flvTagByteCount(1) + 2);
    assert.equal(encodeFlvTagInto(written, 2, type, timestamp, hex("ff")), written.length);
    assert.deepEqual(written.subarray(2), hex(bytes));
  });
}

test("[FLV7] the header that opens a stream", () => {
  assert.deepEqual(writeFlvHeader(true, true), hex(HEADER));
  assert.deepEqual(takeFlvHeader(queueOf(writeFlvHeader(false, true))), { hasAudio: false, hasVideo: true });
  assert.deepEqual(takeFlvHeader(queueOf(writeFlvHeader(true, false))), { hasAudio: true, hasVideo: false });
});

test("[FLV2] a longer header is skipped to its data offset", () => {
  const queue = queueOf(hex("464c5601 01 0000000b eeee 00000000 99"));
  assert.deepEqual(takeFlvHeader(queue), { hasAudio: false, hasVideo: true });
  assert.equal(queue.peekU8(), 0x99);
});

for (const { says, bytes } of [
  { says: "HTTP", bytes: "47" },
  { says: "MP4", bytes: "464c57" },
  { says: "a version of the future", bytes: "464c5602" },
  { says: "a data offset inside the header", bytes: "464c5601 05 00000008" },
  { says: "a data offset that nobody sends", bytes: "464c5601 05 ffffffff" },
]) {
  test(`[FLV2] refused at the first wrong byte: ${says}`, () => {
    assert.throws(() => takeFlvHeader(queueOf(hex(bytes))), { code: "WIRE_FLV_HEADER" });
  });
}

test("[FLV1] nothing is consumed until header and tag are whole", () => {
  const bytes = hex(`${HEADER} ${TAGS[0].bytes}`);
  for (let end = 0; end < bytes.length; end++) {
    const queue = queueOf(bytes.subarray(0, end));
    const header = takeFlvHeader(queue);
    assert.equal(header === undefined, end < 13);
    assert.equal(takeTagOrNothing(queue, header !== undefined), undefined);
    assert.equal(queue.length, end < 13 ? end : end - 13);
  }
});

function takeTagOrNothing(queue: ByteQueue, isOpen: boolean): FlvTag | undefined {
  return isOpen ? takeTag(queue) : undefined;
}

test("[FLV1] any split of a real file gives the same tags", () => {
  const file = readFixture("flv/avc-aac.flv");
  const whole = queueOf(file);
  const header = takeFlvHeader(whole);
  const expected = takeAll(whole);
  assert.equal(whole.length, 0);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1 }), (sizes) => {
      const queue = new ByteQueue();
      const tags: FlvTag[] = [];
      let opened: ReturnType<typeof takeFlvHeader>;
      for (let at = 0, i = 0; at < file.length; i++) {
        const size = sizes[i % sizes.length] as number;
        queue.offer(file.subarray(at, at + size));
        at += size;
        opened ??= takeFlvHeader(queue);
        if (opened !== undefined) tags.push(...takeAll(queue));
      }
      assert.deepEqual(opened, header);
      assert.deepEqual(tags, expected);
    }),
    { numRuns: 50 },
  );
});

for (const name of ["avc-aac", "h263-mp3", "long-clock"]) {
  test(`[FLV7] ${name}.flv written again is the same file`, () => {
    const file = readFixture(`flv/${name}.flv`);
    const queue = queueOf(file);
    const header = takeFlvHeader(queue);
    assert.ok(header);
    const written = new Uint8Array(file.length);
    written.set(writeFlvHeader(header.hasAudio, header.hasVideo));
    let at = 13;
    for (const tag of takeAll(queue)) {
      assert.equal(tag.isBackPointerRight, true);
      at = encodeFlvTagInto(written, at, tag.type, tag.timestamp, tag.body);
    }
    assert.equal(at, file.length);
    assert.deepEqual(written, file);
  });
}

test("[FLV3] every tag comes back as it was written", () => {
  const type = fc.constantFrom<FlvTagType>("audio", "video", "script");
  fc.assert(
    fc.property(
      type,
      fc.integer({ min: 0, max: 0xffffffff }),
      fc.uint8Array({ maxLength: 300 }),
      (kind, time, body) => {
        const bytes = new Uint8Array(flvTagByteCount(body.length));
        assert.equal(encodeFlvTagInto(bytes, 0, kind, time, body), bytes.length);
        const tag = takeTag(queueOf(bytes));
        assert.deepEqual(tag, { type: kind, timestamp: time, body, isAmf3: false, isBackPointerRight: true });
      },
    ),
  );
});

test("[FLV4] a wrong back pointer is told and ends nothing", () => {
  const queue = queueOf(hex("08 000000 000000 00 000000 00000000"), hex(TAGS[1].bytes));
  assert.deepEqual(
    takeAll(queue).map((tag) => tag.isBackPointerRight),
    [false, true],
  );
});

for (const typeByte of [0x00, 0x0a, 0x13, 0x29, 0x47]) {
  test(`[FLV5] type byte ${typeByte} is refused at once`, () => {
    assert.throws(
      () => takeTag(queueOf(Uint8Array.of(typeByte))),
      (error) => {
        assert.ok(error instanceof FlvTagTypeError);
        assert.deepEqual(error.context, { typeByte });
        return true;
      },
    );
  });
}

test("[FLV6] a tag above the limit is refused at its header", () => {
  const head = hex("09 000005 000000 00 000000");
  assert.equal(takeTag(queueOf(head), { tagBytes: 5 }), undefined);
  assert.throws(() => takeTag(queueOf(head), { tagBytes: 4 }), { code: "LIMIT_FLV_TAG_BYTES" });
  assert.throws(() => takeTag(queueOf(hex("09 ffffff 000000 00 000000"))), LimitError);
});

test("[FLV8] script data that may hold AMF3", () => {
  const tag = takeTag(queueOf(hex("0f 000002 000000 00 000000 0005 0000000d")));
  assert.equal(tag?.type, "script");
  assert.equal(tag?.isAmf3, true);
});

fuzz(
  "[FMT1] flv stream",
  (bytes) => {
    const queue = queueOf(bytes);
    if (takeFlvHeader(queue) !== undefined) takeAll(queue);
  },
  {
    seeds: [...goldenSeeds([{ bytes: HEADER + TAGS[0].bytes }]), readFixture("flv/long-clock.flv")],
    allowed: [WireError, LimitError],
  },
);
