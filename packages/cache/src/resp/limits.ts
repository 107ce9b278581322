/** What one RESP client may make this process hold. */

export interface RespLimits {
  /** Bytes of one argument. */
  readonly bulkBytes: number;
  /** Arguments of one request, the command's name included. */
  readonly argumentCount: number;
  /** Bytes of one whole request. */
  readonly requestBytes: number;
  /** Bytes of one request over a limit that are read and thrown away, so that its client hears why; Redis takes no larger ones. */
  readonly skippedBytes: number;
  /** Bytes of one inline command, and of one length line. */
  readonly inlineBytes: number;
  /** Words of a command that is about this member or this connection, its name included. */
  readonly localWords: number;
  /** Keys of one command that are looked at or deleted in one piece; the rest follows in later turns of the event loop. */
  readonly keysInPiece: number;
  /** Keys that one command may write, since it is done whole: MSET, MSETNX. */
  readonly keysWritten: number;
  /** Bytes of a pattern, and of a channel's name. */
  readonly patternBytes: number;
  /** Commands between MULTI and EXEC. */
  readonly transactionCommands: number;
  /** Requests of one client that wait for the log; above it the session reads no further. */
  readonly pendingRequests: number;
  /** Bytes of replies that were not taken yet; above it the session executes nothing. */
  readonly outputBytes: number;
  /** Bytes of replies that wait, the largest single one included; a command that reads more is refused. */
  readonly replyBytes: number;
  /** Bytes that arrived and wait for earlier requests; above it `isPaused` asks the owner of the socket to stop reading. */
  readonly waitingInputBytes: number;
  /** The same while it is the client that does not read: those that write all before they read need it. */
  readonly unreadInputBytes: number;
  /** What each client may have of replies, and of an unfinished request, while all together hold too much. */
  readonly pressedBytes: number;
  /** Channels and patterns that one client is subscribed to. */
  readonly subscriptions: number;
}

export const DEFAULT_RESP_LIMITS: RespLimits = {
  bulkBytes: 16 * 1024 * 1024,
  argumentCount: 131_073,
  requestBytes: 32 * 1024 * 1024,
  skippedBytes: 512 * 1024 * 1024,
  inlineBytes: 64 * 1024,
  localWords: 1_024,
  keysInPiece: 4_096,
  keysWritten: 16_384,
  patternBytes: 1_024,
  transactionCommands: 8_192,
  pendingRequests: 4_096,
  outputBytes: 8 * 1024 * 1024,
  replyBytes: 64 * 1024 * 1024,
  waitingInputBytes: 1024 * 1024,
  unreadInputBytes: 32 * 1024 * 1024,
  pressedBytes: 16 * 1024,
  subscriptions: 64,
};
