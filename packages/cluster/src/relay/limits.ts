/** Limits and durations of streams that are carried between nodes, for both sides. */
import type { Millis } from "@sluice/base/brand";

export interface RelayLimits {
  /** Streams that one node is given over one link; further ones are refused. */
  readonly streamsPerLink: number;
  /** Nodes between a publisher and a viewer, both ends included; longer paths are refused. */
  readonly pathNodes: number;
  /** Bytes of one frame's body; RTMP itself allows 16 777 215. */
  readonly bodyBytes: number;
  /** Queued bytes of one channel beyond its joiner's GOP, above which video is dropped until its next key frame. */
  readonly videoLagBytes: number;
  /** Queued bytes of one channel beyond its joiner's GOP, above which audio and messages are dropped too. */
  readonly audioLagBytes: number;
  /** Queued bytes of all streams of one link, above which each of them drops as if its own limit were reached. */
  readonly linkLagBytes: number;
}

const MIB = 1024 * 1024;

export const RELAY_LIMITS: RelayLimits = {
  streamsPerLink: 8_000,
  pathNodes: 8,
  bodyBytes: 16_777_215,
  videoLagBytes: 4 * MIB,
  audioLagBytes: 6 * MIB,
  linkLagBytes: 96 * MIB,
};

export interface RelayTimings {
  /** How long a frame may have to wait before video is dropped instead. Below a player's usual buffer, above a pause for garbage collection. */
  readonly videoLag: Millis;
  /** How long the oldest queued frame may have waited before audio and messages are dropped too. */
  readonly audioLag: Millis;
  /** How long a stream is kept after its last viewer left. Must outlast a player's reconnect, and hopping must not fill the link. */
  readonly linger: Millis;
  /** How long a node that has no source yet is waited for while other nodes could be asked. Must outlast two round trips. */
  readonly patience: Millis;
  /** A source whose link says nothing for so long is left for another one, if there is one. Must outlast two heartbeats. */
  readonly silence: Millis;
  /** How often silence is looked for. */
  readonly lookEvery: Millis;
  /** How long a link must stand before a stream comes over it again that went around it. Must outlast flapping. */
  readonly steady: Millis;
  /** How long a node that refused is not asked again; doubles up to the cap. */
  readonly retryFirst: Millis;
  readonly retryCap: Millis;
}

export const RELAY_TIMINGS: RelayTimings = {
  videoLag: 2_000 as Millis,
  audioLag: 4_000 as Millis,
  linger: 8_000 as Millis,
  patience: 500 as Millis,
  silence: 2_000 as Millis,
  lookEvery: 500 as Millis,
  steady: 5_000 as Millis,
  retryFirst: 100 as Millis,
  retryCap: 2_000 as Millis,
};
