/** What an AMF0 data message says at a glance, however much of it is broken or too long to decode: its name, its plain values. */
import { ByteReader } from "@sluice/bytes/byte-reader";
import { LimitError, WireError } from "@sluice/bytes/wire-error";
import { AMF0_MARKER } from "./amf0-marker.ts";
import { Amf3Decoder } from "./amf3-decode.ts";
import { AmfLimitError, AmfMarkerError } from "./errors.ts";
import { AmfBudget, DEFAULT_AMF_LIMITS } from "./limits.ts";
import { type AmfValue, entriesOf } from "./value.ts";

export interface MessageName {
  /** The first string. */
  readonly name: string;
  /** Where its marker stands; before it are stray values. */
  readonly nameAt: number;
  /** Behind it. */
  readonly endAt: number;
}

export interface PlainProperty {
  readonly value: number | boolean | string;
  /** Where the value's bytes stand, behind their marker; −1 of a value in AMF3. */
  readonly at: number;
}

export interface ScannedObject {
  readonly properties: ReadonlyMap<string, PlainProperty>;
  /** It was read to its end without a fault. */
  readonly isWhole: boolean;
}

/** Plain values before a message's name or object that are passed over; some cameras send two numbers. */
const STRAY_VALUES = 8;
const STRAY: ReadonlySet<number> = new Set([
  AMF0_MARKER.NUMBER,
  AMF0_MARKER.BOOLEAN,
  AMF0_MARKER.NULL,
  AMF0_MARKER.UNDEFINED,
]);

/** Plain properties that are noted, and bytes of a text among them; all else is passed over. */
const NOTED_PROPERTIES = 1_024;
const NOTED_TEXT_BYTES = 1_024;

/** `undefined` where a message has no name, or only behind more than a few plain values. Never throws. */
export function findMessageName(bytes: Uint8Array, from = 0): MessageName | undefined {
  const reader = new ByteReader(bytes, from);
  return unlessBroken(() => {
    const marker = new Scanner(reader).passStrayValues();
    const nameAt = reader.offset - 1;
    return marker === AMF0_MARKER.STRING
      ? { name: reader.utf8(reader.u16()), nameAt, endAt: reader.offset }
      : undefined;
  });
}

/** Plain properties of the object or ECMA array from `from` on, up to the first fault in it. Never throws. */
export function scanObject(bytes: Uint8Array, from: number): ScannedObject {
  const properties = new Map<string, PlainProperty>();
  const isWhole = unlessBroken(() => new Scanner(new ByteReader(bytes, from)).noteProperties(properties)) ?? false;
  return { properties, isWhole };
}

function unlessBroken<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof WireError || error instanceof LimitError) return undefined;
    throw error;
  }
}

/** Walks values without making them. */
class Scanner {
  readonly #reader: ByteReader;
  #amf3: Amf3Decoder | undefined;
  #depth = 0;

  constructor(reader: ByteReader) {
    this.#reader = reader;
  }

  /** @returns the marker of the first value that may mean something */
  passStrayValues(): number {
    const r = this.#reader;
    let marker = r.u8();
    for (let passed = 0; passed < STRAY_VALUES && STRAY.has(marker); passed++) {
      this.skip(marker);
      marker = r.u8();
    }
    return marker;
  }

  /** @returns false where no object stands. @throws {WireError | LimitError}  after what was noted before the fault */
  noteProperties(into: Map<string, PlainProperty>): boolean {
    const r = this.#reader;
    const marker = this.passStrayValues();
    if (marker === AMF0_MARKER.AVMPLUS) return noteEntries(this.#readAmf3(), into);
    if (!this.#openEntries(marker)) return false;
    for (let name = this.#nextName(); name !== undefined; name = this.#nextName()) {
      const valueMarker = r.u8();
      const at = r.offset;
      const value = this.#readPlain(valueMarker);
      if (value !== undefined && into.size < NOTED_PROPERTIES) into.set(name, { value, at });
    }
    return true;
  }

  /** @param marker  of the value, read already */
  skip(marker: number): void {
    const r = this.#reader;
    switch (marker) {
      case AMF0_MARKER.NUMBER:
        return r.skip(8);
      case AMF0_MARKER.BOOLEAN:
        return r.skip(1);
      case AMF0_MARKER.STRING:
        return r.skip(r.u16());
      case AMF0_MARKER.NULL:
      case AMF0_MARKER.UNDEFINED:
      case AMF0_MARKER.UNSUPPORTED:
        return;
      case AMF0_MARKER.REFERENCE:
        return r.skip(2);
      case AMF0_MARKER.DATE:
        return r.skip(10);
      case AMF0_MARKER.LONG_STRING:
      case AMF0_MARKER.XML_DOCUMENT:
        return r.skip(r.u32());
      case AMF0_MARKER.AVMPLUS:
        this.#readAmf3();
        return;
      default:
        return this.#skipCompound(marker);
    }
  }

  #skipCompound(marker: number): void {
    const { depth } = DEFAULT_AMF_LIMITS;
    if (++this.#depth > depth) throw new AmfLimitError("depth", this.#depth, depth);
    const r = this.#reader;
    if (this.#openEntries(marker)) {
      while (this.#nextName() !== undefined) this.skip(r.u8());
    } else {
      if (marker !== AMF0_MARKER.STRICT_ARRAY)
        throw new AmfMarkerError({ encoding: "amf0", marker, offset: r.offset - 1 });
      for (let left = r.u32(); left > 0; left--) this.skip(r.u8());
    }
    this.#depth--;
  }

  /** @returns whether names with values follow */
  #openEntries(marker: number): boolean {
    const r = this.#reader;
    if (marker === AMF0_MARKER.ECMA_ARRAY) r.skip(4);
    else if (marker === AMF0_MARKER.TYPED_OBJECT) r.skip(r.u16());
    else return marker === AMF0_MARKER.OBJECT;
    return true;
  }

  /** `undefined` at the end marker, and at the end of the message, which stands for it. */
  #nextName(): string | undefined {
    const r = this.#reader;
    if (r.remaining === 0) return undefined;
    const name = r.utf8(r.u16());
    if (name !== "" || (r.remaining > 0 && r.peekU8() !== AMF0_MARKER.OBJECT_END)) return name;
    if (r.remaining > 0) r.skip(1);
    return undefined;
  }

  /** `undefined` for what is passed over. */
  #readPlain(marker: number): PlainProperty["value"] | undefined {
    const r = this.#reader;
    if (marker === AMF0_MARKER.NUMBER) return r.f64();
    if (marker === AMF0_MARKER.BOOLEAN) return r.u8() !== 0;
    if (marker !== AMF0_MARKER.STRING) {
      this.skip(marker);
      return undefined;
    }
    const byteCount = r.u16();
    if (byteCount <= NOTED_TEXT_BYTES) return r.utf8(byteCount);
    r.skip(byteCount);
    return undefined;
  }

  #readAmf3(): AmfValue {
    this.#amf3 ??= new Amf3Decoder(this.#reader, new AmfBudget());
    return this.#amf3.readValue();
  }
}

function noteEntries(value: AmfValue, into: Map<string, PlainProperty>): boolean {
  const entries = entriesOf(value);
  for (const [name, found] of Object.entries(entries ?? {}).slice(0, NOTED_PROPERTIES))
    if (typeof found === "number" || typeof found === "boolean" || typeof found === "string")
      into.set(name, { value: found, at: -1 });
  return entries !== undefined;
}
