/** Bytes of AMF0 to values. */
import { ByteReader } from "@sluice/bytes/byte-reader";
import { AMF0_MARKER } from "./amf0-marker.ts";
import { Amf3Decoder } from "./amf3-decode.ts";
import { AmfMarkerError, AmfReferenceError } from "./errors.ts";
import { AmfBudget, type AmfLimits, DEFAULT_AMF_LIMITS } from "./limits.ts";
import { type AmfObject, type AmfValue, EcmaArray, TypedObject, XmlDocument } from "./value.ts";

export interface AmfDecodeOptions {
  readonly limits?: AmfLimits;
}

/**
 * All values of one message, to its end. Byte arrays in the answer are views of `bytes`.
 *
 * Decoded values can contain themselves (reference marker): whoever walks one must bear cycles (see `json.ts`).
 * @throws {WireError}  truncated, forbidden marker, dangling reference
 * @throws {AmfLimitError}
 */
export function decodeAmf0Values(bytes: Uint8Array, options?: AmfDecodeOptions): AmfValue[] {
  const reader = new ByteReader(bytes);
  const decoder = new Amf0Decoder(reader, options?.limits);
  const values: AmfValue[] = [];
  while (reader.remaining > 0) values.push(decoder.readValue());
  return values;
}

/** One value at the reader's cursor, with a reference table and an allowance of its own. */
export function readAmf0Value(reader: ByteReader, options?: AmfDecodeOptions): AmfValue {
  return new Amf0Decoder(reader, options?.limits).readValue();
}

/** Reads the values of one message in turn; references reach back through all of them. AMF0 specification §2. */
export class Amf0Decoder {
  readonly #reader: ByteReader;
  readonly #budget: AmfBudget;
  /** Objects, ECMA arrays, strict arrays and typed objects, in order of appearance from 0. */
  readonly #references: AmfValue[] = [];
  #amf3: Amf3Decoder | undefined;

  constructor(reader: ByteReader, limits: AmfLimits = DEFAULT_AMF_LIMITS) {
    this.#reader = reader;
    this.#budget = new AmfBudget(limits);
  }

  readValue(): AmfValue {
    this.#budget.countValue();
    const r = this.#reader;
    const marker = r.u8();
    switch (marker) {
      case AMF0_MARKER.NUMBER:
        return r.f64();
      case AMF0_MARKER.BOOLEAN:
        return r.u8() !== 0;
      case AMF0_MARKER.STRING:
        return r.utf8(r.u16());
      case AMF0_MARKER.NULL:
        return null;
      case AMF0_MARKER.UNDEFINED:
      case AMF0_MARKER.UNSUPPORTED:
        return undefined;
      case AMF0_MARKER.REFERENCE:
        return this.#readReference();
      case AMF0_MARKER.DATE:
        return this.#readDate();
      case AMF0_MARKER.LONG_STRING:
        return this.#readLongText();
      case AMF0_MARKER.XML_DOCUMENT:
        return new XmlDocument(this.#readLongText());
      case AMF0_MARKER.AVMPLUS:
        this.#amf3 ??= new Amf3Decoder(r, this.#budget);
        return this.#amf3.readValue();
      default:
        return this.#readCompound(marker);
    }
  }

  #readCompound(marker: number): AmfValue {
    this.#budget.descend();
    const value = this.#readNested(marker);
    this.#budget.ascend();
    return value;
  }

  #readNested(marker: number): AmfValue {
    const r = this.#reader;
    switch (marker) {
      case AMF0_MARKER.OBJECT: {
        const object = newEntries();
        this.#references.push(object);
        return this.#readEntries(object);
      }
      case AMF0_MARKER.ECMA_ARRAY: {
        r.u32(); // the count is a hint that many encoders get wrong; the end marker decides
        const array = new EcmaArray(newEntries());
        this.#references.push(array);
        this.#readEntries(array.entries);
        return array;
      }
      case AMF0_MARKER.TYPED_OBJECT: {
        const object = new TypedObject(r.utf8(r.u16()), newEntries());
        this.#references.push(object);
        this.#readEntries(object.properties);
        return object;
      }
      case AMF0_MARKER.STRICT_ARRAY:
        return this.#readStrictArray();
      default:
        throw new AmfMarkerError({ encoding: "amf0", marker, offset: r.offset - 1 });
    }
  }

  /** Name and value pairs up to 00 00 09; the end of the message will do too, as some encoders leave the marker out. */
  #readEntries(into: AmfObject): AmfObject {
    const r = this.#reader;
    const entries = into as Record<string, AmfValue>;
    for (let count = 1; r.remaining > 0; count++) {
      const key = r.utf8(r.u16());
      if (key === "" && (r.remaining === 0 || r.peekU8() === AMF0_MARKER.OBJECT_END)) {
        if (r.remaining > 0) r.skip(1);
        break;
      }
      this.#budget.expectProperties(count);
      entries[key] = this.readValue();
    }
    return into;
  }

  #readStrictArray(): AmfValue {
    const count = this.#reader.u32();
    this.#budget.expectValues(count);
    const items: AmfValue[] = [];
    this.#references.push(items);
    for (let i = 0; i < count; i++) items.push(this.readValue());
    return items;
  }

  #readReference(): AmfValue {
    const index = this.#reader.u16();
    const size = this.#references.length;
    if (index >= size) throw new AmfReferenceError({ table: "object", index, size });
    return this.#references[index];
  }

  /** Milliseconds since 1970 in UTC; the 16-bit zone after it is reserved and ignored. */
  #readDate(): Date {
    const millis = this.#reader.f64();
    this.#reader.skip(2);
    return new Date(millis);
  }

  #readLongText(): string {
    const byteCount = this.#reader.u32();
    this.#budget.expectStringBytes(byteCount);
    return this.#reader.utf8(byteCount);
  }
}

function newEntries(): AmfObject {
  return Object.create(null) as AmfObject;
}
