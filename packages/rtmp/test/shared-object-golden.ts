/** Shared-object messages and the bytes that stand for them: read, written, and seeds of the fuzzer. */
import { type AmfValue, amfObject, EcmaArray, TypedObject } from "@sluice/amf/value";
import type { SharedObjectEvent, SharedObjectMessage } from "@sluice/rtmp/shared-object-message";
import type { GoldenRow } from "@sluice/testkit/golden";

export type Row = GoldenRow<SharedObjectMessage>;

/** "ball", at version 7. */
const HEAD = "0004 62616c6c 00000007 00000000 00000000";

function ball(events: readonly SharedObjectEvent[], more: Partial<SharedObjectMessage> = {}): SharedObjectMessage {
  return { encoding: "amf0", name: "ball", version: 7, isPersistent: false, events, ...more };
}

const amf3 = { encoding: "amf3" } as const;
const SHARED: AmfValue = amfObject({ a: true });
const POINT = new TypedObject("Point", amfObject({ x: 1, y: 2 }), { sealedKeys: ["x", "y"] });

/** True in both directions. */
export const SHARED_OBJECT_GOLDEN: readonly Row[] = [
  { rule: "SOB420", says: "no events", bytes: HEAD, value: ball([]) },
  {
    rule: "SOB420",
    says: "persistent, with the largest version and a name beyond ASCII",
    bytes: "0003 c3a978 ffffffff 00000002 00000000",
    value: ball([], { name: "éx", version: 0xffffffff, isPersistent: true }),
  },
  { rule: "SOB421", says: "1 use", bytes: `${HEAD} 01 00000000`, value: ball([{ type: "use" }]) },
  { rule: "SOB421", says: "2 release", bytes: `${HEAD} 02 00000000`, value: ball([{ type: "release" }]) },
  {
    rule: "SOB421",
    says: "3 request-change",
    bytes: `${HEAD} 03 0000000c 0001 78 00 4029000000000000`,
    value: ball([{ type: "request-change", properties: [["x", 12.5]] }]),
  },
  {
    rule: "SOB421",
    says: "4 change",
    bytes: `${HEAD} 04 0000000b 0003 666f6f 02 0003 626172`,
    value: ball([{ type: "change", properties: [["foo", "bar"]] }]),
  },
  {
    rule: "SOB421",
    says: "5 success",
    bytes: `${HEAD} 05 00000003 0001 78`,
    value: ball([{ type: "success", names: ["x"] }]),
  },
  {
    rule: "SOB423",
    says: "6 send-message, its name with a marker as its arguments",
    bytes: `${HEAD} 06 0000000e 02 0005 68656c6c6f 02 0001 61 05 06`,
    value: ball([{ type: "send-message", name: "hello", args: ["a", null, undefined] }]),
  },
  {
    rule: "SOB421",
    says: "7 status, the code before the level",
    bytes: `${HEAD} 07 00000022 0019 5368617265644f626a6563742e4e6f52656164416363657373 0005 6572726f72`,
    value: ball([{ type: "status", code: "SharedObject.NoReadAccess", level: "error" }]),
  },
  { rule: "SOB421", says: "8 clear", bytes: `${HEAD} 08 00000000`, value: ball([{ type: "clear" }]) },
  {
    rule: "SOB421",
    says: "9 remove",
    bytes: `${HEAD} 09 00000005 0003 666f6f`,
    value: ball([{ type: "remove", names: ["foo"] }]),
  },
  {
    rule: "SOB421",
    says: "10 request-remove",
    bytes: `${HEAD} 0a 00000003 0001 78`,
    value: ball([{ type: "request-remove", names: ["x"] }]),
  },
  { rule: "SOB421", says: "11 use-success", bytes: `${HEAD} 0b 00000000`, value: ball([{ type: "use-success" }]) },
  {
    rule: "SOB421",
    says: "13 change-echo",
    bytes: `${HEAD} 0d 00000005 0001 78 01 01`,
    value: ball([{ type: "change-echo", properties: [["x", true]] }]),
  },
  { rule: "SOB421", says: "14 request-clear", bytes: `${HEAD} 0e 00000000`, value: ball([{ type: "request-clear" }]) },
  {
    rule: "SOB422",
    says: "what a newcomer is sent: use-success, clear, and a change for each property",
    bytes: `${HEAD} 0b 00000000  08 00000000  04 00000005 0001 78 01 01  04 00000004 0001 79 05`,
    value: ball([
      { type: "use-success" },
      { type: "clear" },
      { type: "change", properties: [["x", true]] },
      { type: "change", properties: [["y", null]] },
    ]),
  },
  {
    rule: "SOB422",
    says: "several properties in one change, several names in one remove",
    bytes: `${HEAD} 04 0000000e 0001 78 01 00  0001 79 05  0002 31 30 06  09 00000007 0001 61 0002 6262`,
    value: ball([
      {
        type: "change",
        properties: [
          ["x", false],
          ["y", null],
          ["10", undefined],
        ],
      },
      { type: "remove", names: ["a", "bb"] },
    ]),
  },
  {
    rule: "SOB422",
    says: "names that mean something elsewhere, and the same one twice",
    bytes: `${HEAD} 03 00000018 0009 5f5f70726f746f5f5f 05  0001 61 05  0001 61 01 01  0000 05`,
    value: ball([
      {
        type: "request-change",
        properties: [
          ["__proto__", null],
          ["a", null],
          ["a", true],
          ["", null],
        ],
      },
    ]),
  },
  {
    rule: "SOB421",
    says: "a change of no properties",
    bytes: `${HEAD} 04 00000000`,
    value: ball([{ type: "change", properties: [] }]),
  },
  {
    rule: "SOB427",
    says: "one object in two events, referred to the second time",
    bytes: `${HEAD} 04 0000000c 0001 61 03 0001 61 01 01 000009  04 00000006 0001 62 07 0000`,
    value: ball([
      { type: "change", properties: [["a", SHARED]] },
      { type: "change", properties: [["b", SHARED]] },
    ]),
  },
  {
    rule: "SOB424",
    says: "type 16: a zero byte, plain values as AMF0, objects behind the avmplus marker",
    bytes: `00 ${HEAD} 03 00000020 0001 78 00 4029000000000000  0001 70 11 0a 23 0b 506f696e74 03 78 03 79 04 01 04 02`,
    value: ball(
      [
        {
          type: "request-change",
          properties: [
            ["x", 12.5],
            ["p", POINT],
          ],
        },
      ],
      amf3,
    ),
  },
  {
    rule: "SOB427",
    says: "type 16: traits and texts of one event are referred to in the next",
    bytes: `00 ${HEAD} 04 0000000e 0001 70 11 0a 13 07 506e74 03 78 06 00  06 0000000a 02 0002 676f 11 0a 01 06 02`,
    value: ball(
      [
        { type: "change", properties: [["p", new TypedObject("Pnt", amfObject({ x: "Pnt" }), { sealedKeys: ["x"] })]] },
        {
          type: "send-message",
          name: "go",
          args: [new TypedObject("Pnt", amfObject({ x: "x" }), { sealedKeys: ["x"] })],
        },
      ],
      amf3,
    ),
  },
  {
    rule: "SOB424",
    says: "type 16: a use",
    bytes: `00 ${HEAD} 01 00000000`,
    value: ball([{ type: "use" }], amf3),
  },
];

