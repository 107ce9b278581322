/** AMF3 by golden rows, and by what it refuses. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeAmf3Values, readAmf3Value } from "@sluice/amf/amf3-decode";
import { encodeAmf3Values, writeAmf3Value } from "@sluice/amf/amf3-encode";
import { AmfExternalizableError, AmfMarkerError } from "@sluice/amf/errors";
import { type AmfObject, type AmfValue, amfObject, entriesOf, ExternalizableObject } from "@sluice/amf/value";
import { ByteReader } from "@sluice/bytes/byte-reader";
import { ByteWriter } from "@sluice/bytes/byte-writer";
import { golden } from "@sluice/testkit/golden";
import { hex } from "@sluice/testkit/hex";
import { AMF3_GOLDEN, AMF3_LENIENT } from "./amf3-golden.ts";

golden<readonly AmfValue[]>("amf3", AMF3_GOLDEN, { decode: decodeAmf3Values, encode: encodeAmf3Values });
golden<readonly AmfValue[]>("amf3, leniently", AMF3_LENIENT, { decode: decodeAmf3Values });

test("[AMF23] an object may contain itself", () => {
  const [object] = decodeAmf3Values(hex("0a 0b 01 09 73656c66 0a 00 01")) as [AmfObject];
  assert.equal(object["self"], object);
  assert.deepEqual(encodeAmf3Values([object]), hex("0a 0b 01 09 73656c66 0a 00 01"));
});

test("[AMF24] an externalizable class is refused with its name", () => {
  assert.throws(
    () => decodeAmf3Values(hex("0a 07 03 45 00")),
    (error) => {
      assert.ok(error instanceof AmfExternalizableError);
      assert.deepEqual(error.context, { className: "E" });
      return true;
    },
  );
});

test("[AMF421] a collection may contain itself", () => {
  const bytes = hex("0a 07 07 445341 01 09 03 01 0a 00 00");
  const [message] = decodeAmf3Values(bytes) as [ExternalizableObject];
  assert.deepEqual(message.properties["body"], [message]);
  assert.equal((message.properties["body"] as readonly AmfValue[])[0], message);
  assert.deepEqual(encodeAmf3Values([message]), bytes);
  assert.equal(entriesOf(message), message.properties);
});

test("[AMF421] a ManagedObjectProxy's name that is no text is refused, and more names than an object may have", () => {
  const head = Buffer.from("flex.messaging.io.ManagedObjectProxy").toString("hex");
  assert.throws(() => decodeAmf3Values(hex(`0a 07 49 ${head} 00000001 04 01 01`)), { code: "WIRE_AMF_MARKER" });
  assert.throws(() => decodeAmf3Values(hex(`0a 07 49 ${head} ffffffff`)), { code: "LIMIT_AMF_PROPERTIES" });
});

test("[AMF423] what an externalizable class does not say cannot be written", () => {
  const written = (name: string, properties: AmfObject) => () =>
    encodeAmf3Values([new ExternalizableObject(name, properties)]);
  assert.throws(written("com.example.Own", {}), TypeError);
  assert.throws(written("DSA", { operation: 1 }), TypeError);
  assert.throws(written("flex.messaging.io.ArrayCollection", { items: [] }), TypeError);
});

test("[AMF424] a property without a name is left out", () => {
  assert.deepEqual(decodeAmf3Values(encodeAmf3Values([{ "": 1, a: 2 }])), [amfObject({ a: 2 })]);
});

for (const { table, bytes } of [
  { table: "object", bytes: "09 00" },
  { table: "string", bytes: "06 00" },
  { table: "traits", bytes: "0a 01" },
]) {
  test(`[AMF26] a dangling ${table} reference is refused`, () => {
    assert.throws(() => decodeAmf3Values(hex(bytes)), { code: "WIRE_AMF_REFERENCE" });
  });
}

test("[AMF16] an unknown AMF3 marker is refused", () => {
  assert.throws(
    () => decodeAmf3Values(hex("01 12")),
    (error) => {
      assert.ok(error instanceof AmfMarkerError);
      assert.deepEqual(error.context, { encoding: "amf3", marker: 0x12, offset: 1 });
      return true;
    },
  );
});

test("[AMF20] the edges of 29 bits", () => {
  const edges = [0, 0x7f, 0x80, 0x3fff, 0x4000, 0x1fffff, 0x200000, 0x0fffffff, -1, -0x10000000];
  const bytes = encodeAmf3Values(edges);
  assert.deepEqual(decodeAmf3Values(bytes), edges);
  assert.equal(bytes.length, 2 + 2 + 3 + 3 + 4 + 4 + 5 * 4);
  for (const beyond of [0x10000000, -0x10000001]) assert.equal(encodeAmf3Values([beyond])[0], 0x05);
});

test("[AMF32] one value can be read and written at a cursor", () => {
  const writer = new ByteWriter();
  writeAmf3Value(writer, { a: 1 });
  const reader = new ByteReader(Uint8Array.of(...writer.finish(), 0xff));
  assert.deepEqual(readAmf3Value(reader), amfObject({ a: 1 }));
  assert.equal(reader.remaining, 1);
});
