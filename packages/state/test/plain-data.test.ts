/** What may be shared, and the path of what may not. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { AmfDictionary, AmfVector, EcmaArray, TypedObject } from "@sluice/amf/value";
import { NotPlainDataError } from "@sluice/state/errors";
import { plainFromBytes, toPlain } from "@sluice/state/plain-data";
import { messageWish, setWish } from "@sluice/state/wishes";
import { encodeAmf3Values } from "@sluice/amf/amf3-encode";

class Socket {
  readonly port = 1935;
}
const cycle: { inner: unknown[] } = { inner: [] };
cycle.inner.push({ again: cycle });
const deep = Array.from({ length: 80 }).reduce<unknown>((inner) => [inner], 1);

const OFFENDERS: readonly (readonly [unknown, string])[] = [
  [{ b: [1, 2, 3, { c: () => 1 }] }, "a.b[3].c"],
  [Symbol("x"), "a"],
  [{ n: 10n }, "a.n"],
  [{ socket: new Socket() }, "a.socket"],
  [{ map: new Map() }, "a.map"],
  [[Promise.resolve()], "a[0]"],
  [
    {
      get value() {
        return 1;
      },
    },
    "a.value",
  ],
  [{ list: new Array(3) }, "a.list[0]"],
  [cycle, "a.inner[0].again"],
  [{ text: "half \ud800" }, "a.text"],
  [JSON.parse('{"x":{"__proto__":1}}'), "a.x.__proto__"],
  [{ x: { ["constructor"]: 1 } }, "a.x.constructor"],
  [{ prototype: 1 }, "a.prototype"],
  [{ "": 1 }, "a."],
  [{ [Symbol.iterator]: 1 }, "a[Symbol(Symbol.iterator)]"],
  [new EcmaArray({ x: new Socket() } as never), "a.x"],
  [new TypedObject("Point", { x: new Socket() } as never), "a.x"],
  [new AmfVector("object", [new Socket() as never]), "a[0]"],
  [new AmfDictionary([["k", new Socket() as never]]), "a[0][1]"],
];

for (const [value, path] of OFFENDERS) {
  test(`[OBJ30] refused with its path: ${path}`, () => {
    assert.throws(
      () => setWish("a", value),
      (error) => error instanceof NotPlainDataError && error.context.path === path,
    );
  });
}

test("[OBJ30] what is too deep, or too much, is refused", () => {
  assert.throws(() => setWish("a", deep), /deeper than 64/);
  let bomb: unknown = 1;
  for (let i = 0; i < 40; i++) bomb = [bomb, bomb];
  assert.throws(() => setWish("a", bomb), /beyond 65536 values/);
  assert.throws(
    () => messageWish("hit", [1, { on: Socket }]),
    (error) => error instanceof NotPlainDataError && error.context.path === "hit[1].on",
  );
});

test("[OBJ30] all that AMF can say is plain", () => {
  const values = [
    null,
    true,
    1.5,
    -0,
    "text",
    new Date(5),
    [1, [2]],
    { x: { y: 1 } },
    Uint8Array.of(1, 2),
    new AmfVector("int", [1]),
    new TypedObject("P", { x: 1 }),
  ];
  for (const value of values) assert.doesNotThrow(() => setWish("a", value));
  assert.equal(Object.is(toPlain(-0, "a", 100).value, -0), true);
});

for (const name of ["__proto__", "constructor", "prototype", "", "half \udc00"]) {
  test(`[OBJ31] "${name}" is no name of a property`, () => {
    assert.throws(() => setWish(name, 1), NotPlainDataError);
    assert.throws(() => messageWish(name, []), NotPlainDataError);
  });
}

test("[OBJ31] nor is it one in bytes from a link", () => {
  const bytes = encodeAmf3Values([JSON.parse('{"__proto__":{"isAdmin":true}}')]);
  assert.throws(() => plainFromBytes(bytes, "a"), NotPlainDataError);
  assert.equal(({} as { isAdmin?: boolean }).isAdmin, undefined);
});

test("[OBJ32] values are copies, and frozen", () => {
  const value = { list: [1, { x: 1 }], bytes: Uint8Array.of(1) };
  const plain = toPlain(value, "a", 1_000);
  value.list.push(2);
  value.bytes[0] = 9;
  const shared = plain.value as unknown as { list: unknown[]; bytes: Uint8Array };
  assert.deepEqual([shared.list.length, shared.bytes[0]], [2, 1]);
  assert.throws(() => shared.list.push(3), TypeError);
  assert.throws(() => Object.assign(shared.list[1] as object, { x: 2 }), TypeError);
});
