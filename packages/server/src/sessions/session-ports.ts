/** What every session needs of the server around it. */
import type { Millis } from "@sluice/base/brand";
import type { Clock } from "@sluice/base/clock";
import type { Log } from "@sluice/base/log";
import type { Meter } from "@sluice/base/meter";
import type { PublishPolicy, StreamDirectory } from "@sluice/media/stream-directory";
import type { AccessRequest, Admission } from "../auth/access.ts";
import type { DirectWrites } from "@sluice/runtime/sockets/direct-writes";
import type { NodeObjects } from "../objects/node-objects.ts";
import type { InputScheduler } from "./input-scheduler.ts";
import type { PlayLimits } from "./limits.ts";
import type { MergedReads } from "@sluice/runtime/sockets/merged-reads";
import type { NodeOutput } from "./peer-output.ts";
import type { SessionRegistry } from "./session-registry.ts";

/** The part of the guard that sessions use. */
export interface AccessPolicy {
  decide(request: AccessRequest, signal: AbortSignal): Promise<Admission>;
}

/** What an application's configuration says to sessions. */
export interface ApplicationPolicy {
  readonly publish: PublishPolicy;
  /** How long a viewer may wait for a publisher; `forever`, or 0 to refuse at once. */
  readonly playWait: { readonly rtmp: Millis | "forever"; readonly http: Millis | "forever" };
}

export interface SessionTimeouts {
  readonly handshake: Millis;
  readonly connect: Millis;
  /** Neither publishing nor playing; also: a publisher that sends nothing. */
  readonly idle: Millis;
  /** From an accepted publish to the first media. */
  readonly firstFrame: Millis;
}

export interface SessionPorts {
  readonly clock: Clock;
  readonly log: Log;
  readonly meter: Meter;
  readonly registry: SessionRegistry;
  readonly reads: MergedReads;
  readonly writes: DirectWrites;
  readonly outputs: NodeOutput;
  readonly inputs: InputScheduler;
  readonly streams: StreamDirectory;
  readonly objects: NodeObjects;
  readonly guard: AccessPolicy;
  readonly timeouts: SessionTimeouts;
  readonly limits: PlayLimits;
  /** Aborted once the node drains: nothing new is published or played. */
  readonly draining: AbortSignal;
  readonly policyOf: (app: string) => ApplicationPolicy;
  /** Takes a publisher's place; false when the node has reached `limits.publishers`. Give it back with `releasePublisher`. */
  readonly claimPublisher: () => boolean;
  readonly releasePublisher: () => void;
}
