/** Plain data in JSON: what JSON has no word for is an object with one name that begins with `$`. */
import { decodeBase64, encodeBase64 } from "./base64.ts";
import type { PlainObject, PlainValue } from "./plain-value.ts";

export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** Numbers that JSON cannot write. */
const NUMBERS: ReadonlyMap<string, number> = new Map([
  ["NaN", Number.NaN],
  ["Infinity", Number.POSITIVE_INFINITY],
  ["-Infinity", Number.NEGATIVE_INFINITY],
  ["-0", -0],
]);

/** @throws {RangeError} beyond `depth`, as cycles are */
export function tagValue(value: PlainValue, depth: number): Json {
  if (value === undefined) return { $undefined: true };
  if (typeof value === "number") return tagNumber(value);
  if (value === null || typeof value !== "object") return value;
  if (value instanceof Uint8Array) return { $bytes: encodeBase64(value) };
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : { $date: value.getTime() };
  if (depth <= 0) throw new RangeError("Cannot encode a value: too deep");
  if (Array.isArray(value)) return value.map((one: PlainValue) => tagValue(one, depth - 1));
  const tagged = Object.create(null) as Record<string, Json>;
  for (const [name, entry] of Object.entries(value as PlainObject)) tagged[name] = tagValue(entry, depth - 1);
  return tagOf(tagged) === undefined ? tagged : { $object: tagged };
}

/**
 * @param path  what the path of an offender begins with
 * @param refuse  told the path and what is wrong there
 */
export function untagValue(
  json: Json,
  depth: number,
  path: string,
  refuse: (path: string, what: string) => never,
): PlainValue {
  if (typeof json !== "object" || json === null) return json;
  if (depth < 0) return refuse(path, "too deep");
  if (isList(json)) return json.map((one, i) => untagValue(one, depth - 1, `${path}[${i}]`, refuse));
  const tag = tagOf(json);
  const inner = tag === undefined ? undefined : json[tag];
  if (tag === undefined) return untagEntries(json, depth, path, refuse);
  if (tag === "$object" && isObject(inner)) return untagEntries(inner, depth, path, refuse);
  const found = untagged(tag, inner);
  return found === undefined ? refuse(path, `no value that is tagged ${tag}`) : found.value;
}

function untagEntries(
  json: Readonly<Record<string, Json>>,
  depth: number,
  path: string,
  refuse: (path: string, what: string) => never,
): PlainObject {
  const entries = Object.create(null) as Record<string, PlainValue>;
  for (const name of Object.keys(json)) {
    entries[name] = untagValue(json[name] as Json, depth - 1, `${path}.${name}`, refuse);
  }
  return entries;
}

function untagged(tag: string, inner: Json | undefined): { readonly value: PlainValue } | undefined {
  if (tag === "$undefined" && inner === true) return { value: undefined };
  if (tag === "$date" && typeof inner === "number") {
    const date = new Date(inner);
    return Number.isNaN(date.getTime()) ? undefined : { value: date };
  }
  if (typeof inner !== "string") return undefined;
  if (tag === "$bytes") {
    const value = decodeBase64(inner);
    return value === undefined ? undefined : { value };
  }
  const value = tag === "$number" ? NUMBERS.get(inner) : undefined;
  return value === undefined ? undefined : { value };
}

function tagNumber(value: number): Json {
  if (Number.isFinite(value) && !Object.is(value, -0)) return value;
  return { $number: Object.is(value, -0) ? "-0" : String(value) };
}

/** The one name of an object that has one and begins so. */
function tagOf(json: Readonly<Record<string, Json>>): string | undefined {
  const names = Object.keys(json);
  return names.length === 1 && names[0]?.startsWith("$") ? names[0] : undefined;
}

function isList(json: Json): json is readonly Json[] {
  return Array.isArray(json);
}

function isObject(json: Json | undefined): json is Readonly<Record<string, Json>> {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}
