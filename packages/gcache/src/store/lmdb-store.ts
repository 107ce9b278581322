/** A member's disk: log, snapshots and identity in one lmdb database, with a journal. */
import { randomBytes } from "node:crypto";
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { WireError } from "@sluice/bytes/wire-error";
import type { LogIndex } from "@sluice/cache/ids";
import type { SnapshotMeta } from "@sluice/cache/replica/log-record";
import type { StoredState } from "@sluice/cache/replica/replica-options";
import type { Log } from "@sluice/base/log";
import { closeToOthers, makePrivateFolder } from "@sluice/runtime/private-files";
import { LOCK_FILES, lockDir } from "./dir-lock.ts";
import { Journal, JOURNAL_NAMES } from "./journal.ts";
import type { NodeStore, StoreBatch, StoreIdentity } from "./node-store.ts";
import { addRun, type BatchRun, BatchSlab, joinRuns } from "./batch-slab.ts";
import { findDamage } from "./store-check.ts";
import { StoreCorruptError, StoreIoError, StoreOwnerError, StoreVersionError } from "./store-errors.ts";
import { type Recovered, recover } from "./store-recovery.ts";
import {
  closeTables,
  DATABASE,
  commit,
  factBytes,
  type IdentityFact,
  openTables,
  put,
  readFact,
  remove,
  type RunFact,
  STORE_FORMAT,
  type StoreTables,
} from "./store-tables.ts";
import { StoreWriter } from "./store-writer.ts";

export interface LmdbStoreOptions {
  readonly dir: string;
  readonly member: string;
  /** For a new store; 32 bytes. An existing store keeps its own. */
  readonly clusterId: Uint8Array;
  readonly log: Log;
  /** Aborts opening. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * @throws {UnavailableError} that says why the folder cannot be used; its files are unchanged then
 * @throws the signal's reason when it aborts first
 */
export async function openLmdbStore(options: LmdbStoreOptions): Promise<NodeStore> {
  const { dir, signal, log } = options;
  makeDir(dir);
  const lock = lockDir(dir);
  try {
    closeDir(dir, log);
    const file = join(dir, DATABASE);
    // A kill before the database was created leaves an empty file.
    if (existsSync(file) && statSync(file).size > 0) {
      const damage = await findDamage({ file, dir, signal });
      if (damage !== undefined) throw new StoreCorruptError({ dir, detail: damage });
    }
    return await openLocked(options, file, lock);
  } catch (error) {
    lock[Symbol.dispose]();
    if (error instanceof WireError) throw new StoreCorruptError({ dir, detail: error.message });
    throw (error as NodeJS.ErrnoException).syscall === undefined
      ? error
      : new StoreIoError({ dir, action: "open" }, error);
  }
}

async function openLocked(options: LmdbStoreOptions, file: string, lock: Disposable): Promise<NodeStore> {
  const { dir, log: told } = options;
  let tables: StoreTables;
  try {
    tables = openTables(file);
  } catch (cause) {
    throw new StoreIoError({ dir, action: "open" }, cause);
  }
  let journal: Journal | undefined;
  try {
    const stored = readFact(tables, "identity");
    const fact = { ...(stored ?? freshIdentity(options)), format: STORE_FORMAT };
    checkIdentity(stored ?? fact, options);
    const recovered = recover(tables, dir);
    const doubt = doubtOf(recovered, readFact(tables, "run"));
    // A database without its journal may have lost records, so a new one is created only after its journal.
    if (stored === undefined) journal = openJournal(dir, fact.storeId);
    await saveOpening(tables, { dir, fact, recovered, isDoubtful: doubt !== undefined });
    journal ??= openJournal(dir, fact.storeId);
    if (doubt !== undefined) told.warn({ dir, reason: doubt }, "Records that this member confirmed may be lost here");
    const pins = new Map(Object.entries(readFact(tables, "pins") ?? {}));
    const { hardState, snapshot, log } = recovered;
    const tail = doubt === undefined ? "complete" : "may-have-lost";
    return new LmdbStore({
      tables,
      dir,
      lock,
      fact,
      recovered,
      pins,
      journal,
      stored: { hardState, snapshot, log, tail },
    });
  } catch (error) {
    await journal?.close();
    await closeTables(tables);
    throw error;
  }
}

function freshIdentity({ member, clusterId }: LmdbStoreOptions): IdentityFact {
  const storeId = randomBytes(16).toString("hex");
  return { format: STORE_FORMAT, member, storeId, clusterId: Buffer.from(clusterId).toString("hex") };
}

function checkIdentity(fact: IdentityFact, { dir, member }: LmdbStoreOptions): void {
  if (fact.format > STORE_FORMAT) throw new StoreVersionError({ dir, found: fact.format, known: STORE_FORMAT });
  if (fact.member !== member) throw new StoreOwnerError({ dir, owner: fact.member, wanted: member });
}

/** Why the store may hold less than what was confirmed. A kill of the process loses nothing; a stop of the machine may. */
function doubtOf({ damage }: Recovered, run: RunFact | undefined): string | undefined {
  if (damage !== undefined) return damage;
  if (run === undefined) return undefined;
  if (run.isDoubtful) return "it had not caught up with a leader since it last may have lost some";
  return run.wasClosed || run.boot === bootId() ? undefined : "the machine stopped while the store was open";
}

/** Moves the journal into the database, so that it can be emptied, and marks the store as open. */
async function saveOpening(
  tables: StoreTables,
  {
    dir,
    fact,
    recovered,
    isDoubtful,
  }: {
    readonly dir: string;
    readonly fact: IdentityFact;
    readonly recovered: Recovered;
    readonly isDoubtful: boolean;
  },
): Promise<void> {
  try {
    const { hardState, sequence, unsaved } = recovered;
    const orphans = [...tables.pieces.getKeys({})].filter(([id]) => id !== recovered.snapshot?.fact.id);
    await commit(tables, () => {
      for (const orphan of orphans) remove(tables.pieces, orphan); // pieces of a snapshot that was never finished
      put(tables.facts, "identity", factBytes(fact));
      put(tables.facts, "hard", factBytes({ hardState, sequence }));
      put(tables.facts, "run", factBytes({ boot: bootId(), wasClosed: false, isDoubtful }));
      const [slab, runs]: [BatchSlab, BatchRun[]] = [new BatchSlab(), []];
      for (const batch of unsaved) addRun(runs, slab.add(batch, batch.sequence));
      if (unsaved[0] !== undefined) put(tables.batches, unsaved[0].sequence, joinRuns(runs));
    });
  } catch (cause) {
    throw new StoreIoError({ dir, action: "open" }, cause);
  }
}

/** Afterwards its files and those of the database are in the folder durably. */
function openJournal(dir: string, storeId: string): Journal {
  try {
    const journal = new Journal(dir, storeId);
    const folder = openSync(dir, "r");
    fsyncSync(folder);
    closeSync(folder);
    return journal;
  } catch (cause) {
    throw new StoreIoError({ dir, action: "open" }, cause);
  }
}

function makeDir(dir: string): void {
  try {
    makePrivateFolder(dir);
  } catch (cause) {
    throw new StoreIoError({ dir, action: "make a folder for the" }, cause);
  }
}

const FILES = [DATABASE, `${DATABASE}-lock`, ...JOURNAL_NAMES, ...LOCK_FILES];

function closeDir(dir: string, log: Log): void {
  for (const open of closeToOthers(dir, FILES)) log.warn({ open }, "Others on this machine may read the store");
}

/** Identifies the present boot of the machine; differs after a loss of power. */
function bootId(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return "unknown";
  }
}

