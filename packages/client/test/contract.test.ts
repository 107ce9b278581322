/** Messages of sluice.v1: golden exchanges, every value, and bytes that are no message. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { decodeMessage, encodeJsonMessage, encodeMessagePackMessage } from "@sluice/client/contract/codec";
import { SLUICE_V1_LIMITS } from "@sluice/client/contract/limits";
import { MalformedMessageError } from "@sluice/client/contract/message-error";
import { decodeMessagePack } from "@sluice/client/contract/message-pack-decode";
import { encodeMessagePack } from "@sluice/client/contract/message-pack-encode";
import { checkPlainValue, NotPlainValueError, type PlainValue } from "@sluice/client/contract/plain-value";
import type { ClientMessage } from "@sluice/client/contract/sluice-v1";
import { readExchanges } from "@sluice/testkit/exchanges";
import { fuzz } from "@sluice/testkit/fuzz";
import { hex, toHex } from "@sluice/testkit/hex";
import fc from "fast-check";

const EXCHANGES = readExchanges(join(import.meta.dirname, "../../../docs/protocol/golden"));
const FRAMES = EXCHANGES.flatMap(({ steps }) => steps.flatMap((step) => (step.from === "other" ? [] : [step])));

for (const { name, steps } of EXCHANGES) {
  test(`[SLV1] golden exchange: ${name}`, () => {
    for (const step of steps) {
      if (step.from === "other") continue;
      const fromText = decodeMessage(step.text) as unknown as ClientMessage;
      const fromBytes = decodeMessage(step.bytes) as unknown as ClientMessage;
      assert.deepEqual(fromText, fromBytes);
      assert.equal(encodeJsonMessage(fromBytes), step.text);
      assert.equal(toHex(encodeMessagePackMessage(fromText)), toHex(step.bytes));
    }
  });
}

const NAME = fc.string({ unit: "grapheme", maxLength: 40 }).filter((name) => name.isWellFormed());
const VALUE = fc.letrec<{ value: PlainValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    fc.constantFrom(undefined, null, true, false, Number.NaN, -0, Number.NEGATIVE_INFINITY, 2 ** 53, -(2 ** 31)),
    fc.integer(),
    fc.double(),
    NAME,
    fc.date({ noInvalidDate: true }),
    fc.uint8Array({ maxLength: 300 }),
    fc.array(tie("value"), { maxLength: 20 }),
    fc.dictionary(fc.oneof(NAME, fc.constantFrom("$date", "$object", "__proto__")), tie("value"), {
      noNullPrototype: false,
      maxKeys: 3,
    }) as fc.Arbitrary<PlainValue>,
  ),
})).value;

/** Without prototypes, as decoded ones are. */
function bare(value: PlainValue): PlainValue {
  if (Array.isArray(value)) return value.map((one: PlainValue) => bare(one));
  if (typeof value !== "object" || value === null || value instanceof Date || value instanceof Uint8Array) return value;
  const entries = Object.create(null) as Record<string, PlainValue>;
  for (const [name, entry] of Object.entries(value)) entries[name] = bare(entry as PlainValue);
  return entries;
}

test("[SLV2] every value comes through both encodings", () => {
  fc.assert(
    fc.property(VALUE, (value) => {
      const message: ClientMessage = { type: "call", id: 1, method: "m", arguments: [value] };
      for (const payload of [encodeJsonMessage(message), encodeMessagePackMessage(message)]) {
        const { arguments: args } = decodeMessage(payload);
        assert.deepStrictEqual((args as readonly PlainValue[])[0], bare(value));
      }
    }),
  );
});

fuzz("sluice.v1 MessagePack", (bytes) => decodeMessage(bytes), {
  seeds: FRAMES.map(({ bytes }) => bytes),
  allowed: [MalformedMessageError],
});

fuzz("sluice.v1 JSON", (bytes) => decodeMessage(new TextDecoder().decode(bytes)), {
  seeds: FRAMES.map(({ text }) => new TextEncoder().encode(text)),
  allowed: [MalformedMessageError],
});

const NO_MESSAGES = {
  "nothing at all": "",
  "half of a JSON text": '{"type":"ping","id"',
  "a list": "[1]",
  "a type that is no text": '{"type":1}',
  "an endless nest": "[".repeat(200_000),
  "a deep nest": `{"type":"call","arguments":${"[".repeat(100_000)}${"]".repeat(100_000)}}`,
  "a deep nest outside of values": `{"type":"write","operations":${"[".repeat(100_000)}${"]".repeat(100_000)}}`,
  "a list that is declared and does not come": hex("82 a4 74 79 70 65 a1 78 a1 79 dd ff ff ff ff"),
  "a map that is declared and does not come": hex("df 7f ff ff ff"),
  "text that is no UTF-8": hex("81 a4 74 79 70 65 a2 c3 28"),
  "a deep nest in MessagePack": new Uint8Array(100_000).fill(0x91),
  "a key that is a number": hex("81 01 02"),
  "an unknown extension": hex("82 a4 74 79 70 65 a1 78 a1 79 d4 05 00"),
  "a whole number beyond 2^53": hex("82 a4 74 79 70 65 a1 78 a1 79 cf 00 20 00 00 00 00 00 01"),
  "a time beyond all calendars": hex("82 a4 74 79 70 65 a1 78 a1 79 c7 0c ff 00 00 00 00 7f ff ff ff ff ff ff ff"),
  "bytes behind the message": hex("81 a4 74 79 70 65 a1 78 00"),
} as const;

