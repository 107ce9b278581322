/** Splits lose nothing, and a reader that depends on where its input was cut is caught. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { everySplitGives, splitAt, splitEvery, splits } from "@sluice/testkit/byte-splitter";
import { hex, toHex } from "@sluice/testkit/hex";
import fc from "fast-check";

const BYTES = hex("01 02 03 04 05 06 07");

test("splitEvery cuts equal pieces and a shorter last one", () => {
  assert.deepEqual(splitEvery(BYTES, 3).map(toHex), ["01 02 03", "04 05 06", "07"]);
  assert.deepEqual(splitEvery(new Uint8Array(0), 3), []);
});

test("splitAt sorts its offsets and ignores those that cut nothing", () => {
  assert.deepEqual(splitAt(BYTES, [5, 2, 2, 0, 7, 99]).map(toHex), ["01 02", "03 04 05", "06 07"]);
});

test("any split joined again is the whole", () => {
  fc.assert(
    fc.property(
      fc.uint8Array().chain((bytes) => fc.tuple(fc.constant(bytes), splits(bytes))),
      ([bytes, pieces]) => assert.deepEqual(new Uint8Array(Buffer.concat(pieces)), bytes),
    ),
  );
});

test("everySplitGives answers what the whole gave", () => {
  const sum = everySplitGives(BYTES, (pieces) => pieces.flatMap((piece) => [...piece]).reduce((a, b) => a + b, 0));
  assert.equal(sum, 28);
});

test("everySplitGives catches a reader that takes a piece for a message", () => {
  assert.throws(() => everySplitGives(BYTES, (pieces) => pieces.length), /differ from the whole/);
});

test("hex refuses half a byte and what is no digit", () => {
  assert.throws(() => hex("0"), TypeError);
  assert.throws(() => hex("zz"), TypeError);
  assert.equal(toHex(hex("00 fF\n7f")), "00 ff 7f");
});
