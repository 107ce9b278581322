/** Bytes of AMF3 to values. */
import { ByteReader } from "@sluice/bytes/byte-reader";
import { isKnownExternalizable, readExternal } from "./amf3-externalizable.ts";
import { AMF3_MARKER } from "./amf3-marker.ts";
import { Amf3TextReader, lookUp } from "./amf3-text.ts";
import { AmfExternalizableError, AmfMarkerError } from "./errors.ts";
import { AmfBudget, type AmfLimits } from "./limits.ts";
import {
  AmfDictionary,
  type AmfObject,
  type AmfValue,
  AmfVector,
  EcmaArray,
  ExternalizableObject,
  TypedObject,
  XmlDocument,
} from "./value.ts";

/** All values of one message, to its end. Throws and shares like `decodeAmf0Values`. */
export function decodeAmf3Values(bytes: Uint8Array, options?: { readonly limits?: AmfLimits }): AmfValue[] {
  const reader = new ByteReader(bytes);
  const decoder = new Amf3Decoder(reader, new AmfBudget(options?.limits));
  const values: AmfValue[] = [];
  while (reader.remaining > 0) values.push(decoder.readValue());
  return values;
}

/** One value at the reader's cursor, with reference tables and an allowance of its own. */
export function readAmf3Value(reader: ByteReader, options?: { readonly limits?: AmfLimits }): AmfValue {
  return new Amf3Decoder(reader, new AmfBudget(options?.limits)).readValue();
}

/** What objects of one class have in common; sent once, referred to afterwards. */
interface Traits {
  readonly className: string;
  readonly isExternalizable: boolean;
  readonly isDynamic: boolean;
  readonly sealedKeys: readonly string[];
}

type VectorMarker = 0x0d | 0x0e | 0x0f | 0x10;

/** Reads the values of one message in turn; its three reference tables reach back through all of them. AMF3 §2.2, §3. */
export class Amf3Decoder {
  readonly #reader: ByteReader;
  readonly #budget: AmfBudget;
  readonly #text: Amf3TextReader;
  readonly #objects: AmfValue[] = [];
  readonly #traits: Traits[] = [];

  constructor(reader: ByteReader, budget: AmfBudget) {
    this.#reader = reader;
    this.#budget = budget;
    this.#text = new Amf3TextReader(reader, budget);
  }