interface LmdbStoreParts {
  readonly tables: StoreTables;
  readonly dir: string;
  readonly lock: Disposable;
  readonly fact: IdentityFact;
  readonly recovered: Recovered;
  readonly stored: StoredState;
  readonly pins: ReadonlyMap<string, string>;
  readonly journal: Journal;
}

class LmdbStore implements NodeStore {
  readonly stored: StoredState;
  readonly #parts: LmdbStoreParts;
  readonly #writer: StoreWriter;
  #fact: IdentityFact;
  #pins: ReadonlyMap<string, string>;
  #isDoubtful: boolean;
  #closed: Promise<void> | undefined;

  constructor(parts: LmdbStoreParts) {
    const { tables, dir, recovered } = parts;
    this.#parts = parts;
    this.stored = parts.stored;
    this.#fact = parts.fact;
    this.#pins = parts.pins;
    this.#isDoubtful = parts.stored.tail === "may-have-lost";
    this.#writer = new StoreWriter({ tables, dir, recovered, journal: parts.journal });
  }

  get identity(): StoreIdentity {
    const { member, storeId, clusterId } = this.#fact;
    return { member, storeId: Buffer.from(storeId, "hex"), clusterId: Buffer.from(clusterId, "hex") };
  }

  get pins(): ReadonlyMap<string, string> {
    return this.#pins;
  }

  get syncedIndex(): number {
    return this.#writer.syncedIndex;
  }

  write(batch: StoreBatch, until: "written" | "synced"): Promise<void> | undefined {
    return this.#writer.write(batch, until);
  }

  compact(upTo: LogIndex): void {
    this.#writer.compact(upTo);
  }

  saveSnapshot(meta: SnapshotMeta, pieces: Iterable<Uint8Array>): Promise<void> {
    return this.#writer.saveSnapshot(meta, pieces);
  }

  installSnapshot(meta: SnapshotMeta, pieces: readonly Uint8Array[]): Promise<void> {
    return this.#writer.installSnapshot(meta, pieces);
  }

  joinCluster(clusterId: Uint8Array): Promise<void> {
    this.#fact = { ...this.#fact, clusterId: Buffer.from(clusterId).toString("hex") };
    return this.#writer.putFact("identity", factBytes(this.#fact));
  }

  settled(): void {
    if (!this.#isDoubtful) return;
    this.#isDoubtful = false;
    this.#writer.putFact("run", this.#run({ wasClosed: false })).catch(() => {}); // the next write reports a bad disk
  }

  setPins(pins: ReadonlyMap<string, string>): void {
    this.#pins = pins;
    this.#writer.putFact("pins", factBytes(Object.fromEntries(pins))).catch(() => {});
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #run(of: { readonly wasClosed: boolean }): Buffer {
    return factBytes({ boot: bootId(), isDoubtful: this.#isDoubtful, ...of });
  }

  async #close(): Promise<void> {
    const { tables, lock } = this.#parts;
    try {
      await this.#writer.close(this.#run({ wasClosed: true }));
      await closeTables(tables);
    } finally {
      lock[Symbol.dispose]();
    }
  }
}
