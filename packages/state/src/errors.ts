/** How calls to replicated objects, and messages about them, can fail. What a home refuses is an answer and no error. */
import { StateError } from "@sluice/base/errors";
import { LimitError, WireError } from "@sluice/bytes/wire-error";
import type { ObjectLimits } from "./limits.ts";

/** A value that is no plain data: a function, an instance of a class, a cycle, a name that would change a prototype. */
export class NotPlainDataError extends StateError {
  override readonly name = "NotPlainDataError";
  readonly code = "STATE_OBJECT_NOT_PLAIN";
  /** @property path  from the name of the property on: `a.b[3].c` */
  readonly context: { readonly path: string; readonly what: string };
  constructor(context: NotPlainDataError["context"]) {
    super(`Cannot share "${context.path}": it is ${context.what}`);
    this.context = context;
  }
}

/** A name, a value, a batch or one more object above `ObjectLimits`. */
export class ObjectLimitError extends LimitError {
  override readonly name = "ObjectLimitError";
  readonly code = "LIMIT_OBJECT";
  readonly context: { readonly limit: keyof ObjectLimits; readonly wanted: number; readonly allowed: number };
  constructor(context: ObjectLimitError["context"]) {
    super(`Cannot share so much: ${context.limit} of ${context.wanted} is above the limit of ${context.allowed}`);
    this.context = context;
  }
}

/** A message about an object that no version of this software writes. The link that brought it must end. */
export class ObjectMessageError extends WireError {
  override readonly name = "ObjectMessageError";
  readonly code = "WIRE_OBJECT_MESSAGE";
  readonly context: { readonly problem: string };
  constructor(context: ObjectMessageError["context"]) {
    super(`Cannot read a message about an object: ${context.problem}`);
    this.context = context;
  }
}