  readValue(): AmfValue {
    this.#budget.countValue();
    const r = this.#reader;
    const marker = r.u8();
    switch (marker) {
      case AMF3_MARKER.UNDEFINED:
        return undefined;
      case AMF3_MARKER.NULL:
        return null;
      case AMF3_MARKER.FALSE:
        return false;
      case AMF3_MARKER.TRUE:
        return true;
      case AMF3_MARKER.INTEGER:
        return (this.#text.u29() << 3) >> 3;
      case AMF3_MARKER.DOUBLE:
        return r.f64();
      case AMF3_MARKER.STRING:
        return this.#text.text();
      default:
        return this.#readReferable(marker);
    }
  }

  /** Everything from 0x07 on opens with a U29: bit 0 clear means a reference, set means a count or length above it. */
  #readReferable(marker: number): AmfValue {
    if (marker > AMF3_MARKER.DICTIONARY)
      throw new AmfMarkerError({ encoding: "amf3", marker, offset: this.#reader.offset - 1 });
    const head = this.#text.u29();
    if ((head & 1) === 0) return lookUp("object", this.#objects, head >>> 1);
    this.#budget.descend();
    const value = this.#readInline(marker, head >>> 1);
    this.#budget.ascend();
    return value;
  }

  #readInline(marker: number, head: number): AmfValue {
    switch (marker) {
      case AMF3_MARKER.XML_DOCUMENT:
        return this.#keep(new XmlDocument(this.#text.utf8(head)));
      case AMF3_MARKER.XML:
        return this.#keep(new XmlDocument(this.#text.utf8(head), "e4x"));
      case AMF3_MARKER.DATE:
        return this.#keep(new Date(this.#reader.f64()));
      case AMF3_MARKER.BYTE_ARRAY:
        this.#budget.expectStringBytes(head);
        return this.#keep(this.#reader.bytes(head));
      case AMF3_MARKER.ARRAY:
        return this.#readArray(head);
      case AMF3_MARKER.OBJECT:
        return this.#readObject(head);
      case AMF3_MARKER.DICTIONARY:
        return this.#readDictionary(head);
      default:
        return this.#readVector(marker as VectorMarker, head);
    }
  }

  /** A list when it has no named part; else an ECMA array, with the dense part under "0", "1", … */
  #readArray(denseCount: number): AmfValue {
    this.#budget.expectValues(denseCount);
    const at = this.#objects.length;
    const items: AmfValue[] = [];
    const entries: AmfObject = Object.create(null) as AmfObject;
    // Which of the two it is shows in the first name, before anything inside could refer to it.
    const firstName = this.#text.text();
    const isList = firstName === "";
    this.#objects[at] = isList ? items : new EcmaArray(entries);
    this.#readDynamicEntries(entries, firstName);
    for (let i = 0; i < denseCount; i++) {
      const item = this.readValue();
      if (isList) items.push(item);
      else (entries as Record<string, AmfValue>)[i] = item;
    }
    return this.#objects[at];
  }

  #readObject(head: number): AmfValue {
    const traits =
      (head & 1) === 0
        ? lookUp("traits", this.#traits, head >>> 1)
        : this.#keepTraits(readTraits(this.#text, this.#budget, head >>> 1));
    const properties = Object.create(null) as Record<string, AmfValue>;
    if (traits.isExternalizable) {
      const external = this.#keep(new ExternalizableObject(traits.className, properties));
      readExternal(traits.className, properties, { reader: this.#reader, budget: this.#budget, values: this });
      return external;
    }
    const object = traits.className === "" ? properties : new TypedObject(traits.className, properties, traits);
    this.#keep(object);
    for (const key of traits.sealedKeys) properties[key] = this.readValue();
    if (traits.isDynamic) this.#readDynamicEntries(properties);
    return object;
  }

  #readDynamicEntries(into: AmfObject, firstKey = this.#text.text()): void {
    const entries = into as Record<string, AmfValue>;
    for (let key = firstKey, count = 1; key !== ""; key = this.#text.text(), count++) {
      this.#budget.expectProperties(count);
      entries[key] = this.readValue();
    }
  }

  #readVector(marker: VectorMarker, count: number): AmfValue {
    this.#budget.expectValues(count);
    const isFixed = this.#reader.u8() !== 0;
    const kind = VECTOR_KINDS[marker];
    const className = kind === "object" ? this.#text.text() : "";
    const items: AmfValue[] = [];
    const vector = new AmfVector(kind, items, { isFixed, className });
    this.#keep(vector);
    for (let i = 0; i < count; i++)
      items.push(kind === "object" ? this.readValue() : readVectorNumber(this.#reader, this.#budget, kind));
    return vector;
  }

  #readDictionary(count: number): AmfValue {
    this.#budget.expectValues(count * 2);
    const hasWeakKeys = this.#reader.u8() !== 0;
    const pairs: [AmfValue, AmfValue][] = [];
    const dictionary = new AmfDictionary(pairs, { hasWeakKeys });
    this.#keep(dictionary);
    for (let i = 0; i < count; i++) pairs.push([this.readValue(), this.readValue()]);
    return dictionary;
  }

  #keepTraits(traits: Traits): Traits {
    this.#traits.push(traits);
    return traits;
  }

  #keep<T extends AmfValue>(value: T): T {
    this.#objects.push(value);
    return value;
  }
}

/** @param head  bit 0 externalizable, bit 1 dynamic, the rest counts the sealed keys */
function readTraits(text: Amf3TextReader, budget: AmfBudget, head: number): Traits {
  const className = text.text();
  if ((head & 1) === 1) {
    if (!isKnownExternalizable(className)) throw new AmfExternalizableError({ className });
    return { className, isExternalizable: true, isDynamic: false, sealedKeys: [] };
  }
  const sealedCount = head >>> 2;
  budget.expectProperties(sealedCount);
  const sealedKeys: string[] = [];
  for (let i = 0; i < sealedCount; i++) sealedKeys.push(text.text());
  return { className, isExternalizable: false, isDynamic: (head & 2) === 2, sealedKeys };
}

function readVectorNumber(reader: ByteReader, budget: AmfBudget, kind: "int" | "uint" | "double"): number {
  budget.countValue();
  if (kind === "double") return reader.f64();
  const bits = reader.u32();
  return kind === "int" ? bits | 0 : bits;
}

const VECTOR_KINDS = {
  [AMF3_MARKER.VECTOR_INT]: "int",
  [AMF3_MARKER.VECTOR_UINT]: "uint",
  [AMF3_MARKER.VECTOR_DOUBLE]: "double",
  [AMF3_MARKER.VECTOR_OBJECT]: "object",
} as const;
