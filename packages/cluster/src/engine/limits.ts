/** Limits and timeouts of the engine over links, for both sides. */
import type { Millis } from "@sluice/base/brand";

export interface EngineLinkLimits {
  /** Calls of one client that a host serves at once; a further one is refused, and the client asks another host. */
  readonly servedCalls: number;
  /** Bytes carried by those calls together; a single call is served whatever its size. */
  readonly servedBytes: number;
  /** Subjects that one client listens to through one host. */
  readonly subjects: number;
  /** Queued bytes of changes and messages for one client; above it only the latest change of each key waits, and messages are dropped. */
  readonly feedBytes: number;
}

const MIB = 1024 * 1024;

export const ENGINE_LINK_LIMITS: EngineLinkLimits = {
  servedCalls: 1_024,
  servedBytes: 16 * MIB,
  subjects: 4_096,
  feedBytes: 1 * MIB,
};

export interface EngineLinkTimings {
  /** Total time for a call, over as many hosts as needed. Must outlast an election. */
  readonly patience: Millis;
  /** Without an answer for this long a second host is asked in parallel. */
  readonly askSecondAfter: Millis;
  /** Without an answer for this long a host is considered stuck. Must outlast a pause of 2 s. */
  readonly stuckAfter: Millis;
  readonly retryFirst: Millis;
  readonly retryCap: Millis;
}

export const ENGINE_LINK_TIMINGS: EngineLinkTimings = {
  patience: 4_000 as Millis,
  askSecondAfter: 500 as Millis,
  stuckAfter: 2_500 as Millis,
  retryFirst: 20 as Millis,
  retryCap: 500 as Millis,
};
