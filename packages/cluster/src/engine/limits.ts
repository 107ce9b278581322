/** What the engine over links may make a node hold, on either side, and how long it waits. */
import type { Millis } from "@sluice/base/brand";

export interface EngineLinkLimits {
  /** Calls of one client that a host serves at once; one more is refused, and the client asks another host. */
  readonly servedCalls: number;
  /** Bytes that those calls carry together; one call is served whatever its size. */
  readonly servedBytes: number;
  /** Subjects that one client listens to through one host. */
  readonly subjects: number;
  /** Bytes of changes and messages that wait for a client; above it changes wait as the latest of each key, and messages are dropped. */
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
  /** How long a call may take in all, over as many hosts as it needs. Must outlast an election. */
  readonly patience: Millis;
  /** Without an answer for this long a second host is asked beside the first. */
  readonly askSecondAfter: Millis;
  /** Without an answer for this long a host is taken for stuck. Must outlast a pause of 2 s. */
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
