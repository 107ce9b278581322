/** What is read of data messages that are broken, or too long to decode. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeAmf0Values } from "@sluice/amf/amf0-encode";
import { findMessageName, scanObject } from "@sluice/amf/amf0-scan";
import { DEFAULT_AMF_LIMITS } from "@sluice/amf/limits";
import { type AmfValue, EcmaArray, TypedObject } from "@sluice/amf/value";
import { fuzz } from "@sluice/testkit/fuzz";
import { goldenSeeds } from "@sluice/testkit/golden";
import { AMF0_GOLDEN, AMF0_LENIENT } from "./amf0-golden.ts";

const join = (...parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));

function plain(bytes: Uint8Array): Record<string, unknown> {
  const { properties } = scanObject(bytes, 0);
  return Object.fromEntries([...properties].map(([name, { value }]) => [name, value]));
}

test("[AMF120] a message's name is found behind a few plain values, and nowhere else", () => {
  const named = encodeAmf0Values(["onMetaData", {}]);
  for (const before of [[], [0, 0], [null, undefined, true], [1, 2, 3, 4, 5, 6, 7, 8]] as const) {
    const stray = encodeAmf0Values(before);
    const found = findMessageName(join(stray, named));
    assert.deepEqual(found, { name: "onMetaData", nameAt: stray.length, endAt: stray.length + 13 });
  }
  const nine = encodeAmf0Values([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  for (const before of [nine, encodeAmf0Values([{}]), encodeAmf0Values([[1]]), Uint8Array.of(9)])
    assert.equal(findMessageName(join(before, named)), undefined);
  for (let cut = 0; cut < 13; cut++) assert.equal(findMessageName(named.subarray(0, cut)), undefined);
});

for (const [what, wrap] of [
  ["object", (entries: Record<string, AmfValue>): AmfValue => entries],
  ["ECMA array", (entries: Record<string, AmfValue>): AmfValue => new EcmaArray(entries)],
  ["typed object", (entries: Record<string, AmfValue>): AmfValue => new TypedObject("Facts", entries)],
] as const) {
  test(`[AMF121] plain properties of an ${what} are read, all others passed over`, () => {
    const nested = { list: [1, "a", { b: [null] }], deep: { width: 1 }, date: new Date(0), no: undefined };
    const long = { text: "x".repeat(2_000), longer: "x".repeat(70_000), vector: new Uint8Array(3) };
    const bytes = encodeAmf0Values([wrap({ width: 640, ...nested, title: "cam", ...long, hasAudio: true })]);
    assert.deepEqual(plain(bytes), { width: 640, title: "cam", hasAudio: true });
    const { properties, isWhole } = scanObject(bytes, 0);
    assert.ok(isWhole);
    assert.equal(bytes[properties.get("hasAudio")?.at ?? -1], 1);
  });
}

test("[AMF121] also of an object in AMF3, whose values have no place", () => {
  const bytes = Uint8Array.from([0x11, 0x0a, 0x0b, 0x01, 0x0b, 0x77, 0x69, 0x64, 0x74, 0x68, 0x04, 0x07, 0x01]);
  assert.deepEqual([...scanObject(bytes, 0).properties], [["width", { value: 7, at: -1 }]]);
});

test("[AMF122] what stands before a fault is read, and the fault told", () => {
  const bytes = encodeAmf0Values([{ width: 640, height: 360 }]);
  const behindWidth = 17;
  for (let cut = behindWidth; cut < bytes.length - 3; cut++) {
    const { properties, isWhole } = scanObject(bytes.subarray(0, cut), 0);
    assert.equal(properties.get("width")?.value, 640);
    assert.equal(isWhole, cut === behindWidth, `cut at ${cut}`); // the end of the message ends an object, too
  }
  for (const none of [encodeAmf0Values([null]), encodeAmf0Values([[1]]), encodeAmf0Values(["x"]), new Uint8Array(0)])
    assert.deepEqual(scanObject(none, 0), { properties: new Map(), isWhole: false });
});

test("[AMF123] lists beyond what a message may hold are passed over, and what stands behind them is read", () => {
  const times = Array.from({ length: DEFAULT_AMF_LIMITS.values }, (_, i) => i);
  const bytes = encodeAmf0Values([{ width: 1, keyframes: { times, filepositions: times }, height: 2 }]);
  assert.deepEqual(plain(bytes), { width: 1, height: 2 });
});

test("[AMF123] nesting beyond the limit is a fault", () => {
  const list = Uint8Array.of(0x0a, 0, 0, 0, 1);
  const bytes = join(Uint8Array.of(3, 0, 1, 0x61), ...Array.from({ length: 100_000 }, () => list));
  assert.deepEqual(scanObject(bytes, 0), { properties: new Map(), isWhole: false });
});

const seeds = goldenSeeds([...AMF0_GOLDEN, ...AMF0_LENIENT]);
fuzz("[AMF124] scan of an object", (bytes) => scanObject(bytes, 0), { seeds, allowed: [] });
fuzz("[AMF124] scan for a name", (bytes) => findMessageName(bytes), { seeds, allowed: [] });
