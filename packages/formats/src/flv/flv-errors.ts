/** Errors of an FLV byte stream: malformed, or above a limit. */
import { LimitError, WireError } from "@sluice/bytes/wire-error";

/** The bytes do not begin like an FLV file. */
export class FlvHeaderError extends WireError {
  override readonly name = "FlvHeaderError";
  readonly code = "WIRE_FLV_HEADER";
  readonly context: { readonly field: "signature" | "version" | "dataOffset"; readonly value: number };
  constructor(context: FlvHeaderError["context"]) {
    super(`Cannot read FLV header: ${context.field} of ${context.value} is not allowed`);
    this.context = context;
  }
}

/** A tag of a kind that FLV does not know, or an encrypted one: from here on, boundaries cannot be trusted. */
export class FlvTagTypeError extends WireError {
  override readonly name = "FlvTagTypeError";
  readonly code = "WIRE_FLV_TAG_TYPE";
  readonly context: { readonly typeByte: number };
  constructor(context: FlvTagTypeError["context"]) {
    super(`Cannot read FLV tag: type byte ${context.typeByte} is not a plain audio, video or script tag`);
    this.context = context;
  }
}

/** A tag body above the limit. */
export class FlvTagTooLongError extends LimitError {
  override readonly name = "FlvTagTooLongError";
  readonly code = "LIMIT_FLV_TAG_BYTES";
  readonly context: { readonly declared: number; readonly limit: number };
  constructor(context: FlvTagTooLongError["context"]) {
    super(`Cannot accept FLV tag of ${context.declared} bytes: limit is ${context.limit}`);
    this.context = context;
  }
}
