/** Keeps a folder for one process: a lock that the kernel holds, and drops with the process, however that ends. */
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
 * Node has no file locks; SQLite, which it has, locks its files so, within one process too. The database stays empty.
 * @throws {StoreLockedError} @throws {StoreIoError}
 */
export function lockDir(dir: string): Disposable {
  const holderFile = join(dir, HOLDER);
  let database: DatabaseSync | undefined;
  try {
    // Where the system refuses it says why; SQLite would not.
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
