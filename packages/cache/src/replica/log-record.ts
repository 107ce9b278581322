/** One record of the replicated log. */
import type { Millis } from "@sluice/base/brand";
import type { LogIndex, Term } from "../ids.ts";
import type { MemberList } from "./members.ts";

/**
 * `operation` goes to the state machine; `no-op` opens a term; `members` holds a member list, which is in force as soon
 * as it is in the log, committed or not.
 */
export type RecordType = "operation" | "no-op" | "members";

export interface LogRecord {
  readonly index: LogIndex;
  readonly term: Term;
  /** The leader's wall clock when it took the record; never lower than in the previous record. */
  readonly time: Millis;
  readonly type: RecordType;
  /** Read in place and kept as long as the record is in the log: never change these bytes. */
  readonly body: Uint8Array;
}

/** What precedes a log: everything up to and including `index`. */
export interface SnapshotMeta {
  readonly index: LogIndex;
  /** Of the record at `index`. */
  readonly term: Term;
  /** Of the record at `index`. */
  readonly time: Millis;
  readonly members: MemberList;
}
