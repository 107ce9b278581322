/** What one AMF message may make this process hold, and the count that is kept while it is read or written. */
import { AmfLimitError } from "./errors.ts";

/** Every field is a ceiling on memory or on stack for one message. */
export interface AmfLimits {
  /** Objects within objects; each level costs stack in the decoder, the encoder and whoever walks the value. */
  readonly depth: number;
  /** Values of all kinds in one message, nested ones included; an array's declared count is checked before it is read. */
  readonly values: number;
  /** Bytes of one string, XML text or byte array. */
  readonly stringBytes: number;
  /** Named properties of one object or ECMA array. */
  readonly properties: number;
}

export const DEFAULT_AMF_LIMITS: AmfLimits = {
  depth: 64,
  values: 65_536,
  stringBytes: 1024 * 1024,
  properties: 8_192,
};

/** Writing has no peer to guard against, only the stack: depth alone is limited. */
export const WRITE_LIMITS: AmfLimits = {
  depth: DEFAULT_AMF_LIMITS.depth,
  values: Number.POSITIVE_INFINITY,
  stringBytes: Number.POSITIVE_INFINITY,
  properties: Number.POSITIVE_INFINITY,
};

/** Counts down one message's allowance; nested decoders share one. */
export class AmfBudget {
  readonly limits: AmfLimits;
  #depth = 0;
  #values = 0;
  constructor(limits: AmfLimits = DEFAULT_AMF_LIMITS) {
    this.limits = limits;
  }

  /** Call before each value. @throws {AmfLimitError} */
  countValue(): void {
    if (++this.#values > this.limits.values) throw new AmfLimitError("values", this.#values, this.limits.values);
  }

  /** Call before anything of a declared count is read. @throws {AmfLimitError} */
  expectValues(count: number): void {
    const total = this.#values + count;
    if (total > this.limits.values) throw new AmfLimitError("values", total, this.limits.values);
  }

  expectProperties(count: number): void {
    if (count > this.limits.properties) throw new AmfLimitError("properties", count, this.limits.properties);
  }

  expectStringBytes(count: number): void {
    if (count > this.limits.stringBytes) throw new AmfLimitError("stringBytes", count, this.limits.stringBytes);
  }

  /** Each `descend` has its `ascend`, except when an error ends the message. @throws {AmfLimitError} */
  descend(): void {
    if (++this.#depth > this.limits.depth) throw new AmfLimitError("depth", this.#depth, this.limits.depth);
  }

  ascend(): void {
    this.#depth--;
  }
}
