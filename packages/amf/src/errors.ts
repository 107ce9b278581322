/** The ways in which AMF bytes can be wrong or too much. Truncation is `ShortReadError` of `bytes`. */
import { LimitError, WireError } from "@sluice/bytes/wire-error";

/** A type marker that is unknown, reserved, or out of place. */
export class AmfMarkerError extends WireError {
  override readonly name = "AmfMarkerError";
  readonly code = "WIRE_AMF_MARKER";
  readonly context: { readonly encoding: "amf0" | "amf3"; readonly marker: number; readonly offset: number };
  constructor(context: AmfMarkerError["context"]) {
    super(`Cannot read ${context.encoding} value: marker ${context.marker} at offset ${context.offset} is not allowed`);
    this.context = context;
  }
}

/** A reference to something that did not appear before it. */
export class AmfReferenceError extends WireError {
  override readonly name = "AmfReferenceError";
  readonly code = "WIRE_AMF_REFERENCE";
  readonly context: { readonly table: "object" | "string" | "traits"; readonly index: number; readonly size: number };
  constructor(context: AmfReferenceError["context"]) {
    super(`Cannot resolve AMF ${context.table} reference ${context.index}: only ${context.size} known`);
    this.context = context;
  }
}

/** An object whose class writes its own bytes, and is none of the Flex classes whose layout is known: where it ends cannot be known. */
export class AmfExternalizableError extends WireError {
  override readonly name = "AmfExternalizableError";
  readonly code = "WIRE_AMF_EXTERNALIZABLE";
  readonly context: { readonly className: string };
  constructor(context: AmfExternalizableError["context"]) {
    super(`Cannot read AMF3 object of class "${context.className}": its layout is known to the class alone`);
    this.context = context;
  }
}

const LIMIT_CODES = {
  depth: "LIMIT_AMF_DEPTH",
  values: "LIMIT_AMF_VALUES",
  stringBytes: "LIMIT_AMF_STRING_BYTES",
  properties: "LIMIT_AMF_PROPERTIES",
  keyBytes: "LIMIT_AMF_KEY_BYTES",
} as const;

/** One of `AmfLimits` was met, or (keyBytes) a name is longer than AMF0's 16-bit length can say. */
export class AmfLimitError extends LimitError {
  override readonly name = "AmfLimitError";
  readonly code: (typeof LIMIT_CODES)[keyof typeof LIMIT_CODES];
  readonly context: { readonly limit: keyof typeof LIMIT_CODES; readonly wanted: number; readonly allowed: number };
  constructor(limit: keyof typeof LIMIT_CODES, wanted: number, allowed: number) {
    super(`Cannot handle AMF message: ${limit} of ${wanted} is above the limit of ${allowed}`);
    this.code = LIMIT_CODES[limit];
    this.context = { limit, wanted, allowed };
  }
}
