/** What live streams may make this process hold or do; every field is a ceiling. */
import type { Millis } from "@sluice/base/brand";

export interface KeyLimits {
  /** Characters of a stream key. */
  readonly keyCharacters: number;
  /** Path parts of a stream key. */
  readonly keyParts: number;
}

export const KEY_LIMITS: KeyLimits = { keyCharacters: 1024, keyParts: 32 };

/** How much of a stream is kept so that joiners start at once. */
export interface GopLimits {
  /** Frames from the last key frame on; beyond it the cache empties until the next key frame. 0 switches it off. Configured by `gop.maxFrames`. */
  readonly maxFrames: number;
  /** Bytes of those frames. Configured by `gop.maxBytes`. */
  readonly maxBytes: number;
  /** Timeline span of those frames. Configured by `gop.maxSeconds`. */
  readonly maxDuration: Millis;
}

export const DEFAULT_GOP_LIMITS: GopLimits = {
  maxFrames: 3_000,
  maxBytes: 16 * 1024 * 1024,
  maxDuration: 30_000 as Millis,
};

/** What a slow subscriber may cost. */
export interface LagLimits {
  /** Bytes it may be behind before it skips to a later key frame. Configured by `delivery.lag.maxBytes`. */
  readonly maxBytes: number;
  /** Time it may be behind before it skips to a later key frame. Configured by `delivery.lag.maxAge`. */
  readonly maxAge: Millis;
  /** How long its transport may take nothing of what it was handed; then it is disconnected. Configured by `delivery.lag.stallTimeout`. */
  readonly stallTimeout: Millis;
}

export const DEFAULT_LAG_LIMITS: LagLimits = {
  maxBytes: 8 * 1024 * 1024,
  maxAge: 5_000 as Millis,
  stallTimeout: 30_000 as Millis,
};

export interface StreamLimits {
  /** Tracks of one kind in a stream; frames of further ones are dropped and counted. */
  readonly tracksPerKind: number;
  /** Cohorts of a stream; viewers of further wire forms are served one by one from the cached frames. */
  readonly cohorts: number;
  /** Bytes of the GOPs that cohorts keep encoded, all together; above it those with the fewest viewers keep none. */
  readonly cohortGopBytes: number;
  /** Subscribers of a stream. Configured by `limits.viewersPerStream`. */
  readonly subscribers: number;
  /** Bytes of the set-up and metadata that a stream keeps for joiners, beside its GOP; must hold a film's list of key frames. */
  readonly setUpBytes: number;
}

export const DEFAULT_STREAM_LIMITS: StreamLimits = {
  tracksPerKind: 16,
  cohorts: 24,
  cohortGopBytes: 64 * 1024 * 1024,
  subscribers: 100_000,
  setUpBytes: 1024 * 1024,
};

/** What all of it may come to; where it is exceeded, the largest cached GOPs are dropped until their next key frame. */
export interface MemoryLimits {
  /** Bytes of GOPs and set-up of all streams that one connection publishes. Configured by `limits.publisherMemory`. */
  readonly connectionBytes: number;
  /** Bytes of GOPs, set-up and encoded frames of all streams of the node. Configured by `limits.streamMemory`. */
  readonly nodeBytes: number;
}

export const DEFAULT_MEMORY_LIMITS: MemoryLimits = {
  connectionBytes: 24 * 1024 * 1024,
  nodeBytes: 1024 * 1024 * 1024,
};

export interface DirectoryLimits {
  /** Published streams at once, those in their grace window included: at the limit a new publisher ends the oldest of those. Configured by `limits.streams`. */
  readonly streams: number;
  /** Streams that viewers wait for and nobody publishes. Configured by `limits.waitingStreams`. */
  readonly waitingStreams: number;
}

export const DEFAULT_DIRECTORY_LIMITS: DirectoryLimits = { streams: 10_000, waitingStreams: 10_000 };
