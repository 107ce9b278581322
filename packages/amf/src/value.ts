/** What AMF can say, as values of the language plus small classes where the language has no word for it. */

/** Everything that both encodings carry. AMF0 alone has no word for the last four; there they travel as AMF3. */
export type AmfValue =
  | undefined
  | null
  | boolean
  | number
  | string
  | Date
  | readonly AmfValue[]
  | AmfObject
  | EcmaArray
  | TypedObject
  | XmlDocument
  | Uint8Array
  | AmfVector
  | AmfDictionary
  | ExternalizableObject;

/** An anonymous object. Decoded ones have no prototype, so `__proto__` and its like are ordinary keys. */
export interface AmfObject {
  readonly [key: string]: AmfValue;
}

/** An array with names: AMF0's ECMA array, AMF3's array with an associative part (its dense part under "0", "1", …). */
export class EcmaArray {
  readonly entries: AmfObject;
  constructor(entries: AmfObject) {
    this.entries = entries;
  }
}

/** An instance of a class that was registered under an alias. */
export class TypedObject {
  readonly className: string;
  readonly properties: AmfObject;
  /** Keys that the class declares, in its order. AMF3 sends them once per class; AMF0 knows no difference. */
  readonly sealedKeys: readonly string[];
  /** Whether an instance may have more keys than those; true if left out and nothing is sealed. */
  readonly isDynamic: boolean;
  constructor(
    className: string,
    properties: AmfObject,
    traits?: { readonly sealedKeys?: readonly string[]; readonly isDynamic?: boolean },
  ) {
    this.className = className;
    this.properties = properties;
    this.sealedKeys = traits?.sealedKeys ?? [];
    this.isDynamic = traits?.isDynamic ?? this.sealedKeys.length === 0;
  }
}

/** An instance of a class that writes its own bytes. Only classes of `amf3-externalizable.ts` can be read and written. */
export class ExternalizableObject {
  readonly className: string;
  /** Under the names that the class has for them, such as `source` of an ArrayCollection. */
  readonly properties: AmfObject;
  constructor(className: string, properties: AmfObject) {
    this.className = className;
    this.properties = properties;
  }
}

/** XML as unparsed text. `form` tells AMF3's two markers apart: the old XMLDocument (0x07) and E4X (0x0b). */
export class XmlDocument {
  readonly text: string;
  readonly form: "document" | "e4x";
  constructor(text: string, form: "document" | "e4x" = "document") {
    this.text = text;
    this.form = form;
  }
}

/** AMF3 vector. `className` matters for items of kind "object" only; "" and "*" mean any. */
export class AmfVector {
  readonly kind: "int" | "uint" | "double" | "object";
  readonly items: readonly AmfValue[];
  readonly isFixed: boolean;
  readonly className: string;
  constructor(
    kind: AmfVector["kind"],
    items: readonly AmfValue[],
    options?: { isFixed?: boolean; className?: string },
  ) {
    this.kind = kind;
    this.items = items;
    this.isFixed = options?.isFixed ?? false;
    this.className = options?.className ?? "";
  }
}

/** AMF3 dictionary: any value may be a key, so pairs and not an object. */
export class AmfDictionary {
  readonly pairs: readonly (readonly [AmfValue, AmfValue])[];
  readonly hasWeakKeys: boolean;
  constructor(pairs: readonly (readonly [AmfValue, AmfValue])[], options?: { hasWeakKeys?: boolean }) {
    this.pairs = pairs;
    this.hasWeakKeys = options?.hasWeakKeys ?? false;
  }
}

/** True for anonymous objects only: no array, no class instance. Plain literals pass too. */
export function isAmfObject(value: unknown): value is AmfObject {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

/** An `AmfObject` with the literal's own keys and no prototype: equal, also to deepEqual, to a decoded one. */
export function amfObject(entries: Readonly<Record<string, AmfValue>> = {}): AmfObject {
  return Object.assign(Object.create(null) as Record<string, AmfValue>, entries);
}

/** The named entries of whatever carries names: object, ECMA array, class instance; `undefined` for all else. */
export function entriesOf(value: AmfValue): AmfObject | undefined {
  if (value instanceof EcmaArray) return value.entries;
  if (value instanceof TypedObject || value instanceof ExternalizableObject) return value.properties;
  return isAmfObject(value) ? value : undefined;
}
