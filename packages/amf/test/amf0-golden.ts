/** AMF0 values and the bytes that stand for them: decoded, encoded, and seeds of the fuzzer. */
import { type AmfValue, amfObject, EcmaArray, TypedObject, XmlDocument } from "@sluice/amf/value";
import type { GoldenRow } from "@sluice/testkit/golden";

export type Row = GoldenRow<readonly AmfValue[]>;

/** True in both directions. */
export const AMF0_GOLDEN: readonly Row[] = [
  { rule: "AMF1", says: "one", bytes: "00 3ff0000000000000", value: [1] },
  { rule: "AMF1", says: "negative zero", bytes: "00 8000000000000000", value: [-0] },
  { rule: "AMF1", says: "minus infinity", bytes: "00 fff0000000000000", value: [Number.NEGATIVE_INFINITY] },
  { rule: "AMF1", says: "not a number", bytes: "00 7ff8000000000000", value: [Number.NaN] },
  { rule: "AMF2", says: "true and false", bytes: "01 01  01 00", value: [true, false] },
  { rule: "AMF3", says: "empty text", bytes: "02 0000", value: [""] },
  { rule: "AMF3", says: "a command's name", bytes: "02 0007 636f6e6e656374", value: ["connect"] },
  { rule: "AMF3", says: "text counted in bytes", bytes: "02 0005 c3a9e282ac", value: ["é€"] },
  { rule: "AMF4", says: "null and undefined", bytes: "05 06", value: [null, undefined] },
  { rule: "AMF5", says: "empty object", bytes: "03 000009", value: [amfObject()] },
  {
    rule: "AMF5",
    says: "keys in order",
    bytes: "03 0001 62 0100  0001 61 05  000009",
    value: [amfObject({ b: false, a: null })],
  },
  {
    rule: "AMF7",
    says: "ECMA array with a right count",
    bytes: "08 00000001 0005 7769647468 00 4094000000000000 000009",
    value: [new EcmaArray(amfObject({ width: 1280 }))],
  },
  { rule: "AMF9", says: "strict array", bytes: "0a 00000002 05 06", value: [[null, undefined]] },
  { rule: "AMF10", says: "one second after 1970", bytes: "0b 408f400000000000 0000", value: [new Date(1000)] },
  { rule: "AMF11", says: "XML", bytes: "0f 00000004 3c612f3e", value: [new XmlDocument("<a/>")] },
  {
    rule: "AMF12",
    says: "typed object",
    bytes: "10 0003 412e42 0001 78 0101 000009",
    value: [new TypedObject("A.B", amfObject({ x: true }))],
  },
  {
    rule: "AMF15",
    says: "a byte array as AMF3 between AMF0 values",
    bytes: "05 11 0c 07 010203 05",
    value: [null, Uint8Array.of(1, 2, 3), null],
  },
];

/** Bytes that are read, but that this codec would write otherwise. */
export const AMF0_LENIENT: readonly Row[] = [
  { rule: "AMF2", says: "any byte but zero", bytes: "01 7f", value: [true] },
  { rule: "AMF3", says: "short text with the long marker", bytes: "0c 00000001 61", value: ["a"] },
  { rule: "AMF4", says: "unsupported", bytes: "0d", value: [undefined] },
  {
    rule: "AMF5",
    says: "a repeated key",
    bytes: "03 0001 61 0100 0001 61 0101 000009",
    value: [amfObject({ a: true })],
  },
  {
    rule: "AMF7",
    says: "count far too large",
    bytes: "08 ffffffff 0001 61 05 000009",
    value: [new EcmaArray(amfObject({ a: null }))],
  },
  {
    rule: "AMF7",
    says: "count of zero",
    bytes: "08 00000000 0001 61 05 000009 05",
    value: [new EcmaArray(amfObject({ a: null })), null],
  },
  { rule: "AMF8", says: "object", bytes: "03 0001 61 05", value: [amfObject({ a: null })] },
  { rule: "AMF8", says: "object with half a marker", bytes: "03 0001 61 05 0000", value: [amfObject({ a: null })] },
  {
    rule: "AMF8",
    says: "ECMA array in an object",
    bytes: "03 0001 61 08 00000001 0001 62 05",
    value: [amfObject({ a: new EcmaArray(amfObject({ b: null })) })],
  },
  { rule: "AMF10", says: "a zone", bytes: "0b 408f400000000000 ffc4", value: [new Date(1000)] },
  {
    rule: "AMF13",
    says: "the second compound value",
    bytes: "0a 00000000  03 0001 61 05 000009  07 0001",
    value: [[], amfObject({ a: null }), amfObject({ a: null })],
  },
  {
    rule: "AMF15",
    says: "an integer as AMF3, then AMF0",
    bytes: "11 04 05  00 4014000000000000",
    value: [5, 5],
  },
];
