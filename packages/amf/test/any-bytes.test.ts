/** What holds for any bytes and any values: limits, fuzz, and the way there and back. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeAmf0Values } from "@sluice/amf/amf0-decode";
import { encodeAmf0Values } from "@sluice/amf/amf0-encode";
import { decodeAmf3Values } from "@sluice/amf/amf3-decode";
import { encodeAmf3Values } from "@sluice/amf/amf3-encode";
import { amfToJson } from "@sluice/amf/json";
import { DEFAULT_AMF_LIMITS } from "@sluice/amf/limits";
import {
  AmfDictionary,
  type AmfValue,
  AmfVector,
  EcmaArray,
  ExternalizableObject,
  TypedObject,
} from "@sluice/amf/value";
import { LimitError, WireError } from "@sluice/bytes/wire-error";
import { fuzz } from "@sluice/testkit/fuzz";
import { goldenSeeds } from "@sluice/testkit/golden";
import { hex } from "@sluice/testkit/hex";
import fc from "fast-check";
import { AMF0_GOLDEN, AMF0_LENIENT } from "./amf0-golden.ts";
import { AMF3_GOLDEN, AMF3_LENIENT } from "./amf3-golden.ts";
import { plainValues, values, worldsOf } from "./arbitrary-values.ts";

const allowed = [WireError, LimitError];
fuzz("[AMF30] amf0", decodeAmf0Values, { seeds: goldenSeeds([...AMF0_GOLDEN, ...AMF0_LENIENT]), allowed });
fuzz("[AMF30] amf3", decodeAmf3Values, { seeds: goldenSeeds([...AMF3_GOLDEN, ...AMF3_LENIENT]), allowed });
fuzz("[AMF30] amf0, read, written, read", (bytes) => roundTrip(bytes), {
  seeds: [...goldenSeeds(AMF0_GOLDEN), ...goldenSeeds(AMF3_GOLDEN).map(behindAvmplus)],
  allowed,
});
fuzz("[AMF30] amf3, written twice, read twice", (bytes) => settle(bytes), {
  seeds: goldenSeeds(AMF3_GOLDEN),
  allowed,
});
fuzz("[AMF33] amf0, read, painted", (bytes) => JSON.stringify(decodeAmf0Values(bytes).map((v) => amfToJson(v))), {
  seeds: goldenSeeds([...AMF0_GOLDEN, ...AMF0_LENIENT]),
  allowed,
});

/** A relay does this with metadata: what could be read can be written, and comes back the same. */
function roundTrip(bytes: Uint8Array): void {
  const values = decodeAmf0Values(bytes);
  const again = decodeAmf0Values(encodeAmf0Values(values));
  forgetSealedKeys(values);
  forgetSealedKeys(again);
  assert.deepEqual(again, values);
}

/** An ECMA array of nothing but "0", "1", … comes back as a list; from then on nothing changes any more. */
function settle(bytes: Uint8Array): void {
  const once = decodeAmf3Values(encodeAmf3Values(decodeAmf3Values(bytes)));
  assert.deepEqual(decodeAmf3Values(encodeAmf3Values(once)), once);
}

/** Which of a class's keys are sealed, and whether it has others, has no place in AMF0; inside of AMF3 they stay. */
function forgetSealedKeys(value: unknown, seen = new Set<unknown>()): void {
  if (typeof value !== "object" || value === null || seen.has(value)) return;
  seen.add(value);
  if (value instanceof TypedObject) Object.assign(value, { sealedKeys: [], isDynamic: true });
  for (const inner of Object.values(value)) forgetSealedKeys(inner, seen);
}

function behindAvmplus(bytes: Uint8Array): Uint8Array {
  return Uint8Array.of(0x11, ...bytes);
}

test("[AMF32] AMF0 there and back", () => {
  fc.assert(
    fc.property(fc.array(plainValues), (list) => {
      assert.deepEqual(decodeAmf0Values(encodeAmf0Values(list)), list);
    }),
    { numRuns: 300 },
  );
});

test("[AMF425] AMF0 there and back with what only AMF3 has, and with all objects as AMF3", () => {
  fc.assert(
    fc.property(fc.array(values.filter((value) => !hasAmf3Gap(value))), (list) => {
      assert.deepEqual(decodeAmf0Values(encodeAmf0Values(list)), list);
      assert.deepEqual(decodeAmf0Values(encodeAmf0Values(list, { objects: "amf3" })), list);
    }),
    { numRuns: 200 },
  );
});

/** Every object once, by the order in which it is met: two graphs are the same when their pictures are. */
function pictureOf(roots: readonly AmfValue[]): string {
  const met = new Map<unknown, number>();
  return JSON.stringify(roots, (_key, value: unknown) => {
    if (typeof value !== "object" || value === null || value === roots) return value;
    const known = met.get(value);
    if (known !== undefined) return `#${known}`;
    met.set(value, met.size);
    const { sealedKeys: _sealed, isDynamic: _dynamic, ...rest } = value as Record<string, unknown>;
    return Array.isArray(value) ? value : { is: value.constructor?.name, ...rest };
  });
}

const OF_BOTH = ["list", "object", "ecma", "typed", "sealed"];
for (const [name, write, read, kinds] of [
  ["AMF0", encodeAmf0Values, decodeAmf0Values, OF_BOTH],
  ["AMF3", encodeAmf3Values, decodeAmf3Values, [...OF_BOTH, "vector", "dictionary", "proxy"]],
] as const) {
  test(`[AMF426] objects that hold each other and themselves come back as one ${name} graph`, () => {
    fc.assert(
      fc.property(worldsOf(kinds), (world) => {
        assert.equal(pictureOf(read(write(world))), pictureOf(world));
      }),
      { numRuns: 300 },
    );
  });
}