for (const [says, payload] of Object.entries(NO_MESSAGES)) {
  test(`[SLV3] no message: ${says}`, () => {
    assert.throws(() => decodeMessage(payload), MalformedMessageError);
  });
}

test("[SLV3] more values than a message may have are refused in MessagePack", () => {
  const list = encodeMessagePack(Array.from({ length: SLUICE_V1_LIMITS.values }, () => 1));
  assert.throws(() => decodeMessagePack(list, SLUICE_V1_LIMITS.values), MalformedMessageError);
});

for (const tag of [
  '{"$date":"x"}',
  '{"$date":1e300}',
  '{"$bytes":"a"}',
  '{"$bytes":5}',
  '{"$number":"12"}',
  '{"$new":1}',
  '{"$object":[]}',
]) {
  test(`[SLV4] a tag that means nothing: ${tag}`, () => {
    const text = `{"type":"write","id":7,"operations":[{"type":"clear"},{"type":"set","name":"x","value":{"a":[0,${tag}]}}]}`;
    assert.throws(
      () => decodeMessage(text),
      ({ context }: MalformedMessageError) => context.id === 7 && context.path === "operations[1].value.a[1]",
    );
  });
}

test("[SLV4] the protocol's own fields have no tags", () => {
  assert.deepEqual({ ...decodeMessage('{"type":"x","other":{"$date":0}}') }, { type: "x", other: bare({ $date: 0 }) });
});

const FORMS: readonly (readonly [bytes: string, value: PlainValue])[] = [
  ["ca 3f 00 00 00", 0.5],
  ["cc 05", 5],
  ["cd 00 05", 5],
  ["ce 00 00 00 05", 5],
  ["cf 00 1f ff ff ff ff ff ff", Number.MAX_SAFE_INTEGER],
  ["d3 ff e0 00 00 00 00 00 01", Number.MIN_SAFE_INTEGER],
  ["d0 fe", -2],
  ["d1 ff fe", -2],
  ["d2 ff ff ff fe", -2],
  ["d9 01 61", "a"],
  ["da 00 01 61", "a"],
  ["db 00 00 00 01 61", "a"],
  ["dc 00 01 05", [5]],
  ["dd 00 00 00 01 05", [5]],
  ["c5 00 01 09", new Uint8Array([9])],
  ["c6 00 00 00 01 09", new Uint8Array([9])],
  ["d6 ff 00 00 00 01", new Date(1_000)],
  ["d7 ff 00 00 00 04 00 00 00 01", new Date(1_000)],
  ["c7 0c ff 3b 9a c9 ff ff ff ff ff ff ff ff ff", new Date(-1)],
  ["c8 00 01 00 00", undefined],
];

for (const [bytes, value] of FORMS) {
  test(`[SLV5] MessagePack: ${bytes}`, () => {
    assert.deepStrictEqual(decodeMessagePack(hex(bytes), 10), value);
  });
}

test("[SLV6] what is no plain data is named by its path", () => {
  const loop: Record<string, unknown> = {};
  loop["self"] = [loop];
  let deep: unknown = 0;
  for (let i = 0; i < 70; i++) deep = [deep];
  const cases: readonly (readonly [value: unknown, path: string])[] = [
    [{ a: [1, () => 0] }, "v.a[1]"],
    [{ a: new Map() }, "v.a"],
    [loop, "v.self[0]"],
    [Array.from<number>({ length: 0 }).concat(new Array<number>(2)), "v[0]"],
    [
      {
        get a() {
          return 1;
        },
      },
      "v.a",
    ],
    [{ a: "\ud800" }, "v.a"],
    [JSON.parse('{"b":{"__proto__":1}}'), "v.b.__proto__"],
    [{ "": 1 }, "v."],
    [10n, "v"],
    [Symbol("s"), "v"],
    [new Date(Number.NaN), "v"],
    [deep, `v${"[0]".repeat(64)}`],
  ];
  for (const [value, path] of cases) {
    const isIt = (error: unknown): boolean => error instanceof NotPlainValueError && error.context.path === path;
    assert.throws(() => checkPlainValue(value, "v", 64), isIt, path);
  }
  checkPlainValue([{ a: [loop["none"], null, new Uint8Array(2)] }, "twice", "twice"], "v", 64);
});
