/** AMF3 values and the bytes that stand for them: decoded, encoded, and seeds of the fuzzer. */
import {
  AmfDictionary,
  AmfVector,
  amfObject,
  EcmaArray,
  ExternalizableObject,
  TypedObject,
  XmlDocument,
} from "@sluice/amf/value";
import type { Row } from "./amf0-golden.ts";

const text = (name: string): string => {
  const bytes = Buffer.from(name);
  return `${((bytes.length << 1) | 1).toString(16)} ${bytes.toString("hex")}`;
};
const ARRAY_COLLECTION = text("flex.messaging.io.ArrayCollection");
const OBJECT_PROXY = text("flex.messaging.io.ObjectProxy");
const MANAGED_OBJECT_PROXY = text("flex.messaging.io.ManagedObjectProxy");
const ASYNC_MESSAGE_EXT = text("flex.messaging.messages.AsyncMessageExt");

const SEALED = new TypedObject("P", amfObject({ x: 1, y: 2 }), { sealedKeys: ["x", "y"] });

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
    value: [new TypedObject("P", amfObject({ x: 1, z: null }), { sealedKeys: ["x"], isDynamic: true })],
  },
  {
    rule: "AMF420",
    says: "a sealed class without keys, and a dynamic one whose instance has no more",
    bytes: "0a 03 03 50  0a 1b 03 51 03 78 04 01 01",
    value: [
      new TypedObject("P", amfObject(), { isDynamic: false }),
      new TypedObject("Q", amfObject({ x: 1 }), { sealedKeys: ["x"], isDynamic: true }),
    ],
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
  {
    rule: "AMF421",
    says: "ArrayCollection around a list, and an empty one that shares its traits",
    bytes: `0a 07 ${ARRAY_COLLECTION} 09 03 01 04 01  0a 01 09 01 01`,
    value: [
      new ExternalizableObject("flex.messaging.io.ArrayCollection", amfObject({ source: [1] })),
      new ExternalizableObject("flex.messaging.io.ArrayCollection", amfObject({ source: [] })),
    ],
  },
  {
    rule: "AMF421",
    says: "ObjectProxy",
    bytes: `0a 07 ${OBJECT_PROXY} 0a 0b 01 03 61 04 01 01`,
    value: [new ExternalizableObject("flex.messaging.io.ObjectProxy", amfObject({ object: amfObject({ a: 1 }) }))],
  },
  {
    rule: "AMF421",
    says: "ManagedObjectProxy: a count of 32 bits, names and values",
    bytes: `0a 07 ${MANAGED_OBJECT_PROXY} 00000002 06 03 61 04 01 06 03 62 06 02`,
    value: [new ExternalizableObject("flex.messaging.io.ManagedObjectProxy", amfObject({ a: 1, b: "a" }))],
  },
  {
    rule: "AMF422",
    says: "a small acknowledgement: three steps of flags, ids as bytes in the second byte of the first",
    bytes: "0a 07 07 44534b  a8 03 0a 0b 01 01 05 408f440000000000 0c 03 01 0c 03 02  02 0c 03 03  00",
    value: [
      new ExternalizableObject(
        "DSK",
        amfObject({
          headers: amfObject(),
          timestamp: 1000.5,
          clientIdBytes: Uint8Array.of(1),
          messageIdBytes: Uint8Array.of(2),
          correlationIdBytes: Uint8Array.of(3),
        }),
      ),
    ],
  },
  {
    rule: "AMF422",
    says: "a small command, with its operation in the last step",
    bytes: "0a 07 07 445343  11 01 06 03 6d  01 06 01  01 04 02",
    value: [
      new ExternalizableObject("DSC", amfObject({ body: null, messageId: "m", correlationId: "", operation: 2 })),
    ],
  },
  {
    rule: "AMF422",
    says: "a small message that says nothing",
    bytes: "0a 07 07 445341  00 00",
    value: [new ExternalizableObject("DSA", amfObject())],
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
  {
    rule: "AMF420",
    says: "the empty name, sealed",
    bytes: "0a 13 01 01 04 01",
    value: [amfObject({ "": 1 })],
  },
  {
    rule: "AMF422",
    says: "values that a newer message announces behind those known, left out",
    bytes: "0a 07 07 445341  80 84 01 04 01 04 02  26 06 03 63 06 03 64 01  06 02",
    value: [new ExternalizableObject("DSA", amfObject({ correlationIdBytes: "c" })), "c"],
  },
  {
    rule: "AMF422",
    says: "by the full name of its class",
    bytes: `0a 07 ${ASYNC_MESSAGE_EXT} 02 05 3fe0000000000000 00`,
    value: [new ExternalizableObject("flex.messaging.messages.AsyncMessageExt", amfObject({ clientId: 0.5 }))],
  },
];
