/** What one link may make this process hold, and how long it waits for its peer. */
import type { Millis } from "@sluice/base/brand";

/** Every field is a ceiling. */
export interface LinkLimits {
  /** Payload bytes of a frame before the peer has proved its identity. */
  readonly helloBytes: number;
  /** Payload bytes of a frame that this side sends; larger messages are split, so that channels interleave. */
  readonly sentFrameBytes: number;
  /** Payload bytes of a frame that this side accepts. */
  readonly frameBytes: number;
  /** Bytes of one message after assembly. Must hold the largest message of the replicated log. */
  readonly messageBytes: number;
  /** Open channels of both sides together. */
  readonly channels: number;
  /** Bytes of one channel's messages queued here before `send` answers "full". */
  readonly queuedBytes: number;
  /** Bytes of delivered messages that the receiver of a channel has not released: the credit of the peer. */
  readonly creditBytes: number;
  /** Bytes in flight, not yet acknowledged by the peer's link, that are allowed on any path. */
  readonly windowMin: number;
  /** The same on a long path with high bandwidth. */
  readonly windowMax: number;
  /** Requests of one channel without an answer yet, in each direction. */
  readonly requests: number;
}

const KIB = 1024;
const MIB = 1024 * KIB;

export const DEFAULT_LINK_LIMITS: LinkLimits = {
  helloBytes: 4 * KIB,
  sentFrameBytes: 16 * KIB,
  frameBytes: 64 * KIB,
  messageBytes: 41 * MIB,
  channels: 16_384,
  queuedBytes: 64 * MIB,
  creditBytes: 4 * MIB,
  windowMin: 256 * KIB,
  windowMax: 8 * MIB,
  requests: 4_096,
};

export interface LinkTimings {
  /** From the connection to the end of the handshake. */
  readonly handshake: Millis;
  /** Longest time between two heartbeats of a link. */
  readonly heartbeat: Millis;
  /** Without any bytes for this long the link ends. Must outlast a pause of 2 s and a lost heartbeat. */
  readonly silence: Millis;
}

export const DEFAULT_LINK_TIMINGS: LinkTimings = {
  handshake: 3_000 as Millis,
  heartbeat: 1_000 as Millis,
  silence: 4_000 as Millis,
};
