/** Timeouts between the members of a cluster. All members must use the same. */
import type { Millis } from "@sluice/base/brand";

export interface ReplicaTiming {
  /** Interval at which a leader confirms itself to every follower. */
  readonly heartbeat: Millis;
  /** No member votes within this time after hearing a leader, or after its own start. */
  readonly electionMin: Millis;
  /** A follower without a leader campaigns between `electionMin` and this; an unconfirmed leader steps down after it. */
  readonly electionMax: Millis;
  /** How long a leader may answer reads after sending what a majority confirmed. Below `electionMin` by the possible clock drift. */
  readonly lease: Millis;
  /** An undecided campaign restarts after between half of this and the whole. */
  readonly campaign: Millis;
  /** A snapshot without progress for this long is resent from the last confirmed part. */
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
