/** What an engine on somebody else's server may make this process hold, and how long it waits for that server. */
import type { Millis } from "@sluice/base/brand";

export interface RemoteEngineLimits {
  /** Calls that wait for the server at once; one more is refused, so that a slow server fills no memory. */
  readonly calls: number;
  /** Bytes of the values that those calls carry. */
  readonly callBytes: number;
  /** Removed keys that this process remembers in order to sweep their markers; the oldest are left to others. */
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
  /** How long one call may wait for its answer. Must outlast an election of the server's cluster that went well. */
  readonly answer: Millis;
  /** How often the server is to show that the watch lives. */
  readonly heartbeat: Millis;
  /** Silence after which a watch is doubted. Must outlast a stall of this process, of up to two seconds. */
  readonly silence: Millis;
  readonly retryFirst: Millis;
  /** Longest wait between two attempts to come back. Short enough to find the server before an operator wonders. */
  readonly retryCap: Millis;
}

export const REMOTE_ENGINE_TIMINGS: RemoteEngineTimings = {
  answer: 4_000 as Millis,
  heartbeat: 1_000 as Millis,
  silence: 3_500 as Millis,
  retryFirst: 100 as Millis,
  retryCap: 5_000 as Millis,
};
