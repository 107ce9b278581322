/** AMF0 by golden rows, by its lenient forms, and by what it refuses. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeAmf0Values, readAmf0Value } from "@sluice/amf/amf0-decode";
import { encodeAmf0Values, writeAmf0Value } from "@sluice/amf/amf0-encode";
import { AmfLimitError, AmfMarkerError, AmfReferenceError } from "@sluice/amf/errors";
import {
  type AmfObject,
  type AmfValue,
  AmfDictionary,
  AmfVector,
  amfObject,
  entriesOf,
  ExternalizableObject,
  XmlDocument,
} from "@sluice/amf/value";
import { ByteReader } from "@sluice/bytes/byte-reader";
import { ByteWriter } from "@sluice/bytes/byte-writer";
import { ShortReadError } from "@sluice/bytes/wire-error";
import { golden } from "@sluice/testkit/golden";
import { hex, toHex } from "@sluice/testkit/hex";
import { AMF0_GOLDEN, AMF0_LENIENT } from "./amf0-golden.ts";

golden<readonly AmfValue[]>("amf0", AMF0_GOLDEN, { decode: decodeAmf0Values, encode: encodeAmf0Values });
golden<readonly AmfValue[]>("amf0, leniently", AMF0_LENIENT, { decode: decodeAmf0Values });

test("[AMF3] the marker changes between 65,535 and 65,536 bytes", () => {
  const longest = encodeAmf0Values(["x".repeat(0xffff)]);
  assert.deepEqual(longest.subarray(0, 3), hex("02 ffff"));
  const longer = encodeAmf0Values([`${"x".repeat(0xfffe)}é`]);
  assert.deepEqual(longer.subarray(0, 5), hex("0c 00010000"));
  assert.deepEqual(decodeAmf0Values(longer), [`${"x".repeat(0xfffe)}é`]);
});

test("[AMF6] keys that mean something elsewhere are ordinary", () => {
  const bytes = hex("03 0009 5f5f70726f746f5f5f 0101  0008 746f537472696e67 0100  0000 05  000009");
  const [object] = decodeAmf0Values(bytes) as [AmfObject];
  assert.deepEqual(Object.keys(object), ["__proto__", "toString", ""]);
  assert.equal(object["__proto__"], true);
  assert.equal(Object.getPrototypeOf(object), null);
  assert.equal(({} as Record<string, unknown>)["toString"], Object.prototype.toString);
  assert.deepEqual(encodeAmf0Values([object]), bytes);
});

test("[AMF9] a strict array that cannot be there is refused at its count", () => {
  assert.throws(() => decodeAmf0Values(hex("0a ffffffff")), { code: "LIMIT_AMF_VALUES" });
  assert.throws(() => decodeAmf0Values(hex("0a 00001000")), ShortReadError);
});

test("[AMF13] a reference reaches into the object that it stands in", () => {
  const [object] = decodeAmf0Values(hex("03 0004 73656c66 07 0000 000009")) as [AmfObject];
  assert.equal(object["self"], object);
});

test("[AMF13] a reference to what has not appeared is refused", () => {
  assert.throws(
    () => decodeAmf0Values(hex("03 000009 07 0001")),
    (error) => {
      assert.ok(error instanceof AmfReferenceError);
      assert.deepEqual(error.context, { table: "object", index: 1, size: 1 });
      return true;
    },
  );
});

test("[AMF14] an object met twice is written once", () => {
  const shared = amfObject({ a: 1 });
  const bytes = encodeAmf0Values([shared, shared]);
  assert.deepEqual(bytes.subarray(-3), hex("07 0000"));
  const [first, second] = decodeAmf0Values(bytes);
  assert.equal(first, second);
});

test("[AMF14] an object that contains itself can be written", () => {
  const loop: Record<string, AmfValue> = { name: "loop" };
  loop["self"] = [loop];
  const [read] = decodeAmf0Values(encodeAmf0Values([loop])) as [AmfObject];
  assert.equal((read["self"] as readonly AmfValue[])[0], read);
});

for (const marker of ["04", "0e", "09", "12", "ff"]) {
  test(`[AMF16] marker ${marker} is refused`, () => {
    assert.throws(
      () => decodeAmf0Values(hex(`05 ${marker} 00 00`)),
      (error) => {
        assert.ok(error instanceof AmfMarkerError);
        assert.deepEqual(error.context, { encoding: "amf0", marker: Number.parseInt(marker, 16), offset: 1 });
        return true;
      },
    );
  });
}

test("[AMF17] vectors and dictionaries travel as AMF3", () => {
  const values = [new AmfVector("int", [1, -1]), new AmfDictionary([["k", amfObject({ v: 1 })]]), 7];
  const bytes = encodeAmf0Values(values);
  assert.equal(bytes[0], 0x11);
  assert.deepEqual(decodeAmf0Values(bytes), values);
});

test("[AMF17] E4X stays E4X, and the older XML document is AMF0's own", () => {
  const values = [new XmlDocument("<a/>", "e4x"), new XmlDocument("<b/>", "document")];
  const bytes = encodeAmf0Values(values);
  assert.deepEqual([bytes[0], bytes[1]], [0x11, 0x0b]);
  assert.deepEqual(decodeAmf0Values(bytes), values);
});

test("[AMF17] an externalizable object travels as AMF3", () => {
  const values = [new ExternalizableObject("flex.messaging.io.ArrayCollection", amfObject({ source: ["a"] })), "a"];
  const bytes = encodeAmf0Values(values);
  assert.deepEqual([...bytes.subarray(0, 3)], [0x11, 0x0a, 0x07]);
  assert.deepEqual(decodeAmf0Values(bytes), values);
});

test("[AMF425] objects can be written as AMF3 throughout, with one set of tables for the message", () => {
  const shared = [1];
  const values = [
    true,
    0.5,
    "text",
    null,
    undefined,
    amfObject({ a: shared }),
    shared,
    new Date(1000),
    new XmlDocument("<a/>"),
  ];
  const bytes = encodeAmf0Values(values, { objects: "amf3" });
  assert.equal(
    toHex(bytes),
    toHex(
      hex(
        `01 01  00 3fe0000000000000  02 0004 74657874  05 06  11 0a 0b 01 03 61 09 03 01 04 01 01
         11 09 02  11 08 01 408f400000000000  11 07 09 3c612f3e`,
      ),
    ),
  );
  const read = decodeAmf0Values(bytes);
  assert.deepEqual(read, values);
  assert.equal((read[5] as AmfObject)["a"], read[6]);
});

test("[AMF18] a key that AMF0 cannot count is refused by name", () => {
  const key = "k".repeat(0x1_0000);
  assert.throws(
    () => encodeAmf0Values([{ [key]: 1 }]),
    (error) => {
      assert.ok(error instanceof AmfLimitError);
      assert.equal(error.code, "LIMIT_AMF_KEY_BYTES");
      return true;
    },
  );
});

test("[AMF5] one value can be read and written at a cursor, and the cursor stops behind it", () => {
  const writer = new ByteWriter();
  writeAmf0Value(writer, { a: 1 });
  const reader = new ByteReader(Uint8Array.of(...writer.finish(), 0xff));
  assert.deepEqual(readAmf0Value(reader), amfObject({ a: 1 }));
  assert.equal(reader.remaining, 1);
});

test("[AMF5] names are found in whatever carries them", () => {
  const [object, array, list] = decodeAmf0Values(
    hex("03 0001 61 05 000009  08 00000000 0001 61 05 000009  0a 00000000"),
  );
  assert.deepEqual(entriesOf(object), amfObject({ a: null }));
  assert.deepEqual(entriesOf(array), amfObject({ a: null }));
  assert.equal(entriesOf(list), undefined);
});

test("[AMF32] what is no AMF value is the caller's mistake", () => {
  assert.throws(() => encodeAmf0Values([(() => 1) as unknown as AmfValue]), TypeError);
  assert.throws(() => encodeAmf0Values([new Map() as unknown as AmfValue]), TypeError);
});
