/** The number of this life of a node: higher than in every earlier life. */
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";
import { join } from "node:path";
import { UnavailableError } from "@sluice/base/errors";
import type { Millis } from "@sluice/base/brand";
import type { Incarnation } from "@sluice/mesh/hello";
import { makePrivateFolder, PRIVATE_FILE } from "@sluice/runtime/private-files";

const FILE = "incarnation";
/** The maximum on the wire. */
const MOST = 2 ** 32 - 1;

/** The folder for data that survives restarts cannot be written. */
export class DataFolderError extends UnavailableError {
  override readonly name = "DataFolderError";
  readonly code = "UNAVAILABLE_DATA_FOLDER";
  readonly context: { readonly folder: string };
  constructor(context: { readonly folder: string }, cause: Error) {
    super(`Cannot write to folder "${context.folder}": ${cause.message}`, { cause });
    this.context = context;
  }
}

/**
 * Seconds since 1970, or the last number plus one, whichever is higher: increases when the clock goes back, as long as
 * the last number is known, and otherwise as long as the clock goes forward.
 *
 * @param last  0 if unknown
 */
export function incarnationAfter(last: number, wall: Millis): Incarnation {
  return Math.min(MOST, Math.max(last + 1, Math.floor(wall / 1_000))) as Incarnation;
}

/** The number after the one stored in the folder; stores it there. @throws {DataFolderError} */
export function nextIncarnation(folder: string, wall: Millis): Incarnation {
  const next = incarnationAfter(lastOf(folder), wall);
  try {
    makePrivateFolder(folder);
    write(join(folder, FILE), `${next}\n`);
  } catch (error) {
    throw new DataFolderError({ folder }, error as Error);
  }
  return next;
}

/** Writes atomically. */
function write(path: string, text: string): void {
  const file = openSync(`${path}.new`, "w", PRIVATE_FILE);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(`${path}.new`, path);
}

/** 0 without a readable number. */
function lastOf(folder: string): number {
  try {
    const last = Number(readFileSync(join(folder, FILE), "utf8").trim());
    return Number.isSafeInteger(last) && last > 0 && last < MOST ? last : 0;
  } catch {
    return 0;
  }
}
