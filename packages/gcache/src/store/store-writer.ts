/** Writes a member's batches and snapshots: to the journal at once, to the database in groups. */
import type { LogIndex } from "@sluice/cache/ids";
import type { SnapshotMeta } from "@sluice/cache/replica/log-record";
import type { HardState } from "@sluice/cache/replica/replica-output";
import { addRun, type BatchRun, BatchSlab, joinRuns } from "./batch-slab.ts";
import type { Journal } from "./journal.ts";
import type { StoreBatch } from "./node-store.ts";
import { StoreClosedError, StoreIoError } from "./store-errors.ts";
import type { GroupPlace, Recovered } from "./store-recovery.ts";
import { check, commit, factBytes, put, remove, type SnapshotFact, type StoreTables } from "./store-tables.ts";

/** How long batches without a waiting caller may be in the journal only: long enough that an idle cluster commits once a second. */
const GROUP_MS = 1_000;
/** Bytes of batches that end this wait early. */
const GROUP_BYTES = 4 * 1024 * 1024;
/** Bytes of a snapshot per transaction, so that the log does not wait long behind it. */
const SLICE_BYTES = 2 * 1024 * 1024;

interface Group {
  /** Stored as one value: many small values cost more to write, and removing one touches pages of each. */
  readonly batches: BatchRun[];
  firstSequence: number;
  lastIndex: number;
  /** Puts and removals after the batches, in order. */
  readonly changes: (() => void)[];
  readonly synced: PromiseWithResolvers<void>;
  sequence: number;
  hardState: HardState | undefined;
  bytes: number;
  /** A caller waits for its commit. */
  isAwaited: boolean;
}

export interface StoreWriterOptions {
  readonly tables: StoreTables;
  readonly journal: Journal;
  readonly dir: string;
  readonly recovered: Recovered;
}

export class StoreWriter {
  readonly #tables: StoreTables;
  readonly #journal: Journal;
  readonly #dir: string;
  readonly #slab = new BatchSlab();
  /** Groups in the database, oldest first. */
  #places: GroupPlace[];
  #snapshot: SnapshotFact | undefined;
  #nextSnapshotId: number;
  #sequence: number;
  #syncedSequence: number;
  /** Index of the last record in the database. */
  #syncedIndex = 0;
  #hardState: HardState | undefined;
  /** Oldest first; only the last is open. */
  readonly #groups: Group[] = [];
  #timer: NodeJS.Timeout | undefined;
  #committing: Promise<void> | undefined;
  /** While a snapshot is being installed: later writes must not reach the files before it does. */
  #installing: Promise<void> | undefined;
  #end: Error | undefined;

  constructor({ tables, journal, dir, recovered }: StoreWriterOptions) {
    this.#tables = tables;
    this.#journal = journal;
    this.#dir = dir;
    this.#places = [...recovered.places];
    this.#snapshot = recovered.snapshot?.fact;
    this.#nextSnapshotId = (this.#snapshot?.id ?? 0) + 1;
    this.#sequence = this.#syncedSequence = recovered.sequence;
    this.#hardState = recovered.hardState;
  }

  get syncedIndex(): number {
    return this.#syncedIndex;
  }

  write(batch: StoreBatch, until: "written" | "synced"): Promise<void> | undefined {
    this.#throwIfEnded();
    if (this.#installing !== undefined) return this.#writeBehind(this.#installing, batch);
    this.#append(batch);
    return until === "synced" ? this.#syncJournal() : undefined;
  }

  async #writeBehind(install: Promise<void>, batch: StoreBatch): Promise<void> {
    await install;
    this.#throwIfEnded();
    this.#append(batch);
    await this.#syncJournal();
  }

