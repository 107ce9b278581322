/** Locks a folder for one process: the kernel holds the lock and drops it with the process, however that ends. */
import { closeSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { PRIVATE_FILE } from "@sluice/runtime/private-files";
import { StoreIoError, StoreLockedError } from "./store-errors.ts";

const SQLITE_BUSY = 5;

const LOCK = "lock";
const HOLDER = "holder";
export const LOCK_FILES = [LOCK, HOLDER];

/**
 * Node has no file locks; its SQLite can lock files, also within one process. The database stays empty.
 * @throws {StoreLockedError} @throws {StoreIoError}
 */
export function lockDir(dir: string): Disposable {
  const holderFile = join(dir, HOLDER);
  let database: DatabaseSync | undefined;
  try {
    // A plain open reports why the system refuses; SQLite would not.
    closeSync(openSync(join(dir, LOCK), "a", PRIVATE_FILE));
    database = new DatabaseSync(join(dir, LOCK), { timeout: 0 });
    database.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
    writeFileSync(holderFile, `process ${process.pid}`, { mode: PRIVATE_FILE });
  } catch (cause) {
    closeQuietly(database);
    if ((cause as { readonly errcode?: number }).errcode !== SQLITE_BUSY)
      throw new StoreIoError({ dir, action: "open" }, cause);
    throw new StoreLockedError({ dir, holder: readHolder(holderFile) });
  }
  return { [Symbol.dispose]: () => closeQuietly(database) };
}

function closeQuietly(database: DatabaseSync | undefined): void {
  if (database?.isOpen) database.close();
}

function readHolder(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "another process";
  }
}
