/** Limits and timeouts of an engine on an external server. */
import type { Millis } from "@sluice/base/brand";

export interface RemoteEngineLimits {
  /** Calls in progress; further ones are refused, so that a slow server cannot fill memory. */
  readonly calls: number;
  /** Bytes of the values of those calls. */
  readonly callBytes: number;
  /** Removed keys remembered to sweep their markers; beyond it the oldest are left to other processes. */
  readonly markers: number;
  /** Leases in one store, of all its clients together. */
  readonly leaseSlots: number;
}

export const REMOTE_ENGINE_LIMITS: RemoteEngineLimits = {
  calls: 4096,
  callBytes: 64 * 1024 * 1024,
  markers: 65_536,
  leaseSlots: 16_384,
};

export interface RemoteEngineTimings {
  /** Longest wait for the answer to one call. Must outlast a normal election of the server's cluster. */
  readonly answer: Millis;
  /** Interval of the server's heartbeats on a watch. */
  readonly heartbeat: Millis;
  /** Silence after which a watch is in doubt. Must outlast a stall of this process of up to two seconds. */
  readonly silence: Millis;
  readonly retryFirst: Millis;
  /** Longest wait between two attempts to reconnect. Short enough to find the server before an operator intervenes. */
  readonly retryCap: Millis;
}

export const REMOTE_ENGINE_TIMINGS: RemoteEngineTimings = {
  answer: 4_000 as Millis,
  heartbeat: 1_000 as Millis,
  silence: 3_500 as Millis,
  retryFirst: 100 as Millis,
  retryCap: 5_000 as Millis,
};
