/** What was written since the database last synced: read back after the process was killed. */
import { closeSync, existsSync, ftruncateSync, openSync, readFileSync, writevSync } from "node:fs";
import { join } from "node:path";
import { decodeBatch, type SequencedBatch } from "./store-batch.ts";

/** A journal file past this size is left for the other one; it bounds what is read at start. */
const TURN_BYTES = 8 * 1024 * 1024;
const LENGTH_BYTES = 4;

interface JournalFile {
  readonly fd: number;
  bytes: number;
  /** Of the newest batch in it, 0 when empty. */
  lastSequence: number;
}

/**
 * A commit of the database costs half a millisecond, since it waits for the disk; an append here costs hundredths and
 * outlives a kill of the process all the same. So the database may commit in groups, behind the acknowledgements.
 * Two files: one is written to while the other waits for the database to catch up.
 */
export class Journal {
  readonly #files: readonly [JournalFile, JournalFile];
  #current = 0;

  /** Empties both files: what was in them must be in the database by now. */
  constructor(dir: string) {
    this.#files = [openEmpty(join(dir, "journal-a")), openEmpty(join(dir, "journal-b"))];
  }

  /** @throws when the disk refuses; the file may then end in the middle of a batch */
  append(batch: Buffer, sequence: number, syncedSequence: number): void {
    const file = this.#fileFor(syncedSequence);
    const length = Buffer.allocUnsafe(LENGTH_BYTES);
    length.writeUInt32BE(batch.length);
    const written = writevSync(file.fd, [length, batch]);
    if (written < LENGTH_BYTES + batch.length) throw Object.assign(new Error("Short write"), { code: "ENOSPC" });
    file.bytes += written;
    file.lastSequence = sequence;
  }

  close(): void {
    for (const { fd } of this.#files) closeSync(fd);
  }

  #fileFor(syncedSequence: number): JournalFile {
    const current = this.#files[this.#current] as JournalFile;
    if (current.bytes < TURN_BYTES) return current;
    const other = this.#files[1 - this.#current] as JournalFile;
    if (other.lastSequence > syncedSequence) return current;
    ftruncateSync(other.fd, 0);
    other.bytes = 0;
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

function readFile(path: string): JournalTail {
  if (!existsSync(path)) return { batches: [], isTorn: false };
  const bytes = readFileSync(path);
  const batches: SequencedBatch[] = [];
  let at = 0;
  while (at + LENGTH_BYTES <= bytes.length) {
    const end = at + LENGTH_BYTES + bytes.readUInt32BE(at);
    if (end > bytes.length) break;
    try {
      batches.push(decodeBatch(bytes.subarray(at + LENGTH_BYTES, end)));
    } catch {
      break;
    }
    at = end;
  }
  return { batches, isTorn: at < bytes.length };
}

function openEmpty(path: string): JournalFile {
  const fd = openSync(path, "a");
  ftruncateSync(fd, 0);
  return { fd, bytes: 0, lastSequence: 0 };
}
