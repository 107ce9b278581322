/** A picture of AMF values that can go into JSON: bounded, without cycles, for people and not for the way back. */
import { AmfDictionary, type AmfValue, AmfVector, entriesOf, XmlDocument } from "./value.ts";

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

export interface JsonOptions {
  /** Values drawn before the rest becomes "…". Bounds shared objects too, which a few references can make endless. */
  readonly maxValues?: number;
  /** Characters of one text. */
  readonly maxText?: number;
}

const ELLIPSIS = "…";

/** Dates become ISO text, byte arrays their size, numbers that JSON lacks null, whatever goes beyond the bounds "…". */
export function amfToJson(value: AmfValue, options: JsonOptions = {}): Json {
  return new JsonPainter(options.maxValues ?? 1_000, options.maxText ?? 1_000).paint(value);
}

class JsonPainter {
  #left: number;
  readonly #maxText: number;
  /** The objects that the current one lies within. */
  readonly #ancestors = new Set<object>();

  constructor(maxValues: number, maxText: number) {
    this.#left = maxValues;
    this.#maxText = maxText;
  }

  paint(value: AmfValue): Json {
    if (this.#left-- <= 0) return ELLIPSIS;
    if (typeof value === "string") return this.#text(value);
    if (typeof value === "number") return Number.isFinite(value) ? value : null;
    if (typeof value === "boolean") return value;
    if (value === undefined || value === null) return null;
    if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
    if (value instanceof Uint8Array) return `${value.length} bytes`;
    if (value instanceof XmlDocument) return this.#text(value.text);
    if (this.#ancestors.has(value)) return ELLIPSIS;
    this.#ancestors.add(value);
    const painted = this.#paintCompound(value);
    this.#ancestors.delete(value);
    return painted;
  }

  #paintCompound(value: AmfValue & object): Json {
    if (value instanceof AmfVector) return this.#list(value.items);
    if (value instanceof AmfDictionary) return this.#list(value.pairs);
    const entries = entriesOf(value);
    if (entries === undefined) return this.#list(value as readonly AmfValue[]);
    const painted = Object.create(null) as Record<string, Json>;
    for (const key of Object.keys(entries)) {
      if (this.#left <= 0) break;
      painted[this.#text(key)] = this.paint(entries[key]);
    }
    return painted;
  }

  #list(items: readonly AmfValue[]): Json {
    const painted: Json[] = [];
    for (const item of items) {
      if (this.#left <= 0) break;
      painted.push(this.paint(item));
    }
    return painted;
  }

  #text(text: string): string {
    return text.length <= this.#maxText ? text : text.slice(0, this.#maxText) + ELLIPSIS;
  }
}
