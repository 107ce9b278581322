/** Restores the state of Raft from disk. */
import type { Millis } from "@sluice/base/brand";
import type { LogIndex, Term } from "../ids.ts";
import { StoredLogError } from "./errors.ts";
import type { RaftState } from "./raft-state.ts";
import type { LogRecord } from "./log-record.ts";
import { LOG_START, type LogPlace } from "./log-window.ts";
import type { StoredState } from "./replica-options.ts";

/** @throws {StoredLogError} {WireError} when it is damaged; `raft` is unusable then */
export function restoreRaftState<Answer>(raft: RaftState<Answer>, stored: StoredState): void {
  const { snapshot, hardState } = stored;
  if (snapshot !== undefined) raft.state.restore(snapshot.pieces);
  const base = snapshot?.meta ?? LOG_START;
  const records = stored.log.filter((record) => record.index > base.index);
  const last = checkRecords(records, base);
  // a record is never written before its term; if it were, this prevents a second vote in that term
  const term = Math.max(hardState?.term ?? 0, last.term) as Term;
  const isVoteLost = (hardState?.term ?? 0) < term;
  const votedFor = isVoteLost ? raft.self : hardState?.votedFor;
  raft.load({ term, votedFor, snapshot: snapshot?.meta, records });
}

function checkRecords(records: readonly LogRecord[], base: LogPlace): LogPlace {
  let last: LogPlace = base;
  for (const record of records) {
    checkAt("index", record.index, record.index, (last.index + 1) as LogIndex);
    if (record.term < last.term) checkAt("term", record.index, record.term, last.term);
    if (record.time < last.time) checkAt("time", record.index, record.time, last.time as Millis);
    last = record;
  }
  return last;
}

function checkAt(what: string, index: number, found: number, expected: number): void {
  if (found !== expected) throw new StoredLogError({ what: `${what} ${found}`, index, expected });
}
