/** Values to bytes of AMF3. */
import { ByteWriter, encodeUtf8 } from "@sluice/bytes/byte-writer";
import { isKnownExternalizable, writeExternal } from "./amf3-externalizable.ts";
import { AMF3_INTEGER_MAX, AMF3_INTEGER_MIN, AMF3_MARKER } from "./amf3-marker.ts";
import { Amf3TextWriter } from "./amf3-text.ts";
import { AmfBudget, WRITE_LIMITS } from "./limits.ts";
import {
  AmfDictionary,
  type AmfObject,
  type AmfValue,
  AmfVector,
  EcmaArray,
  ExternalizableObject,
  isAmfObject,
  TypedObject,
  XmlDocument,
} from "./value.ts";

/** All values of one message. Throws like `encodeAmf0Values`. A property whose name is empty is left out: AMF3 cannot say it. */
export function encodeAmf3Values(values: readonly AmfValue[]): Uint8Array {
  const writer = new ByteWriter(128);
  const encoder = new Amf3Encoder(writer);
  for (const value of values) encoder.writeValue(value);
  return writer.finish();
}

/** One value, with reference tables of its own. */
export function writeAmf3Value(writer: ByteWriter, value: AmfValue): void {
  new Amf3Encoder(writer).writeValue(value);
}

/** What an object is announced with. */
type Traits = Pick<TypedObject, "className" | "sealedKeys" | "isDynamic">;

const ANONYMOUS: Traits = { className: "", sealedKeys: [], isDynamic: true };

/** Writes the values of one message in turn; its three reference tables reach back through all of them. AMF3 §2.2, §3. */
export class Amf3Encoder {
  readonly #writer: ByteWriter;
  readonly #budget: AmfBudget;
  readonly #objects = new Map<object, number>();
  readonly #text: Amf3TextWriter;
  /** Keyed by everything that traits say. */
  readonly #traits = new Map<string, number>();

  constructor(writer: ByteWriter, budget: AmfBudget = new AmfBudget(WRITE_LIMITS)) {
    this.#writer = writer;
    this.#text = new Amf3TextWriter(writer);
    this.#budget = budget;
  }

  writeValue(value: AmfValue): void {
    const w = this.#writer;
    switch (typeof value) {
      case "undefined":
        w.u8(AMF3_MARKER.UNDEFINED);
        return;
      case "boolean":
        w.u8(value ? AMF3_MARKER.TRUE : AMF3_MARKER.FALSE);
        return;
      case "number":
        this.#writeNumber(value);
        return;
      case "string":
        w.u8(AMF3_MARKER.STRING);
        this.#text.text(value);
        return;
      default:
        if (value === null) w.u8(AMF3_MARKER.NULL);
        else this.#writeReferable(value);
    }
  }

