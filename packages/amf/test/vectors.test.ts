/** Bytes that other programs wrote, or expect: read as they mean, and written the same where there is one way to write them. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { decodeAmf0Values } from "@sluice/amf/amf0-decode";
import { encodeAmf0Values } from "@sluice/amf/amf0-encode";
import { decodeAmf3Values } from "@sluice/amf/amf3-decode";
import { encodeAmf3Values } from "@sluice/amf/amf3-encode";
import { type AmfValue, AmfVector, amfObject, EcmaArray, TypedObject } from "@sluice/amf/value";
import { hex, toHex } from "@sluice/testkit/hex";

const CODECS = {
  amf0: { decode: decodeAmf0Values, encode: encodeAmf0Values },
  amf3: { decode: decodeAmf3Values, encode: encodeAmf3Values },
} as const;

const AB = { a: true, b: false };
const MEANINGS: Readonly<Record<string, AmfValue>> = {
  "amf0 avmplus": 18,
  "amf0 boolean-false": false,
  "amf0 boolean-true": true,
  "amf0 date": new Date(8_745_291),
  "amf0 date-with-decimal": new Date(8_745_291),
  "amf0 ecma-array": new EcmaArray(amfObject({ ...AB, c: true })),
  "amf0 null": null,
  "amf0 number": 8_745_291.56,
  "amf0 object": amfObject(AB),
  "amf0 reference-unrolled": [
    [true, false],
    [true, false],
  ],
  "amf0 strict-array-of-3-booleans": [false, true, false],
  "amf0 strict-array-of-3-nulls": [null, null, null],
  "amf0 strict-array-of-3-numbers": [155.4, -62.3, 95_324],
  "amf0 string.hello": "hello",
  "amf0 typed-object": new TypedObject("foo", amfObject(AB)),
  "amf0 undefined": undefined,
  "amf0 message": ["ball", 0, null, true],
  "amf0 nested": amfObject({
    position: amfObject({ x: 1.5, y: -2, tags: ["a", ["b", null]] }),
    since: new Date(1_180_000_000_000),
    none: undefined,
  }),
  "amf0 text": "Käse €\u{1F600}",
  "amf0 keys": amfObject({ zwei: 2, constructor: 1, length: "n" }),
  "amf0 limits": [Number.MAX_SAFE_INTEGER, -1e300, Number.MIN_VALUE],
  "amf3 array-of-3-falses": [false, false, false],
  "amf3 array-of-3-integers": [3, 2, 1],
  "amf3 array-of-3-nulls": [null, null, null],
  "amf3 array-of-3-trues": [true, true, true],
  "amf3 boolean-false": false,
  "amf3 boolean-true": true,
  "amf3 date": new Date(1_583_094_214_000),
  "amf3 double.102.5": 102.5,
  "amf3 double.8745291.56": 8_745_291.56,
  "amf3 fixed-vector-of-3-integers": new AmfVector("int", [1, 2, 3], { isFixed: true }),
  "amf3 integer.03": 3,
  "amf3 integer.120": 120,
  "amf3 integer.19": 19,
  "amf3 integer.3327": 3327,
  "amf3 null": null,
  "amf3 simple-object-1": amfObject({ a: 3, b: 7 }),
  "amf3 string.hello": "hello",
  "amf3 undefined": undefined,
  "amf3 vector-of-3-integers": new AmfVector("int", [1, 2, 3]),
  "amf3 vector-of-3-integers-2": new AmfVector("int", [-5, 2, 3]),
  "amf3 vector-of-3-unsigned-integers": new AmfVector("uint", [1, 2, 3]),
};

/** Read alike, but this codec has another way to say them. */
const OTHERWISE = new Set(["amf0 avmplus", "amf0 date-with-decimal", "amf0 ecma-array", "amf3 simple-object-1"]);

const lines = readFileSync(new URL("../../../fixtures/amf/vectors.txt", import.meta.url), "utf8")
  .trim()
  .split("\n");

test("[AMF427] every vector has its meaning here", () => {
  const names = lines.map((line) => `${line.split(" ")[0]} ${line.split(" ")[2]}`);
  assert.deepEqual(names.toSorted(), Object.keys(MEANINGS).toSorted());
});

for (const line of lines) {
  const [encoding, origin, name, bytes] = line.split(" ") as ["amf0" | "amf3", string, string, string];
  const id = `${encoding} ${name}`;
  test(`[AMF427] ${id}, of ${origin}`, () => {
    const { decode, encode } = CODECS[encoding];
    const values = decode(hex(bytes));
    assert.deepEqual(values, [MEANINGS[id]]);
    assert.equal(toHex(encode(values)) === toHex(hex(bytes)), !OTHERWISE.has(id));
  });
}