/** Bytes that are read, but that are written otherwise here. */
export const SHARED_OBJECT_LENIENT: readonly Row[] = [
  {
    rule: "SOB420",
    says: "persistence bits that others set, and reserved ones",
    bytes: "0004 62616c6c 00000007 00000010 ffffffff",
    value: ball([]),
  },
  {
    rule: "SOB425",
    says: "events of types unknown, among known ones",
    bytes: `${HEAD} 04 00000005 0001 78 01 01  0c 00000007 0001 78 00000001  00 00000000  ff 00000002 0102  08 00000000`,
    value: ball([{ type: "change", properties: [["x", true]] }, { type: "clear" }]),
  },
  {
    rule: "SOB425",
    says: "a use and a status with more to them",
    bytes: `${HEAD} 01 00000003 010203  07 00000007 0001 61 0001 62 ff`,
    value: ball([{ type: "use" }, { type: "status", code: "a", level: "b" }]),
  },
  {
    rule: "SOB424",
    says: "type 16 with the byte 3: values in AMF3 without a marker of AMF0",
    bytes: `03 ${HEAD} 04 00000005 0001 78 04 05  06 00000008 06 05 676f 09 03 01 03`,
    value: ball(
      [
        { type: "change", properties: [["x", 5]] },
        { type: "send-message", name: "go", args: [[true]] },
      ],
      amf3,
    ),
  },
  {
    rule: "SOB424",
    says: "AMF3 behind its marker in type 19, too",
    bytes: `${HEAD} 04 00000008 0001 78 11 0a 0b 01 01`,
    value: ball([{ type: "change", properties: [["x", amfObject()]] }]),
  },
  {
    rule: "SOB424",
    says: "an ECMA array of AMF0 in type 16",
    bytes: `00 ${HEAD} 04 0000000f 0001 78 08 00000000 0001 61 05 000009`,
    value: ball([{ type: "change", properties: [["x", new EcmaArray(amfObject({ a: null }))]] }], amf3),
  },
];
