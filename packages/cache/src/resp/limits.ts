/** Limits of one RESP client. */

export interface RespLimits {
  /** Bytes of one argument. */
  readonly bulkBytes: number;
  /** Arguments of one request, including the command's name. */
  readonly argumentCount: number;
  /** Bytes of one whole request. */
  readonly requestBytes: number;
  /** Bytes of an oversized request that are read and discarded, so that its client gets an error; Redis accepts none larger. */
  readonly skippedBytes: number;
  /** Bytes of one inline command, and of one length line. */
  readonly inlineBytes: number;
  /** Words of a command about this member or this connection, including its name. */
  readonly localWords: number;
  /** Keys of one command that are read or deleted in one piece; the rest follows in later turns of the event loop. */
  readonly keysInPiece: number;
  /** Keys that one command may write, since it is executed as a whole: MSET, MSETNX. */
  readonly keysWritten: number;
  /** Bytes of a pattern, and of a channel's name. */
  readonly patternBytes: number;
  /** Commands between MULTI and EXEC. */
  readonly transactionCommands: number;
  /** Requests of one client that wait for the log; above it the session executes no more. */
  readonly pendingRequests: number;
  /** Bytes of replies not taken yet; above it the session executes nothing. */
  readonly outputBytes: number;
  /** Bytes of waiting replies, including the largest single one; a command that reads more is refused. */
  readonly replyBytes: number;
  /** Bytes received and waiting for earlier requests; above it `isPaused` asks the owner of the socket to stop reading. */
  readonly waitingInputBytes: number;
  /** The same while the client does not read: clients that write everything before they read need it. */
  readonly unreadInputBytes: number;
  /** Bytes of replies, and of an unfinished request, for each client while all together hold too much. */
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
