/** The two error families that are not about a peer's bytes: our caller's mistake, and the world's failure. */

/** Our own caller did what the contract forbids: a bug to be fixed, never a peer's doing. */
export abstract class StateError extends Error {
  abstract readonly code: `STATE_${string}`;
}

/** Something outside failed: a port in use, a hook that does not answer. Retried in one layer, or reported. */
export abstract class UnavailableError extends Error {
  abstract readonly code: `UNAVAILABLE_${string}`;
}
