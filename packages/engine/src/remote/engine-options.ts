/** What an engine on somebody else's server is opened with. */
import type { Clock } from "@sluice/base/clock";
import type { Log } from "@sluice/base/log";
import { REMOTE_ENGINE_TIMINGS, type RemoteEngineTimings } from "./remote-limits.ts";

export interface RemoteEngineOptions {
  /**
   * `nats://…` (several, comma-separated), `redis://…`, or `redis+sentinel://…/name`; with user and password where needed.
   */
  readonly url: string;
  /** Of the store on that server, so that two clusters can share one: letters, digits, `-` and `_`. */
  readonly name?: string;
  /** Copies that a NATS cluster keeps: 1, 3 or 5. */
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
