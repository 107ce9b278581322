/** The two building blocks of AMF3: numbers of 29 bits and texts that refer to earlier ones. */
import type { ByteReader } from "@sluice/bytes/byte-reader";
import { type ByteWriter, encodeUtf8 } from "@sluice/bytes/byte-writer";
import { AmfReferenceError } from "./errors.ts";
import type { AmfBudget } from "./limits.ts";

/** Reads both, and keeps the string table of one message. AMF3 §1.3.1, §1.3.2 */
export class Amf3TextReader {
  readonly #reader: ByteReader;
  readonly #budget: AmfBudget;
  readonly #strings: string[] = [];

  constructor(reader: ByteReader, budget: AmfBudget) {
    this.#reader = reader;
    this.#budget = budget;
  }

  /** Up to four bytes: seven bits each while the top bit is set, eight bits in the fourth. */
  u29(): number {
    let value = 0;
    for (let i = 0; i < 3; i++) {
      const byte = this.#reader.u8();
      value = (value << 7) | (byte & 0x7f);
      if (byte < 0x80) return value;
    }
    return (value << 8) | this.#reader.u8();
  }

  /** Text without marker: a reference, or a length and bytes. The empty text never enters the table. */
  text(): string {
    const head = this.u29();
    if ((head & 1) === 0) return lookUp("string", this.#strings, head >>> 1);
    const text = this.utf8(head >>> 1);
    if (text !== "") this.#strings.push(text);
    return text;
  }

  utf8(byteCount: number): string {
    this.#budget.expectStringBytes(byteCount);
    return this.#reader.utf8(byteCount);
  }
}

/** Writes both, and keeps the string table of one message. */
export class Amf3TextWriter {
  readonly #writer: ByteWriter;
  readonly #strings = new Map<string, number>();

  constructor(writer: ByteWriter) {
    this.#writer = writer;
  }

  /** @param value  0 to 2²⁹ − 1 */
  u29(value: number): void {
    const w = this.#writer;
    if (value >= 0x20_0000)
      w.u8((value >>> 22) | 0x80)
        .u8((value >>> 15) | 0x80)
        .u8((value >>> 8) | 0x80);
    else {
      if (value >= 0x4000) w.u8((value >>> 14) | 0x80);
      if (value >= 0x80) w.u8((value >>> 7) | 0x80);
    }
    w.u8(value >= 0x20_0000 ? value : value & 0x7f);
  }

  text(text: string): void {
    const known = this.#strings.get(text);
    if (known !== undefined) {
      this.u29(known << 1);
      return;
    }
    if (text !== "") this.#strings.set(text, this.#strings.size);
    this.counted(encodeUtf8(text));
  }

  /** Length and bytes, outside the string table. */
  counted(bytes: Uint8Array): void {
    this.u29((bytes.length << 1) | 1);
    this.#writer.bytes(bytes);
  }
}

/** @throws {AmfReferenceError} */
export function lookUp<T>(table: "object" | "string" | "traits", known: readonly T[], index: number): T {
  if (index >= known.length) throw new AmfReferenceError({ table, index, size: known.length });
  return known[index] as T;
}