  #append(batch: StoreBatch): void {
    const sequence = ++this.#sequence;
    const run = this.#slab.add(batch, sequence);
    const byteCount = run.end - run.start;
    try {
      this.#journal.append(run, sequence, this.#syncedSequence);
    } catch (cause) {
      throw this.#fail(cause);
    }
    this.#hardState = batch.hardState ?? this.#hardState;
    const group = this.#openGroup();
    if (group.batches.length === 0) group.firstSequence = sequence;
    addRun(group.batches, run);
    group.sequence = sequence;
    group.lastIndex = batch.append.at(-1)?.index ?? group.lastIndex;
    group.hardState = this.#hardState;
    group.bytes += byteCount;
    this.#commitSoon(group.bytes > GROUP_BYTES ? 0 : GROUP_MS);
  }

  compact(upTo: LogIndex): void {
    this.#throwIfEnded();
    const count = this.#places.findIndex((place) => place.lastIndex > upTo);
    const gone = this.#places.splice(0, count === -1 ? this.#places.length : count);
    if (gone.length === 0) return;
    const { batches } = this.#tables;
    this.#openGroup().changes.push(() => {
      for (const { sequence } of gone) remove(batches, sequence);
    });
    this.#commitSoon(GROUP_MS);
  }

  async saveSnapshot(meta: SnapshotMeta, pieces: Iterable<Uint8Array>): Promise<void> {
    const fact = await this.#writePieces(meta, pieces);
    await this.#change(() => this.#putSnapshot(fact));
  }

  async installSnapshot(meta: SnapshotMeta, pieces: readonly Uint8Array[]): Promise<void> {
    this.#installing = this.#install(meta, pieces);
    try {
      await this.#installing;
    } finally {
      this.#installing = undefined;
    }
  }

  async #install(meta: SnapshotMeta, pieces: readonly Uint8Array[]): Promise<void> {
    const fact = await this.#writePieces(meta, pieces);
    await this.#change(() => {
      for (const { sequence } of this.#places) remove(this.#tables.batches, sequence);
      this.#places = [];
      this.#putSnapshot(fact);
    });
  }

  async putFact(name: string, bytes: Buffer): Promise<void> {
    await this.#change(() => put(this.#tables.facts, name, bytes));
  }

  /** Syncs everything written so far first; `run` is the last row written. */
  async close(run: Buffer): Promise<void> {
    await this.#installing?.catch(() => {});
    if (this.#end === undefined) await this.putFact("run", run);
    this.#end ??= new StoreClosedError({ dir: this.#dir });
    await this.#committing?.catch(() => {});
    await this.#journal.close();
  }

  async #syncJournal(): Promise<void> {
    try {
      await this.#journal.sync();
    } catch (cause) {
      throw this.#fail(cause);
    }
  }

  async #writePieces(meta: SnapshotMeta, pieces: Iterable<Uint8Array>): Promise<SnapshotFact> {
    const id = this.#nextSnapshotId++;
    let pieceCount = 0;
    let slice: Buffer[] = [];
    let sliceBytes = 0;
    const flush = async (): Promise<void> => {
      const from = pieceCount;
      const whole = slice;
      pieceCount += whole.length;
      slice = [];
      sliceBytes = 0;
      await this.#change(() => whole.forEach((piece, place) => put(this.#tables.pieces, [id, from + place], piece)));
    };
    for (const piece of pieces) {
      slice.push(check(piece));
      sliceBytes += piece.length;
      if (sliceBytes >= SLICE_BYTES) await flush();
    }
    await flush();
    return { id, pieceCount, index: meta.index, term: meta.term, time: meta.time, members: meta.members };
  }

  /** Call within a commit. */
  #putSnapshot(fact: SnapshotFact): void {
    const before = this.#snapshot;
    this.#snapshot = fact;
    put(this.#tables.facts, "snapshot", factBytes(fact));
    for (let number = 0; number < (before?.pieceCount ?? 0); number++) {
      remove(this.#tables.pieces, [before?.id as number, number]);
    }
  }

  /** Resolves once it is synced. */
  async #change(change: () => void): Promise<void> {
    this.#throwIfEnded();
    const group = this.#openGroup();
    group.changes.push(change);
    group.isAwaited = true;
    this.#commitSoon(0);
    await group.synced.promise;
  }

  #openGroup(): Group {
    const open = this.#groups.at(-1);
    if (open !== undefined) return open;
    const synced = Promise.withResolvers<void>();
    synced.promise.catch(() => {}); // most groups have no waiting caller; the next write reports the failure
    const [sequence, hardState] = [this.#sequence, this.#hardState];
    const group: Group = {
      batches: [],
      firstSequence: 0,
      lastIndex: 0,
      changes: [],
      synced,
      isAwaited: false,
      sequence,
      hardState,
      bytes: 0,
    };
    this.#groups.push(group);
    return group;
  }

  #commitSoon(delay: number): void {
    if (this.#committing !== undefined) return;
    if (delay === 0) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
      this.#committing = this.#commit();
    } else this.#timer ??= setTimeout(() => this.#commitSoon(0), delay).unref();
  }

  /** Commits one group, and later ones that cannot wait to gather more. */
  async #commit(): Promise<void> {
    await Promise.resolve(); // the other writes of this turn join the group
    for (let group = this.#groups.shift(); group !== undefined; group = this.#takeUrgent()) {
      const { sequence, hardState, synced } = group;
      try {
        await commit(this.#tables, () => {
          put(this.#tables.facts, "hard", factBytes({ hardState, sequence }));
          this.#putGroup(group);
        });
      } catch (cause) {
        synced.reject(this.#fail(cause));
        break;
      }
      this.#syncedSequence = sequence;
      if (group.lastIndex > 0) this.#syncedIndex = group.lastIndex;
      synced.resolve();
    }
    this.#committing = undefined;
    if (this.#groups.length > 0) this.#commitSoon(GROUP_MS);
  }

  #takeUrgent(): Group | undefined {
    const [next] = this.#groups;
    const isUrgent = next !== undefined && (next.isAwaited || next.bytes > GROUP_BYTES);
    return isUrgent ? this.#groups.shift() : undefined;
  }

  /** Call within a commit. */
  #putGroup({ batches, firstSequence, lastIndex, changes }: Group): void {
    if (batches.length > 0) {
      put(this.#tables.batches, firstSequence, joinRuns(batches));
      this.#places.push({ sequence: firstSequence, lastIndex });
    }
    for (const change of changes) change();
  }

  #fail(cause: unknown): Error {
    this.#end ??= new StoreIoError({ dir: this.#dir, action: "write to" }, cause);
    for (const group of this.#groups.splice(0)) group.synced.reject(this.#end);
    return this.#end;
  }

  #throwIfEnded(): void {
    if (this.#end !== undefined) throw this.#end;
  }
}
