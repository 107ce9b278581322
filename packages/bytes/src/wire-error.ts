/** The two error families that decoders throw: the peer violated the rules, or asked for too much. */

/** A peer sent bytes that the specification forbids. The session that received them must end. */
export abstract class WireError extends Error {
  /** Stable, documented in docs/errors.md, safe to count and to match on. */
  abstract readonly code: `WIRE_${string}`;
}

/** A peer asked this process to hold or do more than a named limit allows. Refuse, or end its session. */
export abstract class LimitError extends Error {
  /** Stable, documented in docs/errors.md, safe to count and to match on. */
  abstract readonly code: `LIMIT_${string}`;
}

/** A field runs past the end of the bytes, and no more will come. */
export class ShortReadError extends WireError {
  override readonly name = "ShortReadError";
  readonly code = "WIRE_BYTES_SHORT";
  readonly context: { readonly offset: number; readonly wanted: number; readonly available: number };
  constructor(context: { readonly offset: number; readonly wanted: number; readonly available: number }) {
    super(`Cannot read ${context.wanted} bytes at offset ${context.offset}: only ${context.available} left`);
    this.context = context;
  }
}
