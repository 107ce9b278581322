/** What one peer, and all of them together, may make the sessions of this node hold. */
import type { Millis } from "@sluice/base/brand";

/** Bytes that were handed over for a peer and that its transport has not taken. */
export interface OutputLimits {
  /** Of one connection; above it nothing more is read from it or burst to it, and one that takes nothing ends as stalled. Configured by `limits.outputPerConnection`. */
  readonly peerBytes: number;
  /** Above that, of the session's own words: what one read may cause, and notices meanwhile. One past it ends at once. */
  readonly overdraftBytes: number;
  /** `peerBytes` while all connections together are past half of `totalBytes`. */
  readonly crowdedPeerBytes: number;
  /** Of all connections; above it no new session is opened. What viewers of a stream share counts once it is old. Configured by `limits.outputTotal`. */
  readonly totalBytes: number;
  /** Age at which a stream releases what it shares; from then on it counts for each peer that still holds it. Configured by `delivery.lag.maxAge`. */
  readonly sharedAge: Millis;
  /** How long a connection above its limit may take nothing. Configured by `delivery.lag.stallTimeout`. */
  readonly stallTimeout: Millis;
}

/** Waiting is cheap for who waits, so that each connection gets little of it. */
export interface PlayLimits {
  /** Streams without a publisher that one connection may wait for. Configured by `limits.waitsPerConnection`. */
  readonly waitsPerConnection: number;
  /** Message streams of one connection that may play the same stream. */
  readonly viewsPerConnection: number;
}

/** Shared objects of one session. */
export interface ObjectSessionLimits {
  /** Objects that one connection uses at once. */
  readonly objectsPerConnection: number;
  /** Openings of objects a second by one connection; as many may come at once. Each may cost the state engine a write. */
  readonly openingsPerSecond: number;
  /** Writes to an object that the client has asked for and that is not open yet. */
  readonly earlyWrites: number;
  /** Writes to one object of which the client has not been told what became of them: it does not read. */
  readonly untoldWrites: number;
  /** Of one message to an RTMP client; what is larger is told in parts. Must hold most values, and not fill a client's buffer. */
  readonly messageBytes: number;
}

export const OBJECT_SESSION_LIMITS: ObjectSessionLimits = {
  objectsPerConnection: 256,
  openingsPerSecond: 256,
  earlyWrites: 64,
  untoldWrites: 2_048,
  messageBytes: 512 * 1024,
};

export const CROWDED_PEER_BYTES = 64 * 1024;

export const OVERDRAFT_BYTES = 2 * 1024 * 1024;

export const DEFAULT_PLAY_LIMITS: PlayLimits = { waitsPerConnection: 4, viewsPerConnection: 4 };
