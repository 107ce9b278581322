/** How a command refuses what its user wrote. */

/** A command was used in a way it cannot serve; the message says how. */
export class UsageError extends Error {
  override readonly name = "UsageError";
  readonly code = "USAGE";
}
