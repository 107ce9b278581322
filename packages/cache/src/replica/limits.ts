/** Limits of one replica: memory, and work in one go. */

/** Every field is a ceiling. */
export interface ReplicaLimits {
  /** Voters and learners together. */
  readonly members: number;
  /** Bytes of a member's id, as UTF-8. */
  readonly memberIdBytes: number;
  /** Bytes of a member's address text, as UTF-8. */
  readonly addressBytes: number;
  /** Bytes of one operation; must hold the largest key and value that the state takes. */
  readonly operationBytes: number;
  /** Bytes of one member message; its length is refused before any of it is read. */
  readonly messageBytes: number;
  /** Records in one append message. */
  readonly appendRecords: number;
  /** Bytes of operations in one append message, unless the first alone is larger. */
  readonly appendBytes: number;
  /** Bytes of operations sent to one follower and not yet confirmed. */
  readonly inFlightBytes: number;
  /** Append messages to one follower not yet confirmed. */
  readonly inFlightMessages: number;
  /** Work of applying committed records in one turn, in units of about a microsecond; the rest follows in the next turn. */
  readonly appliedWork: number;
  /** Proposals not yet answered. */
  readonly waitingProposals: number;
  /** Bytes of log since the last snapshot that trigger the next; half of the last snapshot's size if that is more. */
  readonly snapshotAfterBytes: number;
  /** Records since the last snapshot that trigger the next. */
  readonly snapshotAfterRecords: number;
  /** Bytes of records kept before a snapshot for slow followers; slower ones get the snapshot. */
  readonly keptBytes: number;
  /** Bytes of the whole log in memory; beyond it proposals are refused. Above `snapshotAfterBytes` + `keptBytes`. */
  readonly logBytes: number;
  /** Bytes of one snapshot message, unless one piece alone is larger. */
  readonly snapshotMessageBytes: number;
  /** Snapshot messages to one follower not yet confirmed. */
  readonly snapshotMessagesInFlight: number;
  /** Bytes of a snapshot that a follower collects before installing it. */
  readonly snapshotBytes: number;
  /** Messages held back until the term is on disk; further ones are dropped, as a network might. */
  readonly heldMessages: number;
}

const KIB = 1024;
const MIB = 1024 * KIB;

export const DEFAULT_REPLICA_LIMITS: ReplicaLimits = {
  members: 9,
  memberIdBytes: 128,
  addressBytes: 512,
  operationBytes: 17 * MIB,
  messageBytes: 40 * MIB,
  appendRecords: 4_096,
  appendBytes: 256 * KIB,
  inFlightBytes: 4 * MIB,
  inFlightMessages: 64,
  appliedWork: 8_192,
  waitingProposals: 65_536,
  snapshotAfterBytes: 64 * MIB,
  snapshotAfterRecords: 1_000_000,
  keptBytes: 8 * MIB,
  logBytes: 256 * MIB,
  snapshotMessageBytes: 256 * KIB,
  snapshotMessagesInFlight: 4,
  snapshotBytes: 4 * KIB * MIB,
  heldMessages: 256,
};
