/** What was written since the database last synced: read back after the process was killed or the power was lost. */
import { closeSync, constants, existsSync, fdatasync, fstatSync, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { type BatchRun, END_BYTES, LENGTH_BYTES } from "./batch-slab.ts";
import { decodeBatch, type SequencedBatch } from "./store-batch.ts";

/** A journal file past this size is left for the other one; it bounds what is read at start. */
const TURN_BYTES = 8 * 1024 * 1024;
/** Filled with zeros when the file is made: overwriting is synced in half the time that appending takes. */
const FILLED_BYTES = 4 * 1024 * 1024;
const END = Buffer.alloc(END_BYTES);

interface JournalFile {
  readonly fd: number;
  /** Where the next batch goes. */
  end: number;
  /** Of the newest batch in it, 0 when empty. */
  lastSequence: number;
  isDirty: boolean;
}

const syncData = promisify(fdatasync);

/**
 * A commit of the database writes many pages and waits for the disk; an append here costs hundredths of a millisecond
 * and outlives a kill of the process, and to sync it costs a fraction of what the commit costs. So the database may
 * commit in groups, behind the acknowledgements. Two files: one is written to while the other waits for the database.
 */
export class Journal {
  readonly #files: readonly [JournalFile, JournalFile];
  #current = 0;
  #wanted: PromiseWithResolvers<void> | undefined;
  #syncing: Promise<void> | undefined;

  /** Empties both files: what was in them must be in the database by now. */
  constructor(dir: string) {
    this.#files = [openEmpty(join(dir, "journal-a")), openEmpty(join(dir, "journal-b"))];
  }

  /** @param run  with an end mark behind it. @throws when the disk refuses; the file may then end in the middle of a batch */
  append({ bytes, start, end }: BatchRun, sequence: number, savedSequence: number): void {
    const file = this.#fileFor(savedSequence);
    const length = end + END_BYTES - start;
    const written = writeSync(file.fd, bytes, start, length, file.end);
    if (written < length) throw Object.assign(new Error("Short write"), { code: "ENOSPC" });
    file.end += length - END_BYTES;
    file.lastSequence = sequence;
    file.isDirty = true;
  }

  /** Resolves when all that was appended would outlive a loss of power. Whatever asks meanwhile shares the next sync. */
  sync(): Promise<void> {
    this.#wanted ??= Promise.withResolvers();
    const { promise } = this.#wanted;
    this.#syncing ??= this.#syncAll();
    return promise;
  }

  async close(): Promise<void> {
    await this.#syncing;
    for (const { fd } of this.#files) closeSync(fd);
  }

  async #syncAll(): Promise<void> {
    for (let wanted = this.#wanted; wanted !== undefined; wanted = this.#wanted) {
      this.#wanted = undefined;
      const dirty = this.#files.filter((file) => file.isDirty);
      for (const file of dirty) file.isDirty = false;
      await Promise.all(dirty.map(({ fd }) => syncData(fd))).then(() => wanted.resolve(), wanted.reject);
    }
    this.#syncing = undefined;
  }

  #fileFor(savedSequence: number): JournalFile {
    const current = this.#files[this.#current] as JournalFile;
    if (current.end < TURN_BYTES) return current;
    const other = this.#files[1 - this.#current] as JournalFile;
    if (other.lastSequence > savedSequence) return current;
    other.end = 0;
    this.#current = 1 - this.#current;
    return other;
  }
}

export interface JournalTail {
  /** After the sequence asked for, without holes. */
  readonly batches: readonly SequencedBatch[];
  /** Something in it is damaged, cut off or missing: what was acknowledged may be lost here. */
  readonly isTorn: boolean;
}

export function readJournal(dir: string, after: number): JournalTail {
  const files = ["journal-a", "journal-b"].map((name) => readFile(join(dir, name)));
  const newer = files.flatMap((file) => file.batches).filter((batch) => batch.sequence > after);
  newer.sort((a, b) => a.sequence - b.sequence);
  const batches = newer.filter((batch, position) => batch.sequence === after + position + 1);
  return { batches, isTorn: batches.length < newer.length || files.some((file) => file.isTorn) };
}

/** Batches in the file rise in their sequence; an older one behind them is left from before it was written anew. */
function readFile(path: string): JournalTail {
  if (!existsSync(path)) return { batches: [], isTorn: false };
  const bytes = readFileSync(path);
  const batches: SequencedBatch[] = [];
  let at = 0;
  while (at + LENGTH_BYTES <= bytes.length) {
    const length = bytes.readUInt32BE(at);
    if (length === 0) return { batches, isTorn: false };
    const end = at + LENGTH_BYTES + length;
    if (end > bytes.length) break;
    try {
      batches.push(decodeBatch(bytes.subarray(at + LENGTH_BYTES, end)));
    } catch {
      break;
    }
    at = end;
  }
  return { batches, isTorn: true }; // whole files have the end mark behind the last batch
}

function openEmpty(path: string): JournalFile {
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o666);
  const missing = FILLED_BYTES - fstatSync(fd).size;
  if (missing > 0) writeSync(fd, Buffer.alloc(missing), 0, missing, FILLED_BYTES - missing);
  writeSync(fd, END, 0, END_BYTES, 0);
  return { fd, end: 0, lastSequence: 0, isDirty: true };
}
