/** A member's disk: the log, snapshots and identity in one lmdb database, with a journal before it. */
import { randomBytes } from "node:crypto";
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { WireError } from "@sluice/bytes/wire-error";
import type { LogIndex } from "@sluice/cache/ids";
import type { SnapshotMeta } from "@sluice/cache/replica/log-record";
import type { StoredState } from "@sluice/cache/replica/replica-options";
import type { Log } from "@sluice/base/log";
import { lockDir } from "./dir-lock.ts";
import { Journal } from "./journal.ts";
import type { NodeStore, StoreBatch, StoreIdentity } from "./node-store.ts";
import { addRun, type BatchRun, BatchSlab, joinRuns } from "./batch-slab.ts";
import { findDamage } from "./store-check.ts";
import { StoreCorruptError, StoreIoError, StoreOwnerError, StoreVersionError } from "./store-errors.ts";
import { type Recovered, recover } from "./store-recovery.ts";
import {
  closeTables,
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
  /** Of a new store; 32 bytes. A store that is there keeps its own. */
  readonly clusterId: Uint8Array;
  readonly log: Log;
}

/** @throws {UnavailableError} that says why the folder cannot be used; its files are then as they were */
export async function openLmdbStore(options: LmdbStoreOptions): Promise<NodeStore> {
  const { dir } = options;
  makeDir(dir);
  const lock = lockDir(dir);
  try {
    const file = join(dir, "store.mdb");
    if (existsSync(file)) {
      const damage = await findDamage(file, dir);
      if (damage !== undefined) throw new StoreCorruptError({ dir, detail: damage });
    }
    return await openLocked(options, file, lock);
  } catch (error) {
    lock[Symbol.dispose]();
    if (error instanceof WireError) throw new StoreCorruptError({ dir, detail: error.message });
    throw error;
  }
}

async function openLocked(options: LmdbStoreOptions, file: string, lock: Disposable): Promise<NodeStore> {
  const { dir } = options;
  let tables: StoreTables;
  try {
    tables = openTables(file, "read-write");
  } catch (cause) {
    throw new StoreIoError({ dir, action: "open" }, cause);
  }
  try {
    const fact = readFact(tables, "identity") ?? freshIdentity(options);
    checkIdentity(fact, options);
    const recovered = recover(tables, dir);
    const tail = tailOf(recovered, readFact(tables, "run"));
    await saveOpening(tables, { dir, fact, recovered });
    if (tail === "may-have-lost")
      options.log.warn({ dir }, "The machine stopped while the store was open: the last records may be lost here");
    const pins = new Map(Object.entries(readFact(tables, "pins") ?? {}));
    const { hardState, snapshot, log } = recovered;
    const journal = openJournal(dir);
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

/** A kill of the process loses nothing that was written; a stop of the machine may. */
function tailOf({ isTorn }: Recovered, run: RunFact | undefined): StoredState["tail"] {
  if (isTorn) return "may-have-lost";
  return run === undefined || run.wasClosed || run.boot === bootId() ? "complete" : "may-have-lost";
}

/** Moves the journal into the database, so that it can be emptied, and says that the store is open. */
async function saveOpening(
  tables: StoreTables,
  { dir, fact, recovered }: { readonly dir: string; readonly fact: IdentityFact; readonly recovered: Recovered },
): Promise<void> {
  try {
    const { hardState, sequence, unsaved } = recovered;
    const orphans = [...tables.pieces.getKeys({})].filter(([id]) => id !== recovered.snapshot?.fact.id);
    await commit(tables, () => {
      for (const orphan of orphans) remove(tables.pieces, orphan); // of a snapshot that was never finished
      put(tables.facts, "identity", factBytes(fact));
      put(tables.facts, "hard", factBytes({ hardState, sequence }));
      put(tables.facts, "run", factBytes({ boot: bootId(), wasClosed: false }));
      const [slab, runs]: [BatchSlab, BatchRun[]] = [new BatchSlab(), []];
      for (const batch of unsaved) addRun(runs, slab.add(batch, batch.sequence));
      if (unsaved[0] !== undefined) put(tables.batches, unsaved[0].sequence, joinRuns(runs));
    });
  } catch (cause) {
    throw new StoreIoError({ dir, action: "open" }, cause);
  }
}

/** Its files, and those of the database, are in the folder for good afterwards. */
function openJournal(dir: string): Journal {
  try {
    const journal = new Journal(dir);
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
    mkdirSync(dir, { recursive: true });
  } catch (cause) {
    throw new StoreIoError({ dir, action: "make a folder for the" }, cause);
  }
}

/** Of this machine since it started; another after a loss of power. */
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
  #closed: Promise<void> | undefined;

  constructor(parts: LmdbStoreParts) {
    const { tables, dir, recovered } = parts;
    this.#parts = parts;
    this.stored = parts.stored;
    this.#fact = parts.fact;
    this.#pins = parts.pins;
    this.#writer = new StoreWriter({ tables, dir, recovered, journal: parts.journal });
  }

  get identity(): StoreIdentity {
    const { member, storeId, clusterId } = this.#fact;
    return { member, storeId: Buffer.from(storeId, "hex"), clusterId: Buffer.from(clusterId, "hex") };
  }

  get pins(): ReadonlyMap<string, string> {
    return this.#pins;
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

  async #close(): Promise<void> {
    const { tables, lock } = this.#parts;
    try {
      await this.#writer.close(factBytes({ boot: bootId(), wasClosed: true }));
      await closeTables(tables);
    } finally {
      lock[Symbol.dispose]();
    }
  }
}
