/** The journal of writes since the last sync of the database: read after a kill or a loss of power. */
import { closeSync, constants, existsSync, fdatasync, fstatSync, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { crc32 } from "node:zlib";
import { PRIVATE_FILE } from "@sluice/runtime/private-files";
import { type BatchRun, END_BYTES, LENGTH_BYTES } from "./batch-slab.ts";
import { decodeBatch, type SequencedBatch, StoreBatchError } from "./store-batch.ts";

/** Above this size writing moves to the other file; this limits what is read at start. */
const TURN_BYTES = 8 * 1024 * 1024;
/** Filled with zeros at creation: syncing overwritten bytes takes half the time of appended ones. */
const FILLED_BYTES = 4 * 1024 * 1024;
const END = Buffer.alloc(END_BYTES);
/** "SLJ2", the first 4 bytes of the header: magic, 16 bytes of store id, checksum of both. */
const MAGIC = 0x534c_4a32;
const STORE_ID_END = 20;
const HEADER_BYTES = STORE_ID_END + 4;

export const JOURNAL_NAMES = ["journal-a", "journal-b"] as const;

interface JournalFile {
  readonly fd: number;
  /** Offset of the next batch. */
  end: number;
  /** Sequence of the newest batch in it, 0 if empty. */
  lastSequence: number;
  isDirty: boolean;
}

const syncData = promisify(fdatasync);

/**
 * A commit of the database writes many pages and waits for the disk; an append here takes hundredths of a millisecond
 * and survives a kill of the process, and syncing it costs a fraction of a commit. So the database may
 * commit in groups, after the acknowledgements. Two files: one is written while the other waits for the database.
 */
export class Journal {
  readonly #files: readonly [JournalFile, JournalFile];
  #current = 0;
  #wanted: PromiseWithResolvers<void> | undefined;
  #syncing: Promise<void> | undefined;

  /** Empties both files: their content must be in the database. @param storeId  in hex */
  constructor(dir: string, storeId: string) {
    const [a, b] = JOURNAL_NAMES;
    this.#files = [openEmpty(join(dir, a), storeId), openEmpty(join(dir, b), storeId)];
  }

  /** @param run  followed by an end mark. @throws when the disk refuses; the file may then end in the middle of a batch */
  append({ bytes, start, end }: BatchRun, sequence: number, savedSequence: number): void {
    const file = this.#fileFor(savedSequence);
    writeWhole(file.fd, { bytes, start, end: end + END_BYTES }, file.end);
    file.end += end - start;
    file.lastSequence = sequence;
    file.isDirty = true;
  }

  /** Resolves when everything appended survives a loss of power. Concurrent calls share the next sync. */
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
    other.end = HEADER_BYTES;
    this.#current = 1 - this.#current;
    return other;
  }
}

export interface JournalTail {
  /** Batches after the requested sequence, without gaps. */
  readonly batches: readonly SequencedBatch[];
  /** What is damaged, cut off or missing: acknowledged batches may be lost. */
  readonly damage: string | undefined;
}

/**
 * @param store  owner of the journal: `id` in hex, `format` of its identity
 * @throws {StoreBatchError} when it belongs to another store
 */
export function readJournal(
  dir: string,
  { after, store }: { readonly after: number; readonly store: { readonly id: string; readonly format: number } },
): JournalTail {
  const files = JOURNAL_NAMES.map((name) => readFile(dir, name, store));
  const newer = files.flatMap((file) => file.batches).filter((batch) => batch.sequence > after);
  newer.sort((a, b) => a.sequence - b.sequence);
  const batches = newer.filter((batch, position) => batch.sequence === after + position + 1);
  const hole = batches.length < newer.length ? `batch ${after + batches.length + 1} is missing` : undefined;
  return { batches, damage: files.find((file) => file.damage !== undefined)?.damage ?? hole };
}

/** A journal file with more than a header: a store was written here. */
export function findWrittenJournal(dir: string): string | undefined {
  return JOURNAL_NAMES.find((name) => {
    const path = join(dir, name);
    const bytes = existsSync(path) ? readFileSync(path) : END;
    const isBegun = bytes.length >= HEADER_BYTES && bytes.readUInt32BE() === MAGIC;
    const rest = bytes.subarray(isBegun ? HEADER_BYTES : 0);
    return !rest.equals(Buffer.alloc(rest.length));
  });
}

/** Batches in the file have rising sequences; a lower one is a leftover from before the file was reused. */
function readFile(dir: string, name: string, store: { readonly id: string; readonly format: number }): JournalTail {
  const path = join(dir, name);
  if (!existsSync(path)) return { batches: [], damage: `${name} is missing` };
  const bytes = readFileSync(path);
  const batches: SequencedBatch[] = [];
  const torn = { batches, damage: `${name} is damaged or cut off` };
  // Format 1 had no header.
  if (store.format > 1 && !hasHeader(bytes, name, store.id)) return torn;
  let at = store.format > 1 ? HEADER_BYTES : 0;
  while (at + LENGTH_BYTES <= bytes.length) {
    const length = bytes.readUInt32BE(at);
    if (length === 0) return { batches, damage: undefined };
    const end = at + LENGTH_BYTES + length;
    if (end > bytes.length) break;
    try {
      batches.push(decodeBatch(bytes.subarray(at + LENGTH_BYTES, end)));
    } catch {
      break;
    }
    at = end;
  }
  return torn; // a complete file has the end mark behind the last batch
}

/** @throws {StoreBatchError} when it belongs to another store */
function hasHeader(bytes: Buffer, name: string, storeId: string): boolean {
  if (bytes.length < HEADER_BYTES || bytes.readUInt32BE() !== MAGIC) return false;
  if (bytes.readUInt32BE(STORE_ID_END) !== crc32(bytes.subarray(0, STORE_ID_END))) return false;
  if (bytes.toString("hex", LENGTH_BYTES, STORE_ID_END) === storeId) return true;
  throw new StoreBatchError({ detail: `${name} belongs to another store` });
}

function headerOf(storeId: string): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32BE(MAGIC);
  header.write(storeId, LENGTH_BYTES, "hex");
  header.writeUInt32BE(crc32(header.subarray(0, STORE_ID_END)), STORE_ID_END);
  return header;
}

function writeWhole(fd: number, { bytes, start, end }: BatchRun, at: number): void {
  const written = writeSync(fd, bytes, start, end - start, at);
  if (written < end - start) throw Object.assign(new Error("Short write"), { code: "ENOSPC" });
}

function openEmpty(path: string, storeId: string): JournalFile {
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT, PRIVATE_FILE);
  const missing = FILLED_BYTES - fstatSync(fd).size;
  if (missing > 0) writeWhole(fd, { bytes: Buffer.alloc(missing), start: 0, end: missing }, FILLED_BYTES - missing);
  const begin = Buffer.concat([headerOf(storeId), END]);
  writeWhole(fd, { bytes: begin, start: 0, end: begin.length }, 0);
  return { fd, end: HEADER_BYTES, lastSequence: 0, isDirty: true };
}
