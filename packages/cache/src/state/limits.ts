/** Limits of the replicated state. Equal on every member, since they determine the answers of `apply`. */

export interface StateLimits {
  /** Bytes of one key. */
  readonly keyBytes: number;
  /** Bytes of one value. */
  readonly valueBytes: number;
  /** Bytes of one encoded operation, batches included. */
  readonly operationBytes: number;
  /** Keys, conditions or operations in one operation. */
  readonly operationParts: number;
  /** Bytes of values in the answer to one transaction; a transaction that reads more is refused. */
  readonly answerBytes: number;
  /** Named caches, those without entries included. */
  readonly caches: number;
  /** Leases that are held at once. */
  readonly leases: number;
  /** Answers remembered for retries, of all clients together. */
  readonly rememberedAnswers: number;
  /** Bytes of remembered answers, of all clients together. */
  readonly rememberedBytes: number;
  /** How long an answer is remembered, by the log's time. Must outlast every retry of a client. */
  readonly rememberedMillis: number;
  /** Changes waiting for one listener before it is told that some are lost. */
  readonly waitingChanges: number;
  /** Approximate bytes of one piece of a snapshot: a larger value makes a larger piece. */
  readonly snapshotPieceBytes: number;
  /** Snapshots open at once; a further one ends the oldest. */
  readonly openSnapshots: number;
}

export const DEFAULT_STATE_LIMITS: StateLimits = {
  keyBytes: 65_535,
  valueBytes: 16 * 1024 * 1024,
  operationBytes: 32 * 1024 * 1024,
  operationParts: 131_072,
  answerBytes: 64 * 1024 * 1024,
  caches: 1_024,
  leases: 100_000,
  rememberedAnswers: 100_000,
  rememberedBytes: 32 * 1024 * 1024,
  rememberedMillis: 600_000,
  waitingChanges: 65_536,
  snapshotPieceBytes: 256 * 1024,
  openSnapshots: 4,
};
