/** The writer across the moments when its buffer is replaced by a larger one. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ByteWriter } from "@sluice/bytes/byte-writer";

test("every write that makes the buffer grow lands in the new buffer", () => {
  for (let capacity = 1; capacity <= 8; capacity++) {
    const w = new ByteWriter(capacity).u8(1).u16(0x0203).u24(0x040506).u32(0x0708090a).bytes(Uint8Array.of(11, 12));
    w.u32le(0x100f0e0d).utf8("ABCDEFGHIJKLMNOP").u8(33).f64(0);
    const text = Array.from({ length: 16 }, (_, i) => 65 + i);
    const count = Array.from({ length: 16 }, (_, i) => i + 1);
    assert.deepEqual([...w.finish()], [...count, ...text, 33, 0, 0, 0, 0, 0, 0, 0, 0]);
  }
});

test("a length can be filled in once it is known, also after the buffer was replaced", () => {
  const w = new ByteWriter(1).u8(9).u32(0).utf8("ABC");
  w.u32At(1, 0xfffefdfc);
  assert.deepEqual([...w.finish()], [9, 0xff, 0xfe, 0xfd, 0xfc, 65, 66, 67]);
});
