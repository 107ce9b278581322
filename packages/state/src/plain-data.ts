/** Values that may be shared: plain data and nothing else, alike on every node to the last bit. */
import { decodeAmf3Values, readAmf3Value } from "@sluice/amf/amf3-decode";
import { encodeAmf3Values } from "@sluice/amf/amf3-encode";
import { DEFAULT_AMF_LIMITS } from "@sluice/amf/limits";
import {
  AmfDictionary,
  type AmfValue,
  AmfVector,
  EcmaArray,
  isAmfObject,
  TypedObject,
  XmlDocument,
} from "@sluice/amf/value";
import { ByteReader } from "@sluice/bytes/byte-reader";
import { NotPlainDataError, ObjectLimitError } from "./errors.ts";

/** A value with its bytes in AMF3, made once where it was written. The value is frozen; its byte arrays and dates are not to be changed. */
export interface Plain {
  readonly value: AmfValue;
  readonly bytes: Uint8Array;
}

const PROTOTYPE_NAMES: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

/**
 * A copy that shares nothing with `value`.
 * @param name  what the path of an offender begins with
 * @param limitBytes  of the value in AMF3
 * @throws {NotPlainDataError} with the path of the offender
 * @throws {ObjectLimitError}
 */
export function toPlain(value: unknown, name: string, limitBytes: number): Plain {
  new Inspection().inspect(value, name, 0);
  const bytes = encodeAmf3Values([value as AmfValue]);
  if (bytes.length > limitBytes) {
    throw new ObjectLimitError({ limit: "valueBytes", wanted: bytes.length, allowed: limitBytes });
  }
  return { value: freeze(isFlat(value) ? value : decodeAmf3Values(bytes)[0]), bytes };
}

/**
 * The value that a link brought, checked as if it had been written here. Copies the bytes.
 * @throws {NotPlainDataError}
 * @throws {WireError} for what is no AMF3, or is more than one value
 */
export function plainFromBytes(bytes: Uint8Array, name: string): Plain {
  const own = bytes.slice();
  const reader = new ByteReader(own);
  const value = readAmf3Value(reader);
  if (reader.remaining > 0) throw new NotPlainDataError({ path: name, what: "more than one value" });
  if (!isFlat(value)) new Inspection().inspect(value, name, 0);
  return { value: freeze(value), bytes: own };
}

/** @throws {NotPlainDataError} for a name that is empty or would change a prototype */
export function checkName(name: string): void {
  if (name === "") throw new NotPlainDataError({ path: name, what: "an empty name" });
  if (PROTOTYPE_NAMES.has(name)) throw new NotPlainDataError({ path: name, what: "a reserved name" });
  if (!name.isWellFormed()) throw new NotPlainDataError({ path: name.toWellFormed(), what: "half of a character" });
}

/** Whether two values say the same; the order of names counts, since readers see it. */
export function isSameValue(a: Plain, b: Plain): boolean {
  return a.bytes.length === b.bytes.length && a.bytes.every((byte, i) => byte === b.bytes[i]);
}

function isFlat(value: unknown): value is null | undefined | boolean | number {
  return value === null || value === undefined || typeof value === "boolean" || typeof value === "number";
}

/** One walk through a value: what it is made of, and whether it ends. */
class Inspection {
  readonly #ancestors = new Set<object>();
  #left = DEFAULT_AMF_LIMITS.values;

  inspect(value: unknown, path: string, depth: number): void {
    if (this.#left-- <= 0) refuse(path, `beyond ${DEFAULT_AMF_LIMITS.values} values`);
    if (isFlat(value)) return;
    if (typeof value === "string") {
      if (!value.isWellFormed()) refuse(path, "text with half of a character");
      return;
    }
    if (typeof value !== "object") refuse(path, `a ${typeof value}`);
    if (value instanceof Date || value instanceof Uint8Array || value instanceof XmlDocument) return;
    if (this.#ancestors.has(value)) refuse(path, "a cycle");
    if (depth >= DEFAULT_AMF_LIMITS.depth) refuse(path, `deeper than ${DEFAULT_AMF_LIMITS.depth}`);
    this.#ancestors.add(value);
    this.#inspectParts(value, path, depth + 1);
    this.#ancestors.delete(value);
  }

  #inspectParts(value: object, path: string, depth: number): void {
    if (Array.isArray(value)) return this.#inspectList(value, path, depth);
    if (value instanceof AmfVector) return this.#inspectList(value.items, path, depth);
    if (value instanceof AmfDictionary) {
      value.pairs.forEach((pair, i) => this.#inspectList(pair, `${path}[${i}]`, depth));
    } else if (value instanceof EcmaArray) this.#inspectNames(value.entries, path, depth);
    else if (value instanceof TypedObject) this.#inspectNames(value.properties, path, depth);
    else if (isAmfObject(value)) this.#inspectNames(value, path, depth);
    else refuse(path, `an instance of ${className(value)}`);
  }

  #inspectList(list: readonly unknown[], path: string, depth: number): void {
    for (let i = 0; i < list.length; i++) {
      if (!(i in list)) refuse(`${path}[${i}]`, "a hole");
      this.inspect(list[i], `${path}[${i}]`, depth);
    }
  }

  #inspectNames(entries: object, path: string, depth: number): void {
    for (const key of Reflect.ownKeys(entries)) {
      if (typeof key === "symbol") refuse(`${path}[${String(key)}]`, "named by a symbol");
      const inner = `${path}.${key}`;
      if (key === "" || PROTOTYPE_NAMES.has(key)) refuse(inner, "a reserved name");
      if (!key.isWellFormed()) refuse(inner.toWellFormed(), "a name with half of a character");
      const { value, get, set } = Object.getOwnPropertyDescriptor(entries, key) ?? {};
      if (get !== undefined || set !== undefined) refuse(inner, "an accessor");
      this.inspect(value, inner, depth);
    }
  }
}

function refuse(path: string, what: string): never {
  throw new NotPlainDataError({ path, what });
}

function className(value: object): string {
  const { constructor } = value as { constructor?: unknown };
  return typeof constructor === "function" && constructor.name !== "" ? constructor.name : "a class without a name";
}

function freeze(value: AmfValue): AmfValue {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  if (value instanceof Date || value instanceof Uint8Array) return value;
  Object.freeze(value);
  for (const part of Object.values(value)) freeze(part as AmfValue);
  return value;
}
