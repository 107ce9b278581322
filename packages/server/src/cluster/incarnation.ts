/** The number of this life of a node: higher than that of every life before. */
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";
import { join } from "node:path";
import { UnavailableError } from "@sluice/base/errors";
import type { Millis } from "@sluice/base/brand";
import type { Incarnation } from "@sluice/mesh/hello";
import { makePrivateFolder, PRIVATE_FILE } from "@sluice/runtime/private-files";

const FILE = "incarnation";
/** Of the number on the wire. */
const MOST = 2 ** 32 - 1;

/** The folder for what outlives a restart cannot be written. */
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
 * Seconds since 1970, or one more than last time, whichever is higher: it grows with a clock that goes back as long as
 * the last one is known, and otherwise as long as the clock goes on.
 *
 * @param last  0 where it is not known
 */
export function incarnationAfter(last: number, wall: Millis): Incarnation {
  return Math.min(MOST, Math.max(last + 1, Math.floor(wall / 1_000))) as Incarnation;
}

/** What follows the number that the folder keeps, which it keeps then. @throws {DataFolderError} */
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

/** Whole or not at all. */
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

/** 0 where there is none, or none that can be read. */
function lastOf(folder: string): number {
  try {
    const last = Number(readFileSync(join(folder, FILE), "utf8").trim());
    return Number.isSafeInteger(last) && last > 0 && last < MOST ? last : 0;
  } catch {
    return 0;
  }
}