test("[AMF32] AMF3 there and back, but for the empty name and the array without names", () => {
  fc.assert(
    fc.property(fc.array(values.filter((value) => !hasAmf3Gap(value))), (list) => {
      assert.deepEqual(decodeAmf3Values(encodeAmf3Values(list)), list);
    }),
    { numRuns: 300 },
  );
});

/** AMF3 cannot say an empty name, and an ECMA array without names is a list to it. */
function hasAmf3Gap(value: AmfValue): boolean {
  if (Array.isArray(value)) return value.some((item: AmfValue) => hasAmf3Gap(item));
  if (value instanceof EcmaArray)
    return !Object.keys(value.entries).some((name) => Number.isNaN(Number(name))) || hasGapIn(value.entries);
  if (value instanceof AmfVector) return value.items.some((item) => hasAmf3Gap(item));
  if (value instanceof AmfDictionary) return value.pairs.some((pair) => hasAmf3Gap(pair));
  if (value instanceof ExternalizableObject) return Object.values(value.properties).some((item) => hasAmf3Gap(item));
  if (value instanceof TypedObject) return hasGapIn(value.properties);
  return (
    typeof value === "object" &&
    value !== null &&
    Object.getPrototypeOf(value) === null &&
    hasGapIn(value as Record<string, AmfValue>)
  );
}

function hasGapIn(named: Readonly<Record<string, AmfValue>>): boolean {
  return Object.keys(named).some((name) => name === "" || hasAmf3Gap(named[name]));
}

test("[AMF31] nesting is limited in both encodings, there and back", () => {
  const levels = DEFAULT_AMF_LIMITS.depth + 1;
  assert.throws(() => decodeAmf0Values(hex("0a 00000001".repeat(levels))), { code: "LIMIT_AMF_DEPTH" });
  assert.throws(() => decodeAmf0Values(hex("03 0001 61".repeat(100_000))), { code: "LIMIT_AMF_DEPTH" });
  assert.throws(() => decodeAmf3Values(hex("09 03 01".repeat(100_000))), { code: "LIMIT_AMF_DEPTH" });
  assert.throws(() => decodeAmf0Values(hex(`${"0a 00000001".repeat(40)} 11 ${"09 03 01".repeat(40)}`)), {
    code: "LIMIT_AMF_DEPTH",
  });
  let deep: AmfValue = 1;
  for (let i = 0; i < 100_000; i++) deep = [deep];
  assert.throws(() => encodeAmf0Values([deep]), { code: "LIMIT_AMF_DEPTH" });
  assert.throws(() => encodeAmf3Values([deep]), { code: "LIMIT_AMF_DEPTH" });
});

test("[AMF31] the deepest value allowed can be read and written", () => {
  const bytes = hex(`${"0a 00000001".repeat(DEFAULT_AMF_LIMITS.depth)} 05`);
  assert.deepEqual(encodeAmf0Values(decodeAmf0Values(bytes)), bytes);
});

test("[AMF31] values, texts and properties are limited, each under its own code", () => {
  const limits = { depth: 4, values: 4, stringBytes: 4, properties: 2 };
  assert.throws(() => decodeAmf0Values(hex("05 05 05 05 05"), { limits }), { code: "LIMIT_AMF_VALUES" });
  assert.throws(() => decodeAmf0Values(hex("0c 00000005 6161616161"), { limits }), { code: "LIMIT_AMF_STRING_BYTES" });
  assert.throws(() => decodeAmf0Values(hex("0c ffffffff")), { code: "LIMIT_AMF_STRING_BYTES" });
  assert.throws(() => decodeAmf0Values(hex("03 0001 61 05 0001 62 05 0001 63 05 000009"), { limits }), {
    code: "LIMIT_AMF_PROPERTIES",
  });
  assert.throws(() => decodeAmf3Values(hex("0a ff ff ff fb 01"), { limits }), { code: "LIMIT_AMF_PROPERTIES" });
  assert.throws(() => decodeAmf3Values(hex("0f ff ff ff ff 00"), { limits }), { code: "LIMIT_AMF_VALUES" });
  assert.throws(() => decodeAmf3Values(hex("11 ff ff ff ff 00"), { limits }), { code: "LIMIT_AMF_VALUES" });
});

test("[AMF33] references that would make a picture endless are cut off", () => {
  // Sixty lists, each holding the one before it twice: 2^60 values to whoever walks them all.
  const list: AmfValue[] = [[]];
  for (let i = 0; i < 60; i++) list.push([list[i], list[i]]);
  const read = decodeAmf0Values(encodeAmf0Values(list));
  const text = JSON.stringify(amfToJson(read, { maxValues: 500 }));
  assert.ok(text.length < 5_000, `${text.length} characters`);
});

test("[AMF33] what JSON cannot say is told in words", () => {
  const loop: Record<string, AmfValue> = {
    bytes: Uint8Array.of(1, 2),
    at: new Date(0),
    none: undefined,
    nan: Number.NaN,
  };
  loop["self"] = loop;
  assert.deepEqual(JSON.parse(JSON.stringify(amfToJson(loop, { maxText: 3 }))), {
    "byt…": "2 bytes",
    at: "1970-01-01T00:00:00.000Z",
    "non…": null,
    nan: null,
    "sel…": "…",
  });
});
