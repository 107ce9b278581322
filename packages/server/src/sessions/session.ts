/** One dialogue with one peer, as the rest of the server sees it. */
import type { Protocol } from "@sluice/client/admin-contract";
import type { Millis } from "@sluice/base/brand";

/** Why a session ended, for logs, events and counters; a closed set. */
export type SessionEnd =
  | "peer-closed"
  | "peer-error"
  | "wire-error"
  | "limit"
  | "timeout"
  | "denied"
  | "redirected"
  | "not-found"
  | "replaced"
  | "kicked"
  | "stalled"
  | "stream-ended"
  | "server-stopping"
  | "fault";

export interface Session {
  readonly id: string;
  readonly protocol: Protocol;
  /** The peer's address without port. */
  readonly address: string;
  /** Wall clock. */
  readonly since: Millis;
  readonly facts: SessionFacts;
  /** Its present publish or play, else the one before: for the line that tells of its end. */
  readonly latest: Pick<SessionFacts, "role" | "key">;
  /** Whether it publishes, or plays a stream of which `isLive` is true. */
  isServed(isLive: (key: string) => boolean): boolean;
  /** Called about once a second with the monotonic time, for time-outs. */
  tick(now: Millis): void;
  /** Tells a peer whose protocol has words for it to go elsewhere; it is served until it goes. */
  askToLeave(): "asked" | "cannot";
  /** Ends the dialogue in its protocol's own way; may be called twice. */
  end(reason: SessionEnd, detail?: string): void;
}

/** How a session ended. */
export interface SessionClosing {
  readonly reason: SessionEnd;
  /** In words, where the reason alone does not say it. */
  readonly detail: string;
  readonly durationMs: Millis;
}

/** What people see of a session; changes as it goes. */
export interface SessionFacts {
  readonly role: "publisher" | "player" | "idle";
  /** Empty while idle. */
  readonly key: string;
  readonly app: string;
  readonly agent: string;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly isLagging: boolean;
  readonly skips: number;
}
