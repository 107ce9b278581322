/** Values to bytes of AMF0. */
import { ByteWriter, encodeUtf8 } from "@sluice/bytes/byte-writer";
import { AMF0_MARKER } from "./amf0-marker.ts";
import { Amf3Encoder } from "./amf3-encode.ts";
import { AmfLimitError } from "./errors.ts";
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

const MAX_U16 = 0xffff;

export interface Amf0EncodeOptions {
  /**
   * "amf3" writes all that is not a plain value as AMF3 behind the avmplus marker, as clients of object encoding 3 do;
   * "amf0", if left out, only what AMF0 has no word for.
   */
  readonly objects?: "amf0" | "amf3";
}

/**
 * All values of one message. An object met twice becomes a reference the second time, so cycles end.
 * @throws {AmfLimitError}  nested deeper than `DEFAULT_AMF_LIMITS.depth`, or a key above 65 535 bytes
 * @throws {TypeError}  a value outside `AmfValue`
 */
export function encodeAmf0Values(values: readonly AmfValue[], options?: Amf0EncodeOptions): Uint8Array {
  const writer = new ByteWriter(128);
  const encoder = new Amf0Encoder(writer, options);
  for (const value of values) encoder.writeValue(value);
  return writer.finish();
}

/** One value, with a reference table of its own. */
export function writeAmf0Value(writer: ByteWriter, value: AmfValue): void {
  new Amf0Encoder(writer).writeValue(value);
}

/** Writes the values of one message in turn; references reach back through all of them. AMF0 specification §2. */
export class Amf0Encoder {
  readonly #writer: ByteWriter;
  readonly #budget = new AmfBudget(WRITE_LIMITS);
  readonly #references = new Map<object, number>();
  readonly #objects: "amf0" | "amf3";
  #amf3: Amf3Encoder | undefined;

  constructor(writer: ByteWriter, options?: Amf0EncodeOptions) {
    this.#writer = writer;
    this.#objects = options?.objects ?? "amf0";
  }

  writeValue(value: AmfValue): void {
    const w = this.#writer;
    switch (typeof value) {
      case "number":
        w.u8(AMF0_MARKER.NUMBER).f64(value);
        return;
      case "boolean":
        w.u8(AMF0_MARKER.BOOLEAN).u8(value ? 1 : 0);
        return;
      case "string":
        this.#writeString(value);
        return;
      case "undefined":
        w.u8(AMF0_MARKER.UNDEFINED);
        return;
      default:
        if (value === null) w.u8(AMF0_MARKER.NULL);
        else this.#writeObjectKind(value);
    }
  }

  #writeObjectKind(value: AmfValue & object): void {
    const w = this.#writer;
    if (this.#objects === "amf3" || isOfAmf3(value)) {
      this.#amf3 ??= new Amf3Encoder(w, this.#budget);
      w.u8(AMF0_MARKER.AVMPLUS);
      this.#amf3.writeValue(value);
    } else if (value instanceof Date) {
      w.u8(AMF0_MARKER.DATE).f64(value.getTime()).u16(0);
    } else if (value instanceof XmlDocument) {
      this.#writeLongText(AMF0_MARKER.XML_DOCUMENT, encodeUtf8(value.text));
    } else if (!this.#writeReference(value)) {
      this.#budget.descend();
      this.#writeCompound(value);
      this.#budget.ascend();
    }
  }

  #writeCompound(value: EcmaArray | TypedObject | readonly AmfValue[] | AmfObject): void {
    const w = this.#writer;
    if (value instanceof EcmaArray) {
      w.u8(AMF0_MARKER.ECMA_ARRAY).u32(Object.keys(value.entries).length);
      this.#writeEntries(value.entries);
    } else if (value instanceof TypedObject) {
      w.u8(AMF0_MARKER.TYPED_OBJECT);
      this.#writeShortText(value.className);
      this.#writeEntries(value.properties);
    } else if (isStrictArray(value)) {
      w.u8(AMF0_MARKER.STRICT_ARRAY).u32(value.length);
      for (const item of value) this.writeValue(item);
    } else if (isAmfObject(value)) {
      w.u8(AMF0_MARKER.OBJECT);
      this.#writeEntries(value);
    } else {
      throw new TypeError("Cannot encode AMF value: not an AMF type");
    }
  }

  /** True when the value appeared before and a reference was written; else it takes the next place in the table. */
  #writeReference(value: object): boolean {
    const index = this.#references.get(value);
    if (index !== undefined && index <= MAX_U16) {
      this.#writer.u8(AMF0_MARKER.REFERENCE).u16(index);
      return true;
    }
    if (index === undefined) this.#references.set(value, this.#references.size);
    return false;
  }

  #writeEntries(entries: AmfObject): void {
    for (const key of Object.keys(entries)) {
      this.#writeShortText(key);
      this.writeValue(entries[key]);
    }
    this.#writer.u16(0).u8(AMF0_MARKER.OBJECT_END);
  }

  #writeString(text: string): void {
    const bytes = encodeUtf8(text);
    if (bytes.length > MAX_U16) this.#writeLongText(AMF0_MARKER.LONG_STRING, bytes);
    else this.#writer.u8(AMF0_MARKER.STRING).u16(bytes.length).bytes(bytes);
  }

  #writeLongText(marker: number, bytes: Uint8Array): void {
    this.#writer.u8(marker).u32(bytes.length).bytes(bytes);
  }

  #writeShortText(text: string): void {
    const bytes = encodeUtf8(text);
    if (bytes.length > MAX_U16) throw new AmfLimitError("keyBytes", bytes.length, MAX_U16);
    this.#writer.u16(bytes.length).bytes(bytes);
  }
}

/** `Array.isArray` does not narrow readonly arrays. */
function isStrictArray(value: AmfValue): value is readonly AmfValue[] {
  return Array.isArray(value);
}

/** AMF0 has no word for it. */
function isOfAmf3(value: object): value is Uint8Array | AmfVector | AmfDictionary | ExternalizableObject {
  return (
    value instanceof Uint8Array ||
    value instanceof AmfVector ||
    value instanceof AmfDictionary ||
    value instanceof ExternalizableObject ||
    (value instanceof XmlDocument && value.form === "e4x")
  );
}
