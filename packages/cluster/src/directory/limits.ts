/** Limits of what the directory holds, and the durations of its leases and claims. */
import type { Millis } from "@sluice/base/brand";

export interface DirectoryLimits {
  /** Claims that one node holds or waits for. */
  readonly claims: number;
  /** Provisional claims of one peer; further ones are ignored and counted. */
  readonly heardClaims: number;
  /** Characters of a key, an id or an address in a row; longer rows are not read. */
  readonly textCharacters: number;
}

export const DIRECTORY_LIMITS: DirectoryLimits = { claims: 65_536, heardClaims: 4_096, textCharacters: 1_024 };

export interface DirectoryTimings {
  /** Lease of a node: its row is deleted when it has been dead for this long. */
  readonly nodeLease: Millis;
  /** Lease of all homes of a node: how long a successor waits after its death. */
  readonly homesLease: Millis;
  /** A claim not confirmed by then becomes provisional, where allowed. Must outlast an election. */
  readonly confirmWithin: Millis;
  readonly retryFirst: Millis;
  readonly retryCap: Millis;
}

export const DIRECTORY_TIMINGS: DirectoryTimings = {
  nodeLease: 6_000 as Millis,
  homesLease: 3_000 as Millis,
  confirmWithin: 1_500 as Millis,
  retryFirst: 50 as Millis,
  retryCap: 1_000 as Millis,
};
