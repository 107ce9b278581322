/** Numbers and text against golden bytes, in both directions, and every way to read too far. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ByteReader, decodeUtf8 } from "@sluice/bytes/byte-reader";
import { ByteWriter, encodeUtf8 } from "@sluice/bytes/byte-writer";
import { ShortReadError, WireError } from "@sluice/bytes/wire-error";
import { fuzz } from "@sluice/testkit/fuzz";
import { type GoldenRow, golden, goldenSeeds } from "@sluice/testkit/golden";
import { hex } from "@sluice/testkit/hex";
import fc from "fast-check";

type Form = "u8" | "u16" | "u24" | "u32" | "u32le" | "f64";

const NUMBERS: Readonly<Record<Form, readonly GoldenRow<number>[]>> = {
  u8: [
    { rule: "BYT1", says: "smallest", bytes: "00", value: 0 },
    { rule: "BYT1", says: "largest", bytes: "ff", value: 255 },
  ],
  u16: [
    { rule: "BYT1", says: "order", bytes: "01 02", value: 0x0102 },
    { rule: "BYT1", says: "largest", bytes: "ff ff", value: 0xffff },
  ],
  u24: [
    { rule: "BYT1", says: "order", bytes: "01 02 03", value: 0x010203 },
    { rule: "BYT1", says: "top bit", bytes: "80 00 00", value: 0x800000 },
    { rule: "BYT1", says: "largest", bytes: "ff ff ff", value: 0xffffff },
  ],
  u32: [
    { rule: "BYT1", says: "order", bytes: "01 02 03 04", value: 0x01020304 },
    { rule: "BYT1", says: "top bit is no sign", bytes: "80 00 00 00", value: 2 ** 31 },
    { rule: "BYT1", says: "largest", bytes: "ff ff ff ff", value: 2 ** 32 - 1 },
  ],
  u32le: [
    { rule: "BYT1", says: "order", bytes: "01 02 03 04", value: 0x04030201 },
    { rule: "BYT1", says: "top bit is no sign", bytes: "00 00 00 80", value: 2 ** 31 },
  ],
  f64: [
    { rule: "BYT1", says: "one", bytes: "3f f0 00 00 00 00 00 00", value: 1 },
    { rule: "BYT1", says: "negative zero", bytes: "80 00 00 00 00 00 00 00", value: -0 },
    { rule: "BYT1", says: "infinity", bytes: "7f f0 00 00 00 00 00 00", value: Number.POSITIVE_INFINITY },
  ],
};

for (const form of Object.keys(NUMBERS) as Form[]) {
  golden(form, NUMBERS[form], {
    decode: (bytes) => new ByteReader(bytes)[form](),
    encode: (value) => new ByteWriter(1)[form](value).finish(),
  });
}

test("[BYT1] a signed 24-bit number is two's complement", () => {
  const read = (bytes: string): number => new ByteReader(hex(bytes)).i24();
  assert.deepEqual(
    [read("00 00 01"), read("ff ff ff"), read("7f ff ff"), read("80 00 00")],
    [1, -1, 0x7fffff, -0x800000],
  );
});

test("[BYT1] a 64-bit float is read at an odd offset of a larger buffer", () => {
  const within = hex("aa bb 3f f0 00 00 00 00 00 00 cc").subarray(1);
  assert.equal(new ByteReader(within, 1).f64(), 1);
});

const READS: readonly [string, number, (reader: ByteReader) => unknown][] = [
  ["u8", 1, (reader) => reader.u8()],
  ["u16", 2, (reader) => reader.u16()],
  ["u24", 3, (reader) => reader.u24()],
  ["u32", 4, (reader) => reader.u32()],
  ["u32le", 4, (reader) => reader.u32le()],
  ["f64", 8, (reader) => reader.f64()],
  ["bytes", 5, (reader) => reader.bytes(5)],
  ["skip", 5, (reader) => reader.skip(5)],
];

for (const [name, width, read] of READS) {
  test(`[BYT2] ${name} one byte short leaves the cursor where it was`, () => {
    const reader = new ByteReader(new Uint8Array(width + 1), 2);
    assert.throws(
      () => read(reader),
      (error: unknown) => {
        assert.ok(error instanceof ShortReadError);
        assert.deepEqual(error.context, { offset: 2, wanted: width, available: width - 1 });
        assert.equal(error.code, "WIRE_BYTES_SHORT");
        return true;
      },
    );
    assert.equal(reader.offset, 2);
  });
}

test("[BYT2] a negative count is refused like one that is too large", () => {
  assert.throws(() => new ByteReader(new Uint8Array(4), 2).bytes(-1), ShortReadError);
});

test("[BYT2] an end before the end of the bytes is the end", () => {
  const reader = new ByteReader(hex("01 02 03"), 0, 2);
  assert.equal(reader.remaining, 2);
  assert.equal(reader.u16(), 0x0102);
  assert.equal(reader.peekU8(), undefined);
  assert.throws(() => reader.u8(), ShortReadError);
});

test("[BYT3] any text survives, short and long, ASCII and not", () => {
  const text = fc.oneof(fc.string({ unit: "grapheme", maxLength: 100 }), fc.string({ maxLength: 60 }));
  fc.assert(fc.property(text, (value) => assert.equal(decodeUtf8(encodeUtf8(value)), value.toWellFormed())));
});

test("[BYT3] ill-formed text is read with a replacement, and a byte order mark is kept", () => {
  assert.equal(decodeUtf8(hex("41 ff 42")), "A\ufffdB");
  assert.equal(decodeUtf8(hex("ef bb bf 41")), "\ufeffA");
  assert.equal(decodeUtf8(hex("c3")), "\ufffd");
});

test("bytes, rest and peek give views of the buffer itself", () => {
  const buffer = hex("01 02 03 04");
  const reader = new ByteReader(buffer);
  assert.equal(reader.peekU8(), 1);
  const [first, rest] = [reader.bytes(1), reader.rest()];
  buffer.fill(9);
  assert.deepEqual([...first, ...rest], [9, 9, 9, 9]);
  assert.equal(reader.remaining, 0);
});

test("a writer grows to any size and keeps what was written", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 40 })), fc.integer({ min: 0, max: 8 }), (pieces, capacity) => {
      const writer = new ByteWriter(capacity);
      for (const piece of pieces) writer.bytes(piece);
      assert.deepEqual(new Uint8Array(writer.finish()), new Uint8Array(Buffer.concat(pieces)));
    }),
  );
});

fuzz(
  "bytes/byte-reader",
  (bytes) => {
    const reader = new ByteReader(bytes);
    while (reader.remaining > 0) {
      const read = READS[reader.u8() % READS.length]?.[2];
      read?.(reader);
    }
  },
  { seeds: goldenSeeds(Object.values(NUMBERS).flat()), allowed: [WireError], seconds: 0.2 },
);
