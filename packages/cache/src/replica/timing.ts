/** How long the members of a cluster wait for each other. All members must use the same. */
import type { Millis } from "@sluice/base/brand";

export interface ReplicaTiming {
  /** A leader confirms itself to every follower this often. */
  readonly heartbeat: Millis;
  /** No member votes within this time of having heard from a leader, nor after its own start. */
  readonly electionMin: Millis;
  /** A follower that hears nothing campaigns between `electionMin` and this; an unconfirmed leader steps down after it. */
  readonly electionMax: Millis;
  /** A leader may answer this long after it sent what a majority confirmed. Below `electionMin` by what clocks may drift. */
  readonly lease: Millis;
  /** An undecided campaign starts over between half of this and the whole. */
  readonly campaign: Millis;
  /** A snapshot that made no progress for this long is sent again from what was confirmed. */
  readonly snapshotRetry: Millis;
}

export const DEFAULT_REPLICA_TIMING: ReplicaTiming = {
  heartbeat: 100 as Millis,
  electionMin: 500 as Millis,
  electionMax: 1_000 as Millis,
  lease: 400 as Millis,
  campaign: 300 as Millis,
  snapshotRetry: 1_000 as Millis,
};
