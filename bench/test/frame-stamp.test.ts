/** The frame of the TypeScript load generator is the frame of the C programs. */
import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { FrameMint } from "../../tools/loadgen/frame-stamp.ts";

const mint = new FrameMint();

/** First bytes as bench/native/frame.c writes them. */
const FROM_C = [
  {
    says: "audio frame 5",
    identity: { isAudio: true, sequence: 5, sent: 123_456_789_012_345n },
    bytes: 340,
    start: "af01d59c8080809c8988b0b7bef980808080858b8692e297d9eed1b684afbbe5ee93a4af",
  },
  {
    says: "video frame 61, no key frame",
    identity: { isAudio: false, sequence: 61, sent: 987_654_321n },
    bytes: 3_020,
    start: "270100000000000bc341d59c808080808083d6f9d1b180808080bd89819ad4dd93bf81d9f4a390b1",
  },
] as const;

for (const { says, identity, bytes, start } of FROM_C) {
  test(`frame stamp: ${says} is what the C program writes`, () => {
    const body = mint.write(identity);
    assert.equal(body.length, bytes);
    assert.equal(Buffer.from(body.subarray(0, start.length / 2)).toString("hex"), start);
  });
}

test("frame stamp: what is written checks as good, with the same sequence and time", () => {
  const sequences = fc.integer({ min: 0, max: 0xffff_ffff });
  const times = fc.bigInt({ min: 0n, max: (1n << 63n) - 1n });
  fc.assert(
    fc.property(fc.boolean(), sequences, times, (isAudio, sequence, sent) => {
      const verdict = mint.check(mint.write({ isAudio, sequence, sent }), isAudio);
      assert.deepEqual(verdict, {
        kind: "good",
        stamp: { isKeyframe: !isAudio && sequence % 60 === 0, sent, sequence },
      });
    }),
    { numRuns: 60 },
  );
});

test("frame stamp: one changed bit anywhere is damage", () => {
  const whole = mint.write({ isAudio: true, sequence: 9, sent: 77n });
  for (let at = 2; at < whole.length; at++) {
    const body = Uint8Array.from(whole);
    body[at] = (body[at] ?? 0) ^ 0x10;
    assert.equal(mint.check(body, true).kind, "damaged", `byte ${at}`);
  }
});

test("frame stamp: a sequence header is not a frame, and a short body is damage", () => {
  assert.equal(mint.check(Uint8Array.of(0xaf, 0, 0x11, 0x90), true).kind, "header");
  assert.equal(mint.check(Uint8Array.of(0x27, 1, 0, 0, 0), false).kind, "damaged");
});
