/** Any AMF value, for property tests: trees of all types, and graphs of objects that hold each other. */
import {
  AmfDictionary,
  type AmfObject,
  type AmfValue,
  AmfVector,
  amfObject,
  EcmaArray,
  ExternalizableObject,
  TypedObject,
  XmlDocument,
} from "@sluice/amf/value";
import fc from "fast-check";

const key = fc.oneof(fc.string({ unit: "grapheme" }), fc.constantFrom("__proto__", "constructor", "0", "1", "width"));
const MESSAGE_NAMES = ["body", "clientId", "headers", "timeToLive", "clientIdBytes", "messageIdBytes", "correlationId"];
/** What both encodings have words for, in any depth. */
export const plainValues: fc.Arbitrary<AmfValue> = fc.letrec<{ value: AmfValue }>((tie) => ({
  value: fc.oneof({ maxDepth: 4, withCrossShrink: true }, ...leaves(), ...compounds(tie("value"))),
})).value;

/** All that there is. */
export const values: fc.Arbitrary<AmfValue> = fc.letrec<{ value: AmfValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    ...leaves(),
    ...compounds(tie("value")),
    vectors(tie("value")),
    fc.tuple(pairs(tie("value")), fc.boolean()).map(([list, hasWeakKeys]) => new AmfDictionary(list, { hasWeakKeys })),
    externalizables(tie("value")),
  ),
})).value;

function leaves(): fc.Arbitrary<AmfValue>[] {
  return [
    fc.constantFrom<AmfValue>(undefined, null, true, false, -0, Number.NaN, Number.NEGATIVE_INFINITY),
    fc.integer(),
    fc.double(),
    fc.string({ unit: "grapheme" }),
    fc.integer({ min: -8.64e15, max: 8.64e15 }).map((millis) => new Date(millis)),
    fc.string({ unit: "grapheme" }).map((text) => new XmlDocument(text)),
    fc.uint8Array(),
  ];
}

function compounds(value: fc.Arbitrary<AmfValue>): fc.Arbitrary<AmfValue>[] {
  return [
    fc.array(value),
    entries(value),
    entries(value).map((named) => new EcmaArray(named)),
    fc.tuple(key, entries(value)).map(([name, named]) => new TypedObject(`C${name}`, named)),
  ];
}

function pairs(value: fc.Arbitrary<AmfValue>): fc.Arbitrary<[AmfValue, AmfValue][]> {
  return fc.array(fc.tuple(value, value), { maxLength: 4 });
}

function vectors(value: fc.Arbitrary<AmfValue>): fc.Arbitrary<AmfVector> {
  return fc
    .oneof(
      fc.record({ kind: fc.constant("int" as const), items: fc.array(fc.integer()) }),
      fc.record({ kind: fc.constant("uint" as const), items: fc.array(fc.integer({ min: 0, max: 0xffffffff })) }),
      fc.record({ kind: fc.constant("double" as const), items: fc.array(fc.double()) }),
      fc.record({ kind: fc.constant("object" as const), items: fc.array(value, { maxLength: 4 }), className: key }),
    )
    .chain(({ kind, items, ...more }) =>
      fc.boolean().map((isFixed) => new AmfVector(kind, items, { isFixed, ...more })),
    );
}

function externalizables(value: fc.Arbitrary<AmfValue>): fc.Arbitrary<ExternalizableObject> {
  const named = (name: fc.Arbitrary<string>, size: fc.ArrayConstraints) =>
    fc.array(fc.tuple(name, value), size).map((list) => amfObject(Object.fromEntries(list)));
  const one = { minLength: 1, maxLength: 1 };
  return fc
    .oneof(
      fc.tuple(fc.constant("flex.messaging.io.ArrayCollection"), named(fc.constant("source"), one)),
      fc.tuple(fc.constant("flex.messaging.io.ObjectProxy"), named(fc.constant("object"), one)),
      fc.tuple(fc.constant("flex.messaging.io.ManagedObjectProxy"), named(fc.string({ unit: "grapheme" }), {})),
      fc.tuple(fc.constantFrom("DSA", "DSC", "DSK"), named(fc.constantFrom(...MESSAGE_NAMES), {})),
    )
    .map(([className, properties]) => new ExternalizableObject(className, properties));
}

function entries(value: fc.Arbitrary<AmfValue>): fc.Arbitrary<AmfObject> {
  return fc.array(fc.tuple(key, value), { maxLength: 6 }).map((pairs) => {
    const named = Object.create(null) as Record<string, AmfValue>;
    for (const [name, one] of pairs) named[name] = one;
    return named;
  });
}

/** Objects of one small world, each of which may hold any of them, itself included. */
export function worldsOf(kinds: readonly string[]): fc.Arbitrary<AmfValue[]> {
  const population = fc.array(fc.constantFrom(...kinds), { minLength: 1, maxLength: 8 });
  const links = fc.array(fc.tuple(fc.nat(), fc.nat()), { maxLength: 20 });
  return fc.tuple(population, links).map(([chosen, pointers]) => {
    const nodes = chosen.map((kind, i) => emptyOf(kind, i));
    for (const [from, to] of pointers)
      nodes[from % nodes.length]?.hold((nodes[to % nodes.length] as { value: AmfValue }).value);
    return nodes.map(({ value }) => value);
  });
}

function emptyOf(kind: string, i: number): { value: AmfValue; hold: (item: AmfValue) => void } {
  const items: AmfValue[] = [];
  const named = amfObject({ n: i }) as Record<string, AmfValue>;
  const hold = (item: AmfValue): void => {
    named[`k${Object.keys(named).length}`] = item;
  };
  const push = (item: AmfValue): void => {
    items.push(item);
  };
  switch (kind) {
    case "list":
      return { value: items, hold: push };
    case "ecma":
      return { value: new EcmaArray(named), hold };
    case "typed":
      return { value: new TypedObject("T", named), hold };
    case "sealed":
      return { value: new TypedObject("S", named, { sealedKeys: ["n"], isDynamic: true }), hold };
    case "vector":
      return { value: new AmfVector("object", items), hold: push };
    case "dictionary": {
      const list: [AmfValue, AmfValue][] = [];
      return { value: new AmfDictionary(list), hold: (item) => list.push([item, i]) };
    }
    case "proxy":
      return { value: new ExternalizableObject("flex.messaging.io.ManagedObjectProxy", named), hold };
    default:
      return { value: named, hold };
  }
}
