/** AMF3 values and the bytes that stand for them: decoded, encoded, and seeds of the fuzzer. */
import { AmfDictionary, AmfVector, amfObject, EcmaArray, TypedObject, XmlDocument } from "@sluice/amf/value";
import type { Row } from "./amf0-golden.ts";

const SEALED = new TypedObject("P", amfObject({ x: 1, y: 2 }), ["x", "y"]);

/** True in both directions. */
export const AMF3_GOLDEN: readonly Row[] = [
  { rule: "AMF20", says: "small integer", bytes: "04 05", value: [5] },
  { rule: "AMF20", says: "two bytes", bytes: "04 81 00", value: [128] },
  { rule: "AMF20", says: "largest", bytes: "04 bf ff ff ff", value: [0x0fffffff] },
  { rule: "AMF20", says: "minus one", bytes: "04 ff ff ff ff", value: [-1] },
  { rule: "AMF20", says: "smallest", bytes: "04 c0 80 80 00", value: [-0x10000000] },
  { rule: "AMF20", says: "negative zero", bytes: "05 8000000000000000", value: [-0] },
  { rule: "AMF20", says: "a fraction", bytes: "05 3fe0000000000000", value: [0.5] },
  { rule: "AMF25", says: "undefined, null, false, true", bytes: "00 01 02 03", value: [undefined, null, false, true] },
  { rule: "AMF21", says: "text, again, empty twice", bytes: "06 03 61 06 00 06 01 06 01", value: ["a", "a", "", ""] },
  { rule: "AMF22", says: "list", bytes: "09 05 01 04 01 02", value: [[1, false]] },
  {
    rule: "AMF22",
    says: "names and a dense part",
    bytes: "09 03 03 61 01 01 04 07",
    value: [new EcmaArray(amfObject({ 0: 7, a: null }))],
  },
  { rule: "AMF23", says: "anonymous dynamic object", bytes: "0a 0b 01 03 61 04 01 01", value: [amfObject({ a: 1 })] },
  {
    rule: "AMF23",
    says: "two anonymous objects share traits",
    bytes: "0a 0b 01 03 61 04 01 01  0a 01 00 04 02 01",
    value: [amfObject({ a: 1 }), amfObject({ a: 2 })],
  },
  { rule: "AMF23", says: "sealed class", bytes: "0a 23 03 50 03 78 03 79 04 01 04 02", value: [SEALED] },
  {
    rule: "AMF23",
    says: "sealed class with a dynamic key",
    bytes: "0a 1b 03 50 03 78 04 01 03 7a 01 01",
    value: [new TypedObject("P", amfObject({ x: 1, z: null }), ["x"])],
  },
  { rule: "AMF25", says: "date", bytes: "08 01 408f400000000000", value: [new Date(1000)] },
  {
    rule: "AMF25",
    says: "XML of both kinds",
    bytes: "07 09 3c612f3e 0b 09 3c622f3e",
    value: [new XmlDocument("<a/>"), new XmlDocument("<b/>", "e4x")],
  },
  { rule: "AMF25", says: "byte array", bytes: "0c 05 01 ff", value: [Uint8Array.of(1, 255)] },
  {
    rule: "AMF25",
    says: "vectors",
    bytes: "0d 03 00 ffffffff  0e 03 01 ffffffff  0f 03 00 3fe0000000000000  10 03 00 03 50 01",
    value: [
      new AmfVector("int", [-1]),
      new AmfVector("uint", [0xffffffff], { isFixed: true }),
      new AmfVector("double", [0.5]),
      new AmfVector("object", [null], { className: "P" }),
    ],
  },
  {
    rule: "AMF25",
    says: "dictionary",
    bytes: "11 03 01 04 01 06 03 61",
    value: [new AmfDictionary([[1, "a"]], { hasWeakKeys: true })],
  },
];

/** Bytes that are read, but that this codec would write otherwise. */
export const AMF3_LENIENT: readonly Row[] = [
  { rule: "AMF20", says: "an integer with bytes to spare", bytes: "04 80 80 05", value: [5] },
  {
    rule: "AMF23",
    says: "an anonymous object with sealed keys",
    bytes: "0a 13 01 03 61 01",
    value: [amfObject({ a: null })],
  },
];
