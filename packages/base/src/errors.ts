/** The two error families that do not concern a peer's bytes: mistakes of the caller, and failures outside the process. */

/** The caller violated the contract: a bug, never caused by a peer. */
export abstract class StateError extends Error {
  abstract readonly code: `STATE_${string}`;
}

/** Something outside failed: a port in use, a hook that does not answer. Retried in one layer, or reported. */
export abstract class UnavailableError extends Error {
  abstract readonly code: `UNAVAILABLE_${string}`;
}
