/** What the directory may make a node hold, and the times that its leases and claims go by. */
import type { Millis } from "@sluice/base/brand";

export interface DirectoryLimits {
  /** Claims that one node holds or waits for at once. */
  readonly claims: number;
  /** Provisional claims that one peer may have told; further ones are passed over and counted. */
  readonly heardClaims: number;
  /** Characters of a key, an id or an address in a row; a row beyond it is not read. */
  readonly textCharacters: number;
}

export const DIRECTORY_LIMITS: DirectoryLimits = { claims: 65_536, heardClaims: 4_096, textCharacters: 1_024 };

export interface DirectoryTimings {
  /** Of the lease of a node: its row is gone when it has been dead for so long. */
  readonly nodeLease: Millis;
  /** Of the lease of all homes of a node: how long whoever takes one over waits. */
  readonly homesLease: Millis;
  /** A claim that the engine has not confirmed by then is provisional, where it may be. Must outlast an election. */
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
