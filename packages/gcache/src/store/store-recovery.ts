/** Reads the content of a member's database and journal at start. */
import type { SnapshotMeta, LogRecord } from "@sluice/cache/replica/log-record";
import type { HardState } from "@sluice/cache/replica/replica-output";
import { findWrittenJournal, readJournal } from "./journal.ts";
import { type SequencedBatch, splitBatches, StoreBatchError } from "./store-batch.ts";
import { metaOf, readFact, type SnapshotFact, type StoreTables, uncheck } from "./store-tables.ts";

/** Position of one group of batches, for compaction. */
export interface GroupPlace {
  /** Sequence of its first batch: the group's key. */
  readonly sequence: number;
  /** Index of its last record, 0 without any. */
  readonly lastIndex: number;
}

export interface Recovered {
  readonly hardState: HardState | undefined;
  readonly snapshot:
    | { readonly fact: SnapshotFact; readonly meta: SnapshotMeta; readonly pieces: Iterable<Uint8Array> }
    | undefined;
  readonly log: readonly LogRecord[];
  readonly places: readonly GroupPlace[];
  /** Batches of the journal that are not in the database yet: to be stored there as one group. */
  readonly unsaved: readonly SequencedBatch[];
  /** Sequence of the newest batch. */
  readonly sequence: number;
  /** Damage of the journal: records that this member confirmed may be lost. */
  readonly damage: string | undefined;
}

/** @throws {WireError} when something in the database is damaged or missing, or the journal belongs to another store */
export function recover(tables: StoreTables, dir: string): Recovered {
  const identity = readFact(tables, "identity");
  if (identity === undefined) return nothingIn(dir);
  const hard = readFact(tables, "hard");
  const groups = storedGroups(tables);
  const store = { id: identity.storeId, format: identity.format };
  const { batches: unsaved, damage } = readJournal(dir, { after: hard?.sequence ?? 0, store });
  if (unsaved.length > 0) groups.push(unsaved);
  return {
    hardState: unsaved.findLast((batch) => batch.hardState !== undefined)?.hardState ?? hard?.hardState,
    snapshot: storedSnapshot(tables),
    log: replay(groups.flat()),
    places: groups.map(placeOf),
    unsaved,
    sequence: (hard?.sequence ?? 0) + unsaved.length,
    damage,
  };
}

/** @throws {StoreBatchError} when there are traces of a store */
function nothingIn(dir: string): Recovered {
  const written = findWrittenJournal(dir);
  if (written !== undefined) throw new StoreBatchError({ detail: `${written} is there without its database` });
  return {
    hardState: undefined,
    snapshot: undefined,
    log: [],
    places: [],
    unsaved: [],
    sequence: 0,
    damage: undefined,
  };
}

function placeOf(group: readonly SequencedBatch[]): GroupPlace {
  const last = group.findLast((batch) => batch.append.length > 0);
  return { sequence: group[0]?.sequence ?? 0, lastIndex: last?.append.at(-1)?.index ?? 0 };
}

function storedGroups({ batches }: StoreTables): (readonly SequencedBatch[])[] {
  const groups: (readonly SequencedBatch[])[] = [];
  for (const { key, value } of batches.getRange({})) {
    // The database's memory may change under the view after the read.
    const group = splitBatches(Buffer.from(value));
    const first = group[0]?.sequence;
    if (first !== key) throw new StoreBatchError({ detail: `batch ${first} stands in place ${key}` });
    groups.push(group);
  }
  return groups;
}

/** The log that results from the batches, oldest first. */
function replay(batches: readonly SequencedBatch[]): LogRecord[] {
  const log: LogRecord[] = [];
  for (const { truncateFrom, append, sequence } of batches) {
    const first = log[0]?.index ?? 0;
    if (truncateFrom !== undefined && log.length > 0)
      log.length = Math.max(0, Math.min(log.length, truncateFrom - first));
    for (const record of append) {
      const last = log.at(-1);
      if (last !== undefined && record.index !== last.index + 1) {
        throw new StoreBatchError({
          detail: `record ${record.index} of batch ${sequence} follows record ${last.index}`,
        });
      }
      log.push(record);
    }
  }
  return log;
}

function storedSnapshot(tables: StoreTables): Recovered["snapshot"] {
  const fact = readFact(tables, "snapshot");
  return fact && { fact, meta: metaOf(fact), pieces: storedPieces(tables, fact) };
}

function* storedPieces({ pieces }: StoreTables, { id, pieceCount }: SnapshotFact): Iterable<Uint8Array> {
  for (let number = 0; number < pieceCount; number++) {
    const bytes = pieces.getBinary([id, number]);
    if (bytes === undefined)
      throw new StoreBatchError({ detail: `piece ${number} of ${pieceCount} of the snapshot is missing` });
    yield uncheck(Buffer.from(bytes));
  }
}
