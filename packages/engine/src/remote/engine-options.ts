/** Options of an engine on an external server. */
import type { Clock } from "@sluice/base/clock";
import type { Log } from "@sluice/base/log";
import { REMOTE_ENGINE_TIMINGS, type RemoteEngineTimings } from "./remote-limits.ts";

export interface RemoteEngineOptions {
  /**
   * `nats://…` (several, comma-separated), `redis://…`, or `redis+sentinel://…/name`; with user and password if needed.
   */
  readonly url: string;
  /** Name of the store on that server, so that two clusters can share a server: letters, digits, `-` and `_`. */
  readonly name?: string;
  /** Replicas that a NATS cluster keeps: 1, 3 or 5. */
  readonly replicas?: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  readonly timings?: Partial<RemoteEngineTimings>;
}

export const DEFAULT_STORE_NAME = "sluice";

export function timingsOf(options: Pick<RemoteEngineOptions, "timings">): RemoteEngineTimings {
  return { ...REMOTE_ENGINE_TIMINGS, ...options.timings };
}
