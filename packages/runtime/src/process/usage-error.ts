/** Error for wrong usage of a command line. */

/** A command was used in an unsupported way; the message says how. */
export class UsageError extends Error {
  override readonly name = "UsageError";
  readonly code = "USAGE";
}
