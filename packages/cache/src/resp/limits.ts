/** What one RESP client may make this process hold. */

export interface RespLimits {
  /** Bytes of one argument. */
  readonly bulkBytes: number;
  /** Arguments of one request, the command's name included. */
  readonly argumentCount: number;
  /** Bytes of one whole request. */
  readonly requestBytes: number;
  /** Bytes of one inline command, and of one length line. */
  readonly inlineBytes: number;
  /** Requests of one client that wait for the log; above it the session reads no further. */
  readonly pendingRequests: number;
  /** Bytes of replies that were not taken yet; above it the session executes nothing. */
  readonly outputBytes: number;
  /** Bytes of replies that wait, the largest single one included; a command that reads more is refused. */
  readonly replyBytes: number;
  /** Bytes that arrived and wait for earlier requests; above it `isPaused` asks the owner of the socket to stop reading. */
  readonly waitingInputBytes: number;
  /** Channels and patterns that one client is subscribed to. */
  readonly subscriptions: number;
}

export const DEFAULT_RESP_LIMITS: RespLimits = {
  bulkBytes: 16 * 1024 * 1024,
  argumentCount: 131_073,
  requestBytes: 32 * 1024 * 1024,
  inlineBytes: 64 * 1024,
  pendingRequests: 4_096,
  outputBytes: 8 * 1024 * 1024,
  replyBytes: 64 * 1024 * 1024,
  waitingInputBytes: 1024 * 1024,
  subscriptions: 64,
};