  #writeNumber(value: number): void {
    const isInteger = Number.isInteger(value) && value >= AMF3_INTEGER_MIN && value <= AMF3_INTEGER_MAX;
    if (isInteger && !Object.is(value, -0)) {
      this.#writer.u8(AMF3_MARKER.INTEGER);
      this.#text.u29(value & 0x1fff_ffff);
    } else {
      this.#writer.u8(AMF3_MARKER.DOUBLE).f64(value);
    }
  }

  #writeReferable(value: AmfValue & object): void {
    this.#writer.u8(markerOf(value));
    const known = this.#objects.get(value);
    if (known !== undefined) {
      this.#text.u29(known << 1);
      return;
    }
    this.#objects.set(value, this.#objects.size);
    this.#budget.descend();
    this.#writeInline(value);
    this.#budget.ascend();
  }

  #writeInline(value: AmfValue & object): void {
    const w = this.#writer;
    if (value instanceof Date) {
      this.#text.u29(1);
      w.f64(value.getTime());
    } else if (value instanceof XmlDocument) {
      this.#text.counted(encodeUtf8(value.text));
    } else if (value instanceof Uint8Array) {
      this.#text.counted(value);
    } else if (value instanceof AmfVector) {
      this.#writeVector(value);
    } else if (value instanceof AmfDictionary) {
      this.#writeDictionary(value);
    } else if (value instanceof EcmaArray) {
      this.#writeEcmaArray(value.entries);
    } else if (value instanceof TypedObject) {
      this.#writeObject(value.properties, value);
    } else if (value instanceof ExternalizableObject) {
      this.#writeExternalizable(value);
    } else if (isAmfObject(value)) {
      this.#writeObject(value, ANONYMOUS);
    } else {
      this.#writeList(value);
    }
  }

  #writeList(items: readonly AmfValue[]): void {
    this.#text.u29((items.length << 1) | 1);
    this.#text.text("");
    for (const item of items) this.writeValue(item);
  }

  /** Names "0", "1", … without a gap become the dense part; no array says both "a list" and "no names" (see decoder). */
  #writeEcmaArray(entries: AmfObject): void {
    let denseCount = 0;
    while (Object.hasOwn(entries, String(denseCount))) denseCount++;
    this.#text.u29((denseCount << 1) | 1);
    for (const key of Object.keys(entries)) {
      if (isDenseKey(key, denseCount) || key === "") continue;
      this.#text.text(key);
      this.writeValue(entries[key]);
    }
    this.#text.text("");
    for (let i = 0; i < denseCount; i++) this.writeValue(entries[i]);
  }

  #writeObject(properties: AmfObject, traits: Traits): void {
    const { className, sealedKeys } = traits;
    const sealed = new Set(sealedKeys);
    const dynamicKeys = Object.keys(properties).filter((key) => key !== "" && !sealed.has(key));
    const isDynamic = dynamicKeys.length > 0 || traits.isDynamic;
    if (!this.#writeTraitsReference([className, isDynamic, sealedKeys])) {
      this.#text.u29((sealedKeys.length << 4) | (isDynamic ? 0b1011 : 0b0011));
      this.#text.text(className);
      for (const key of sealedKeys) this.#text.text(key);
    }
    for (const key of sealedKeys) this.writeValue(properties[key]);
    if (!isDynamic) return;
    for (const key of dynamicKeys) {
      this.#text.text(key);
      this.writeValue(properties[key]);
    }
    this.#text.text("");
  }

  #writeExternalizable({ className, properties }: ExternalizableObject): void {
    if (!isKnownExternalizable(className))
      throw new TypeError(`Cannot encode AMF3 object of class "${className}": the layout of this class is unknown`);
    if (!this.#writeTraitsReference([className, "externalizable"])) {
      this.#text.u29(0b0111);
      this.#text.text(className);
    }
    writeExternal(className, properties, { writer: this.#writer, values: this });
  }

  /** True when such traits went before and a reference was written; else they take the next place in the table. */
  #writeTraitsReference(traits: readonly unknown[]): boolean {
    const identity = JSON.stringify(traits);
    const known = this.#traits.get(identity);
    if (known === undefined) this.#traits.set(identity, this.#traits.size);
    else this.#text.u29((known << 2) | 0b01);
    return known !== undefined;
  }

  #writeVector(vector: AmfVector): void {
    const w = this.#writer;
    this.#text.u29((vector.items.length << 1) | 1);
    w.u8(vector.isFixed ? 1 : 0);
    if (vector.kind === "object") this.#text.text(vector.className);
    for (const item of vector.items) {
      if (vector.kind === "object") this.writeValue(item);
      else writeVectorNumber(w, vector.kind, Number(item));
    }
  }

  #writeDictionary(dictionary: AmfDictionary): void {
    this.#text.u29((dictionary.pairs.length << 1) | 1);
    this.#writer.u8(dictionary.hasWeakKeys ? 1 : 0);
    for (const [key, value] of dictionary.pairs) {
      this.writeValue(key);
      this.writeValue(value);
    }
  }
}

function writeVectorNumber(w: ByteWriter, kind: "int" | "uint" | "double", item: number): void {
  if (kind === "double") w.f64(item);
  else w.u32(item >>> 0);
}

const VECTOR_MARKERS = {
  int: AMF3_MARKER.VECTOR_INT,
  uint: AMF3_MARKER.VECTOR_UINT,
  double: AMF3_MARKER.VECTOR_DOUBLE,
  object: AMF3_MARKER.VECTOR_OBJECT,
} as const;

function markerOf(value: AmfValue & object): number {
  if (value instanceof Date) return AMF3_MARKER.DATE;
  if (value instanceof XmlDocument) return value.form === "e4x" ? AMF3_MARKER.XML : AMF3_MARKER.XML_DOCUMENT;
  if (value instanceof Uint8Array) return AMF3_MARKER.BYTE_ARRAY;
  if (value instanceof AmfVector) return VECTOR_MARKERS[value.kind];
  if (value instanceof AmfDictionary) return AMF3_MARKER.DICTIONARY;
  if (value instanceof EcmaArray || Array.isArray(value)) return AMF3_MARKER.ARRAY;
  if (value instanceof TypedObject || value instanceof ExternalizableObject || isAmfObject(value))
    return AMF3_MARKER.OBJECT;
  throw new TypeError("Cannot encode AMF value: not an AMF type");
}

function isDenseKey(key: string, denseCount: number): boolean {
  const index = Number(key);
  return Number.isInteger(index) && index >= 0 && index < denseCount && String(index) === key;
}
