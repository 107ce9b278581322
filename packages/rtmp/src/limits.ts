/** What one RTMP peer may make this process hold or do. */

/** Every field is a ceiling on memory or work, per connection. */
export interface RtmpLimits {
  /** Chunk streams open at once; each can hold one unfinished message. */
  readonly chunkStreams: number;
  /** Bytes of one assembled message; RTMP itself allows 16,777,215. Configured by `limits.messageBytes`. */
  readonly messageBytes: number;
  /** Bytes reserved for all unfinished messages of a connection that publishes. */
  readonly partialBytes: number;
  /** The same for one that does not publish, whose messages are commands. */
  readonly idlePartialBytes: number;
  /** Bytes reserved so by all connections of a node that publish; 256 KiB of each are free. */
  readonly partialTotalBytes: number;
  /** The same for all others; 8 KiB of each are free. */
  readonly idlePartialTotalBytes: number;
  /** Most that one declared length reserves before its bytes arrive; beyond it the buffer doubles as they come. */
  readonly eagerBytes: number;
  /** Bytes of one command message. */
  readonly commandBytes: number;
  /** Characters of `app`, `tcUrl` or a stream name, query and tokens included; a longer one is not cut but ends the session. */
  readonly nameCharacters: number;
  /** Messages that wait while the connect is being judged. */
  readonly heldMessages: number;
  /** Bytes of those messages together. */
  readonly heldBytes: number;
  /** Message streams open at once. */
  readonly messageStreams: number;
  /** Messages inside one aggregate message. */
  readonly aggregateMessages: number;
  /** Bytes of one shared-object message. */
  readonly sharedObjectBytes: number;
  /** Events inside one shared-object message. */
  readonly sharedObjectEvents: number;
  /** Events not yet taken by the owner of the engine. */
  readonly queuedEvents: number;
  /** Bytes of dialogue not yet taken by the owner of the engine. */
  readonly outputBytes: number;
}

export const DEFAULT_RTMP_LIMITS: RtmpLimits = {
  chunkStreams: 64,
  messageBytes: 8 * 1024 * 1024,
  partialBytes: 16 * 1024 * 1024,
  idlePartialBytes: 256 * 1024,
  partialTotalBytes: 512 * 1024 * 1024,
  idlePartialTotalBytes: 64 * 1024 * 1024,
  eagerBytes: 64 * 1024,
  commandBytes: 64 * 1024,
  nameCharacters: 10 * 1024,
  heldMessages: 512,
  heldBytes: 512 * 1024,
  messageStreams: 32,
  aggregateMessages: 4096,
  sharedObjectBytes: 1024 * 1024,
  sharedObjectEvents: 16_384,
  queuedEvents: 16_384,
  outputBytes: 1024 * 1024,
};
